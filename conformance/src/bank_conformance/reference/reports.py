"""The report of a day: totals for each transaction code, and the trial balance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .past import credited

if TYPE_CHECKING:
    from .bank import Bank
    from .log import Event


@dataclass(slots=True)
class Reports:
    """Reports, each a fold of all entries. The steps that a mutant breaks are methods."""

    bank: Bank

    def daily(self, date: str, basis: str) -> list[dict[str, Any]]:
        """Return the report of a day for each currency, on the basis BOOKING or VALUE."""
        entries = [row.event for rows in self.bank.histories.rows.values() for row in rows]
        found = []
        for currency in sorted({event.currency for event in entries}):
            ours = [event for event in entries if event.currency == currency]
            that_day = [e for e in ours if self.day(e, basis) == date and self.counts(e)]
            until = [event for event in ours if self.day(event, basis) <= date]
            report = {"totals": self.totals(that_day), "trial_balance": self.trial_balance(until)}
            found.append({"currency": currency, **report})
        return found

    def day(self, event: Event, basis: str) -> str:
        """Return the day to which an entry belongs."""
        named = event.data["booking_time" if basis == "BOOKING" else "value_date"]
        return str(named)[:10]

    def counts(self, _event: Event) -> bool:
        """Say whether an entry is counted in the totals: every one is."""
        return True

    def totals(self, entries: Sequence[Event]) -> list[dict[str, Any]]:
        """Return the sums for each transaction code."""
        return [
            {
                "code": code,
                "count": sum(event.data["code"] == code for event in entries),
                "credit_minor": _sum(entries, code, credit=True),
                "debit_minor": _sum(entries, code, credit=False),
            }
            for code in sorted({event.data["code"] for event in entries})
        ]

    def trial_balance(self, entries: Sequence[Event]) -> list[dict[str, Any]]:
        """Return the balance of each control account, and of all customers together."""
        sums: Counter[str] = Counter()
        for account, amount in (posting for event in entries for posting in event.postings):
            sums[account if account.startswith("control:") else "customers"] += amount
        return [{"account": name, "amount_minor": sums[name]} for name in sorted(sums)]


def _sum(entries: Sequence[Event], code: str, *, credit: bool) -> int:
    ours = (e for e in entries if e.data["code"] == code and credited(e) == credit)
    return sum(event.data["amount_minor"] for event in ours)
