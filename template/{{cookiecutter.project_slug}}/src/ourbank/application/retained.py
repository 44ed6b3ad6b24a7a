"""Copies of personal data outside the log, and until when data must be kept."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any, Protocol

from sqlalchemy import Column, ColumnElement, Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from ..eventsourcing.connections import connected
from ..readmodels.accounts import accounts
from ..readmodels.entries import entries
from ..readmodels.transfers import transfers

PURGE_ROWS_MAX = 5_000
"""Rows looked at in one transaction of a purge."""


class Retained(Protocol):
    """Read models hold narratives, sealed. With the key gone they are noise; an erasure removes
    them all the same.
    """

    async def obligations(self, customer_id: str) -> Iterable[date]:
        """Records must be kept for so long after the last entry (AML directive, art. 40)."""
        ...

    async def purge_entries(self, customer_id: str) -> None:
        """Remove the customer's own narratives from the history."""
        ...

    async def purge_transfers(self, customer_id: str) -> None:
        """Remove the customer's side of narratives from the transfers."""
        ...


class SqlRetained:
    """The read models on PostgreSQL; `retention_days` 0 asks for nothing to be kept."""

    def __init__(
        self, engine: AsyncEngine, retention_days: int, page_rows: int = PURGE_ROWS_MAX
    ) -> None:
        self._engine = engine
        self._retention_days = retention_days
        self._page_rows = page_rows

    async def obligations(self, customer_id: str) -> Iterable[date]:
        """See the port."""
        if not self._retention_days:
            return ()
        query = select(func.max(entries.c.booking_time)).where(
            entries.c.account_id.in_(_account_ids(customer_id))
        )
        async with connected(self._engine) as connection:
            last = (await connection.execute(query)).scalar_one()
        return () if last is None else (last.date() + timedelta(days=self._retention_days),)

    async def purge_entries(self, customer_id: str) -> None:
        """See the port."""
        for account_id in await self._account_ids(customer_id):
            own = entries.c.account_id == account_id
            await self._purge(own, entries.c.sequence, entries.c.narrative)

    async def purge_transfers(self, customer_id: str) -> None:
        """See the port."""
        t = transfers.c
        for account_id in await self._account_ids(customer_id):
            await self._purge(t.source_account_id == account_id, t.transfer_id, t.payer_narrative)
            await self._purge(t.target_account_id == account_id, t.transfer_id, t.payee_narrative)

    async def _account_ids(self, customer_id: str) -> list[str]:
        async with connected(self._engine) as connection:
            return list((await connection.execute(_account_ids(customer_id))).scalars())

    async def _purge(
        self, own: ColumnElement[bool], key: Column[Any], narrative: Column[Any]
    ) -> None:
        """Remove the narratives of these rows, page by page in the order of `key`.

        Each page is a transaction: however many there are, no call is long, and who is cut short
        begins again at no cost but looking.
        """
        page = select(key).where(own).order_by(key).limit(self._page_rows)
        after: Any = None
        while True:
            rest = page if after is None else page.where(key > after)
            async with connected(self._engine) as connection, connection.begin():
                keys = (await connection.execute(rest)).scalars().all()
                if not keys:
                    return
                after = keys[-1]
                there = own, key >= keys[0], key <= after
                copies = update(key.table).where(*there, narrative.is_not(None))
                await connection.execute(copies.values({narrative: None}))


def _account_ids(customer_id: str) -> Select[str]:
    return select(accounts.c.account_id).where(accounts.c.customer_id == customer_id)
