"""Questions about the past: balances under two clocks, statements, snapshots. All are folds of what
was booked; nothing is kept of an answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .problems import RefusalError

if TYPE_CHECKING:
    from .accounts import Account
    from .bank import Bank
    from .log import Event

_STATEMENT_MEMBERS = (
    "sequence",
    "code",
    "amount_minor",
    "balance_after_minor",
    "booking_time",
    "value_date",
    "transfer_id",
)
"""What a statement shows of an entry: nothing that an erasure would have to change."""


def booked(bank: Bank, account_id: str) -> list[Event]:
    """Return what was booked on an account, in order of sequence."""
    return [row.event for row in bank.histories.rows.get(account_id, ())]


def credited(event: Event) -> bool:
    """Say whether an entry adds to the balance."""
    return event.type == "FundsCredited"


def signed(event: Event) -> int:
    """Return the change of the booked balance."""
    amount: int = event.data["amount_minor"]
    return amount if credited(event) else -amount


def booking_time(event: Event) -> datetime:
    """Return when an entry was recorded."""
    return datetime.fromisoformat(event.data["booking_time"])


@dataclass(slots=True)
class Balances:
    """Balances as of a value date, known at a booking time."""

    bank: Bank

    def of(self, account_id: str, as_of: str | None, known_at: datetime | None) -> int:
        """Return the sum of what counted by `as_of` and was recorded by `known_at`."""
        return sum(
            signed(event)
            for event in booked(self.bank, account_id)
            if (as_of is None or self.counts_from(event) <= as_of)
            and (known_at is None or booking_time(event) <= known_at)
        )

    def counts_from(self, event: Event) -> str:
        """Return the day from which an entry counts."""
        return str(event.data["value_date"])


@dataclass(slots=True)
class Statements:
    """Statements of closed periods."""

    bank: Bank

    def of(self, account_id: str, start: datetime, end: datetime) -> dict[str, Any]:
        """Return the statement from `start` to before `end`, or refuse a period that is open."""
        if end > datetime.now(UTC):
            raise RefusalError(422, "period-open")
        before = [e for e in booked(self.bank, account_id) if booking_time(e) < end]
        entries = self.order([event for event in before if booking_time(event) >= start])
        closing = sum(signed(event) for event in before)
        opening = closing - sum(signed(event) for event in entries)
        return {
            "opening": _balance("OPBD", opening),
            "entries": [_shown(event) for event in entries],
            "closing": _balance("CLBD", closing),
            "closing_sequence": max((event.data["sequence"] for event in before), default=0),
        }

    def order(self, entries: list[Event]) -> list[Event]:
        """Return the entries in the order in which a statement shows them."""
        return sorted(entries, key=lambda event: int(event.data["sequence"]))


def _balance(kind: str, amount: int) -> dict[str, Any]:
    direction = "DBIT" if amount < 0 else "CRDT"
    return {"type": kind, "direction": direction, "amount_minor": abs(amount)}


def _shown(event: Event) -> dict[str, Any]:
    direction = "CRDT" if credited(event) else "DBIT"
    return {"direction": direction} | {name: event.data[name] for name in _STATEMENT_MEMBERS}


@dataclass(slots=True)
class Snapshots:
    """Balances of several accounts at one instant."""

    bank: Bank

    async def take(self, accounts: Sequence[Account]) -> list[int]:
        """Return the booked balance of each account. Never waits: all are read in one step."""
        return [self.booked(account) for account in accounts]

    def booked(self, account: Account) -> int:
        """Return a balance without the legs of transfers whose other leg is not booked yet."""
        entries = booked(self.bank, account.account_id)
        others = {event.data["counterparty"] for event in entries if event.data["transfer_id"]}
        legs = Counter(
            event.data["transfer_id"]
            for account_id in {*others, account.account_id}
            for event in booked(self.bank, account_id)
        )
        whole = (e for e in entries if not e.data["transfer_id"] or legs[e.data["transfer_id"]] > 1)
        return sum(signed(event) for event in whole)
