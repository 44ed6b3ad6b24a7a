"""The read model of entries: what each account's history shows, a little after it was booked."""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .problems import RefusalError
from .vault import place_of

if TYPE_CHECKING:
    from .bank import Bank
    from .log import Event

LAG_SECONDS = 0.005


@dataclass(slots=True)
class Row:
    """An entry, and from when on it is shown."""

    event: Event
    visible_at: float
    narrative: str | None = None


class Histories:
    """The rows of every account. The steps that a mutant breaks are methods of their own."""

    def __init__(self, bank: Bank) -> None:
        self.bank = bank
        self.rows: dict[str, list[Row]] = {}
        self.due: list[tuple[int, float]] = []
        """From when on everything shows up to a number of events in the log."""
        self.restore()

    def restore(self) -> None:
        """Build everything anew from the log."""
        for events in self.bank.log.partitions:
            for event in events:
                if event.type in {"FundsCredited", "FundsDebited"}:
                    self.project(event.stream_id, event)

    def project(self, account_id: str, event: Event) -> None:
        """Take a booked entry into the history."""
        row = Row(event, event.at + self.lag(event))
        self.rows.setdefault(account_id, []).append(row)
        latest = max(row.visible_at, self.due[-1][1] if self.due else 0.0)
        self.due.append((self.bank.log.count(), latest))

    async def catch_up(self, token: int, seconds: float) -> None:
        """Wait until everything up to a token shows, or refuse (409) if that takes too long."""
        place = bisect_right(self.due, token, key=lambda due: due[0])
        left = self.due[place - 1][1] - time.monotonic() if place else 0.0
        if left > seconds:
            raise RefusalError(409, "not-yet-consistent")
        await asyncio.sleep(max(0.0, left))

    def lag(self, _event: Event) -> float:
        """Return after how many seconds an entry shows."""
        return LAG_SECONDS

    def clock(self) -> float:
        """Return the time as of which a read is answered."""
        return time.monotonic()

    def narrative(self, row: Row, customer_id: str) -> str | None:
        """Return the owner's copy of the narrative."""
        event = row.event
        place = place_of(event.stream_id, event.version, "narrative")
        return self.bank.vault.unseal(customer_id, event.data["narrative"], place)

    def of(self, account_id: str) -> list[dict[str, Any]]:
        """Return the entries that show now, in order of sequence."""
        account, until = self.bank.accounts.find(account_id), self.clock()
        rows = self.rows.get(account_id, [])
        return [self.view(row, account.customer_id) for row in rows if row.visible_at <= until]

    def view(self, row: Row, customer_id: str) -> dict[str, Any]:
        """Return an entry as the contract shows it."""
        event = row.event
        direction = "CRDT" if event.type == "FundsCredited" else "DBIT"
        shown = {"account_id": event.stream_id, "version": event.version, "direction": direction}
        return event.data | shown | {"narrative": self.narrative(row, customer_id)}
