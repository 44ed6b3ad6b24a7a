"""Comparing books: end-of-day balances by value date, ours against the published ones."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .journals import AccountBook

TOLERANCE_MINOR = 60


@dataclass(frozen=True, slots=True)
class Day:
    """An account on a day it moved: our balance at its end, and the nearest published one."""

    account_id: str
    day: date
    ours_minor: int
    published_minor: int

    @property
    def apart_minor(self) -> int:
        """How far the two are apart."""
        return abs(self.ours_minor - self.published_minor)

    @property
    def agrees(self) -> bool:
        """Whether they agree, given that the published figures are rounded."""
        return self.apart_minor <= TOLERANCE_MINOR


def compare(book: AccountBook, entries: Iterable[dict[str, Any]]) -> list[Day]:
    """Every day the account moved according to either side.

    The order of bookings within a day was not published, only the balance after each of them: the
    last of the day is one of these, so ours is held against the nearest.
    """
    published: dict[date, list[int]] = defaultdict(list)
    for transaction in book.transactions:
        published[transaction.value_date].append(transaction.balance_minor)
    ours = end_of_day(entries)
    days, balance, told = [], 0, [0]
    for day in sorted(published.keys() | ours.keys()):
        balance, told = ours.get(day, balance), published.get(day, told)
        nearest = min(told, key=lambda value: abs(value - balance))
        days.append(Day(book.account_id, day, balance, nearest))
    return days


def end_of_day(entries: Iterable[dict[str, Any]]) -> dict[date, int]:
    """The balance at the end of each value date, added up from entries of any order."""
    moved: dict[date, int] = defaultdict(int)
    for entry in entries:
        sign = 1 if entry["direction"] == "CRDT" else -1
        moved[date.fromisoformat(entry["value_date"])] += sign * entry["amount_minor"]
    balance, balances = 0, {}
    for day in sorted(moved):
        balance += moved[day]
        balances[day] = balance
    return balances
