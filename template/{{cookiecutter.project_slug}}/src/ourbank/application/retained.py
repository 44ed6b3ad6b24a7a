"""Copies of personal data outside the log, and until when data must be kept."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Protocol

from sqlalchemy import Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from ..eventsourcing.postgres import connected
from ..readmodels.accounts import accounts
from ..readmodels.entries import entries
from ..readmodels.transfers import transfers


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

    def __init__(self, engine: AsyncEngine, retention_days: int) -> None:
        self._engine = engine
        self._retention_days = retention_days

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
        own = entries.c.account_id.in_(_account_ids(customer_id))
        statement = update(entries).where(own, entries.c.narrative.is_not(None))
        async with connected(self._engine) as connection, connection.begin():
            await connection.execute(statement.values(narrative=None))

    async def purge_transfers(self, customer_id: str) -> None:
        """See the port."""
        ids = _account_ids(customer_id)
        as_payer = update(transfers).where(transfers.c.source_account_id.in_(ids))
        as_payee = update(transfers).where(transfers.c.target_account_id.in_(ids))
        async with connected(self._engine) as connection, connection.begin():
            await connection.execute(as_payer.values(payer_narrative=None))
            await connection.execute(as_payee.values(payee_narrative=None))


def _account_ids(customer_id: str) -> Select[tuple[str]]:
    return select(accounts.c.account_id).where(accounts.c.customer_id == customer_id)
