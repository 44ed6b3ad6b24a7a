"""The report of a day as a fold: the totals of each transaction code, and the trial balance."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC
from typing import NamedTuple

from bank_conformance.bank.past import CurrencyReport, DailyReport
from bank_conformance.bank.shapes import Entry, instant


class Total(NamedTuple):
    """What was booked under one transaction code, in minor units."""

    entries: int = 0
    credit: int = 0
    debit: int = 0

    def plus(self, other: Total) -> Total:
        """Return both together."""
        return Total(*(ours + theirs for ours, theirs in zip(self, other, strict=True)))

    def minus(self, other: Total) -> Total:
        """Return how much more this is than another."""
        return Total(*(ours - theirs for ours, theirs in zip(self, other, strict=True)))


def day_of(entry: Entry, basis: str) -> str:
    """Return the day to which an entry belongs."""
    if basis == "VALUE":
        return entry.value_date
    return instant(entry.booking_time).astimezone(UTC).date().isoformat()


def totals(entries: Iterable[Entry], day: str, basis: str) -> dict[str, Total]:
    """Return the totals of a day, by transaction code."""
    found: dict[str, Total] = {}
    for entry in entries:
        if day_of(entry, basis) == day:
            before = found.get(entry.code, Total())
            credited = entry.amount_minor if entry.direction == "CRDT" else 0
            added = Total(1, credited, entry.amount_minor - credited)
            found[entry.code] = before.plus(added)
    return found


def reported(report: DailyReport, currency: str) -> dict[str, Total]:
    """Return the totals that a report shows in a currency."""
    return {
        one.code: Total(one.count, one.credit_minor, one.debit_minor)
        for ours in report.currencies
        if ours.currency == currency
        for one in ours.totals
    }


def grown(before: dict[str, Total], after: dict[str, Total]) -> dict[str, Total]:
    """Return what was added between two reports, by transaction code; codes without are left
    out.
    """
    more = {code: total.minus(before.get(code, Total())) for code, total in after.items()}
    more |= {code: Total().minus(before[code]) for code in before.keys() - after.keys()}
    return {code: total for code, total in more.items() if total != Total()}


def imbalance(report: CurrencyReport) -> int:
    """Return what the lines of a trial balance add up to."""
    return sum(line.amount_minor for line in report.trial_balance)


def customers(report: DailyReport, currency: str) -> int:
    """Return the line of all customers in the trial balance of a currency."""
    return sum(
        line.amount_minor
        for ours in report.currencies
        if ours.currency == currency
        for line in ours.trial_balance
        if line.account == "customers"
    )
