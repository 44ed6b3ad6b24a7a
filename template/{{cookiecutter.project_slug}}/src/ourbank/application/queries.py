"""Questions that read models answer: lists and history, in keyset pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Protocol

from sqlalchemy import BindParameter, ColumnElement, Row, Select, bindparam, or_, select, true
from sqlalchemy.ext.asyncio import AsyncEngine

from ..eventsourcing.connections import KeptConnections, connected
from ..readmodels.accounts import accounts
from ..readmodels.entries import EntryRow, entries
from ..readmodels.holds import HoldRow, HoldStatus, holds
from ..readmodels.transfers import transfers
from .parties import Parties

KEPT_MAX = 2
"""Connections kept for the history, which is what is asked most."""
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

    def given(self) -> dict[str, Any]:
        """The conditions that are set, by name."""
        values = ((name, getattr(self, name)) for name in _CONDITIONS)
        return {name: value for name, value in values if value is not None}


_CONDITIONS: Mapping[str, ColumnElement[bool]] = {
    "booked_from": entries.c.booking_time >= bindparam("booked_from"),
    "booked_to": entries.c.booking_time < bindparam("booked_to"),
    "value_from": entries.c.value_date >= bindparam("value_from"),
    "value_to": entries.c.value_date < bindparam("value_to"),
    "code": entries.c.code == bindparam("code"),
    "direction": entries.c.direction == bindparam("direction"),
    "min_amount_minor": entries.c.amount_minor >= bindparam("min_amount_minor"),
    "max_amount_minor": entries.c.amount_minor <= bindparam("max_amount_minor"),
    "counterparty": entries.c.counterparty == bindparam("counterparty"),
    "transfer_id": entries.c.transfer_id == bindparam("transfer_id"),
}
"""What each member of an EntryFilter asks of an entry."""


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, and where the next page starts; None when this was the last."""

    rows: Sequence[Any]
    next: str | int | None


class Queries(Protocol):
    """Reads the read models; what comes back is as old as their checkpoints."""

    async def accounts(
        self, customer_id: str | None, account_id: str | None, after: str, limit: int
    ) -> Page:
        """Accounts by id, those after `after`."""
        ...

    async def transfers(
        self, account_id: str, status: str | None, before: str | None, limit: int
    ) -> Page:
        """An account's transfers on either side, newest first, those before `before`."""
        ...

    async def hold(self, hold_id: str) -> HoldRow | None:
        """One hold, also when it has ended."""
        ...

    async def due_holds(self, now: datetime, limit: int) -> list[tuple[str, str]]:
        """Account and id of active holds whose time is over."""
        ...

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
        ...

    async def open_narratives(self, account_id: str, rows: Sequence[EntryRow]) -> None:
        """Put the owner's narratives in clear, in place; None where the key is gone."""
        ...


class SqlQueries:
    """The queries on PostgreSQL."""

    def __init__(self, engine: AsyncEngine, parties: Parties) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._kept = KeptConnections(engine, KEPT_MAX)
        self._parties = parties

    async def accounts(
        self, customer_id: str | None, account_id: str | None, after: str, limit: int
    ) -> Page:
        """See the port."""
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
        """See the port."""
        t = transfers.c
        query = select(transfers).where(
            or_(t.source_account_id == account_id, t.target_account_id == account_id),
            t.status == status if status is not None else true(),
            t.transfer_id < before if before is not None else true(),
        )
        rows = await self._rows(query.order_by(t.transfer_id.desc()).limit(limit + 1))
        return Page(rows[:limit], rows[limit - 1].transfer_id if len(rows) > limit else None)

    async def hold(self, hold_id: str) -> HoldRow | None:
        """See the port."""
        rows = await self._rows(select(holds).where(holds.c.hold_id == hold_id))
        return HoldRow(*tuple(rows[0])) if rows else None

    async def due_holds(self, now: datetime, limit: int) -> list[tuple[str, str]]:
        """See the port."""
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
        """See the port."""
        scan = limit if text is None else SCAN_MAX
        given = wanted.given()
        query = _entries(tuple(given), is_first=after is None, descending=descending)
        values = {"account_id": account_id, "after": after, "limit": scan + 1, **given}
        rows = [EntryRow(*row) for row in await self._kept.fetch(query, values)]
        seen = rows[:scan]
        await self.open_narratives(account_id, seen)
        found = seen if text is None else [r for r in seen if _mentions(r, text)]
        if len(found) > limit:
            return Page(found[:limit], found[limit - 1].sequence)
        return Page(found, seen[-1].sequence if len(rows) > scan else None)

    async def open_narratives(self, account_id: str, rows: Sequence[EntryRow]) -> None:
        """See the port."""
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


@lru_cache(maxsize=256)
def _entries(names: tuple[str, ...], *, is_first: bool, descending: bool) -> Select[Any]:
    """The query for these conditions. Kept, because to build it takes longer than to run it."""
    sequence = entries.c.sequence
    after: BindParameter[int] = bindparam("after")
    query = select(entries).where(entries.c.account_id == bindparam("account_id"))
    query = query.where(*(_CONDITIONS[name] for name in names))
    if not is_first:
        query = query.where(sequence < after if descending else sequence > after)
    order = sequence.desc() if descending else sequence
    return query.order_by(order).limit(bindparam("limit"))


def _mentions(row: EntryRow, text: str) -> bool:
    return row.narrative is not None and text.casefold() in row.narrative.casefold()
