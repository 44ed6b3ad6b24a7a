"""Fraud rules, run over what was booked: by the times of the entries, in the order of the log.

Alerts are a fold too: the same log always gives the same alerts, under the same ids.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from .past import booked, booking_time, credited

if TYPE_CHECKING:
    from .bank import Bank
    from .log import Event

HOUR_SECONDS = 3600
VERSION = 1
PARAMETERS: dict[str, dict[str, int]] = {
    "velocity-count": {"count_min": 10, "window_seconds": HOUR_SECONDS},
    "structuring": {
        "count_min": 3,
        "floor_minor": 800_000,
        "threshold_minor": 1_000_000,
        "window_days": 3,
    },
    "account-drain": {"share_percent": 95, "balance_min_minor": 10_000},
    "test-then-large": {
        "small_max_minor": 100,
        "large_min_minor": 100_000,
        "window_seconds": 24 * HOUR_SECONDS,
    },
}

Pattern = list["Event"]


@dataclass(slots=True)
class Fraud:
    """The rules. The steps that a mutant breaks are methods of their own."""

    bank: Bank

    def rules(self) -> list[dict[str, Any]]:
        """Return the rules in force."""
        return [
            {"rule": name, "version": VERSION, "parameters": parameters}
            for name, parameters in PARAMETERS.items()
        ]

    def alerts(self, account_id: str) -> list[dict[str, Any]]:
        """Return the alerts of an account, oldest first."""
        entries = booked(self.bank, account_id)
        found = [
            self.alert(account_id, name, pattern)
            for name, rule in self._named().items()
            for pattern in rule(entries, **PARAMETERS[name])
        ]
        return sorted(found, key=lambda alert: str(alert["raised_at"]))

    def _named(self) -> dict[str, Callable[..., Iterator[Pattern]]]:
        return {
            "velocity-count": self.velocity_count,
            "structuring": self.structuring,
            "account-drain": self.account_drain,
            "test-then-large": self.test_then_large,
        }

    def alert(self, account_id: str, rule: str, pattern: Pattern) -> dict[str, Any]:
        """Return an alert as the contract shows it: raised with the last entry of its pattern."""
        last = max(pattern, key=lambda event: int(event.data["sequence"])).data
        mark = f"{rule} {account_id} {last['sequence']}"
        shown = ("sequence", "amount_minor", "transfer_id")
        return {
            "alert_id": f"alr_{hashlib.sha256(mark.encode()).hexdigest()[:32]}",
            "rule": rule,
            "rule_version": VERSION,
            "account_id": account_id,
            "state": "OPEN",
            "raised_at": last["booking_time"],
            "inputs": [
                {"account_id": account_id} | {name: event.data[name] for name in shown}
                for event in pattern
            ],
        }

    def day(self, event: Event) -> int:
        """Return the day on which an entry counts, as a number."""
        return date.fromisoformat(event.data["value_date"]).toordinal()

    def velocity_count(
        self, entries: Iterable[Event], count_min: int, window_seconds: int
    ) -> Iterator[Pattern]:
        """Find many debits in a short time."""
        debits = (event for event in entries if not credited(event))
        return _clusters(debits, _second, window_seconds, count_min)

    def structuring(
        self,
        entries: Iterable[Event],
        count_min: int,
        floor_minor: int,
        threshold_minor: int,
        window_days: int,
    ) -> Iterator[Pattern]:
        """Find credits that stay just below a threshold each, and pass it together."""
        band = range(floor_minor, threshold_minor)
        just_below = (e for e in entries if credited(e) and e.data["amount_minor"] in band)
        for pattern in _clusters(just_below, self.day, window_days - 1, count_min):
            if sum(event.data["amount_minor"] for event in pattern) >= threshold_minor:
                yield pattern

    def account_drain(
        self, entries: Iterable[Event], share_percent: int, balance_min_minor: int
    ) -> Iterator[Pattern]:
        """Find debits that leave next to nothing."""
        for event in entries:
            amount = event.data["amount_minor"]
            before = event.data["balance_after_minor"] + amount
            drained = 100 * amount >= share_percent * before
            if not credited(event) and before >= balance_min_minor and drained:
                yield [event]

    def test_then_large(
        self,
        entries: Iterable[Event],
        small_max_minor: int,
        large_min_minor: int,
        window_seconds: int,
    ) -> Iterator[Pattern]:
        """Find a tiny transfer that is followed by a large one to the same account."""
        tests: dict[str, Event] = {}
        for event in (event for event in entries if event.data["code"] == "TRANSFER_OUT"):
            payee, amount = event.data["counterparty"], event.data["amount_minor"]
            if amount <= small_max_minor:
                tests[payee] = event
            elif amount >= large_min_minor and payee in tests:
                test = tests.pop(payee)
                if _second(event) - _second(test) <= window_seconds:
                    yield [test, event]


def _second(event: Event) -> float:
    return booking_time(event).timestamp()


def _clusters(
    events: Iterable[Event], at: Callable[[Event], float], width: float, count_min: int
) -> Iterator[Pattern]:
    """Return groups of at least so many events that lie no further apart than `width`.

    Each is found with the event that completes it, and no event is in two.
    """
    waiting: Pattern = []
    for event in events:
        waiting.append(event)
        starts = sorted(at(one) for one in waiting if at(event) - width <= at(one) <= at(event))
        for start in starts:
            together = [one for one in waiting if start <= at(one) <= start + width]
            if len(together) >= count_min:
                yield together
                waiting = [one for one in waiting if one not in together]
                break
