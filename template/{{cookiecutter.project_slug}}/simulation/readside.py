"""What the bank asks of its read models beside folding them: as SQL does in production."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from ourbank.eventsourcing.memory_projection import (
    MemoryReadModels,
)
from ourbank.readmodels.holds import HoldStatus


class Rows:
    """Queries and purges on the rows in memory; each is atomic."""

    def __init__(self, read_models: MemoryReadModels) -> None:
        self._read_models = read_models

    def of(self, name: str) -> dict[Any, Any]:
        """The rows of a read model, by key."""
        return self._read_models.rows.get(name, {})

    async def due_holds(self, now: datetime, limit: int) -> list[tuple[str, str]]:
        """See application.queries."""
        due = [
            (row.expires_at, row.account_id, row.hold_id)
            for row in self.of("holds").values()
            if row.status == HoldStatus.ACTIVE and row.expires_at <= now
        ]
        return [(account_id, hold_id) for _, account_id, hold_id in sorted(due)[:limit]]

    async def history(self, account_id: str) -> list[Any]:
        """All entries of an account, by sequence."""
        entries = self.of("entries").values()
        mine = [replace(row) for row in entries if row.account_id == account_id]
        return sorted(mine, key=lambda row: int(row.sequence))

    async def obligations(self, customer_id: str) -> Iterable[date]:
        """None: no retention is set."""
        del customer_id
        return ()

    async def purge_entries(self, customer_id: str) -> None:
        """See application.retained."""
        own = self._accounts(customer_id)
        entries = self.of("entries")
        for key, row in entries.items():
            if row.account_id in own and row.narrative is not None:
                entries[key] = replace(row, narrative=None)

    async def purge_transfers(self, customer_id: str) -> None:
        """See application.retained."""
        own = self._accounts(customer_id)
        transfers = self.of("transfers")
        for key, row in transfers.items():
            if row.source_account_id in own:
                transfers[key] = replace(row, payer_narrative=None)
            if row.target_account_id in own:
                transfers[key] = replace(transfers[key], payee_narrative=None)

    def _accounts(self, customer_id: str) -> set[str]:
        rows = self.of("accounts").values()
        return {row.account_id for row in rows if row.customer_id == customer_id}
