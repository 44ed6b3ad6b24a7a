"""Questions that read models answer: lists and history, in keyset pages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, or_, select, true
from sqlalchemy.ext.asyncio import AsyncEngine

from ..eventsourcing.postgres import connected
from ..readmodels.accounts import accounts
from ..readmodels.entries import EntryRow, entries
from ..readmodels.holds import HoldRow, HoldStatus, holds
from ..readmodels.transfers import transfers
from .parties import Parties

SCAN_MAX = 5_000
"""Entries looked at for one page of a text search; the cursor goes on from there."""


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Which entries; all given conditions apply. `_from` is inclusive, `_to` exclusive; amounts in
    minor units.
    """

    booked_from: datetime | None = None
    booked_to: datetime | None = None
    value_from: date | None = None
    value_to: date | None = None
    code: str | None = None
    direction: str | None = None
    min_amount_minor: int | None = None
    max_amount_minor: int | None = None
    counterparty: str | None = None
    transfer_id: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """As SQL."""
        e = entries.c
        compare: tuple[tuple[Any, Callable[[Any], ColumnElement[bool]]], ...] = (
            (self.booked_from, e.booking_time.__ge__),
            (self.booked_to, e.booking_time.__lt__),
            (self.value_from, e.value_date.__ge__),
            (self.value_to, e.value_date.__lt__),
            (self.code, e.code.__eq__),
            (self.direction, e.direction.__eq__),
            (self.min_amount_minor, e.amount_minor.__ge__),
            (self.max_amount_minor, e.amount_minor.__le__),
            (self.counterparty, e.counterparty.__eq__),
            (self.transfer_id, e.transfer_id.__eq__),
        )
        return [condition(value) for value, condition in compare if value is not None]


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, and where the next page starts; None when this was the last."""

    rows: Sequence[Any]
    next: str | int | None


class Queries:
    """Reads the read models; what comes back is as old as their checkpoints."""

    def __init__(self, engine: AsyncEngine, parties: Parties) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._parties = parties

    async def accounts(
        self, customer_id: str | None, account_id: str | None, after: str, limit: int
    ) -> Page:
        """Accounts by id, those after `after`."""
        query = select(accounts).where(accounts.c.account_id > after)
        if customer_id is not None:
            query = query.where(accounts.c.customer_id == customer_id)
        if account_id is not None:
            query = query.where(accounts.c.account_id == account_id)
        rows = await self._rows(query.order_by(accounts.c.account_id).limit(limit + 1))
        return Page(rows[:limit], rows[limit - 1].account_id if len(rows) > limit else None)

    async def transfers(
        self, account_id: str, status: str | None, before: str | None, limit: int
    ) -> Page:
        """An account's transfers on either side, newest first, those before `before`."""
        t = transfers.c
        query = select(transfers).where(
            or_(t.source_account_id == account_id, t.target_account_id == account_id),
            t.status == status if status is not None else true(),
            t.transfer_id < before if before is not None else true(),
        )
        rows = await self._rows(query.order_by(t.transfer_id.desc()).limit(limit + 1))
        return Page(rows[:limit], rows[limit - 1].transfer_id if len(rows) > limit else None)

    async def hold(self, hold_id: str) -> HoldRow | None:
        """One hold, also when it has ended."""
        rows = await self._rows(select(holds).where(holds.c.hold_id == hold_id))
        return HoldRow(*tuple(rows[0])) if rows else None

    async def due_holds(self, now: datetime, limit: int) -> list[tuple[str, str]]:
        """Account and id of active holds whose time is over."""
        query = select(holds.c.account_id, holds.c.hold_id).where(
            holds.c.status == HoldStatus.ACTIVE, holds.c.expires_at <= now
        )
        rows = await self._rows(query.order_by(holds.c.expires_at).limit(limit))
        return [(row.account_id, row.hold_id) for row in rows]

    async def entries(
        self,
        account_id: str,
        wanted: EntryFilter,
        after: int | None,
        limit: int,
        *,
        text: str | None = None,
        descending: bool = False,
    ) -> Page:
        """An account's entries by sequence with narratives in clear, those beyond `after`.

        A text search opens the owner's narratives here, in memory: nowhere is there an index of
        them.
        """
        scan = limit if text is None else SCAN_MAX
        query = _entries(account_id, wanted, after, descending=descending).limit(scan + 1)
        rows = [EntryRow(*tuple(row)) for row in await self._rows(query)]
        seen = rows[:scan]
        await self.open_narratives(account_id, seen)
        found = seen if text is None else [r for r in seen if _mentions(r, text)]
        if len(found) > limit:
            return Page(found[:limit], found[limit - 1].sequence)
        return Page(found, seen[-1].sequence if len(rows) > scan else None)

    async def open_narratives(self, account_id: str, rows: Sequence[EntryRow]) -> None:
        """Put the owner's narratives in clear, in place; None where the key is gone."""
        owner = await self._parties.account(account_id)
        if owner is None:
            return
        sealed = [(r.transfer_id or r.reference or "", r.narrative) for r in rows]
        opened = await self._parties.unseal_narratives(owner.customer_id, sealed)
        for row, narrative in zip(rows, opened, strict=True):
            row.narrative = narrative

    async def _rows(self, query: Select[Any]) -> Sequence[Row[Any]]:
        async with connected(self._engine) as connection:
            rows: Sequence[Row[Any]] = (await connection.execute(query)).all()
            return rows


def _entries(
    account_id: str, wanted: EntryFilter, after: int | None, *, descending: bool
) -> Select[Any]:
    sequence = entries.c.sequence
    query = select(entries).where(entries.c.account_id == account_id, *wanted.conditions())
    if after is not None:
        query = query.where(sequence < after if descending else sequence > after)
    return query.order_by(sequence.desc() if descending else sequence)


def _mentions(row: EntryRow, text: str) -> bool:
    return row.narrative is not None and text.casefold() in row.narrative.casefold()
