"""Conservation and limits: what must be true of the sums of every prefix of a log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from bank_conformance.bank.shapes import FeedEvent


class Imbalance(NamedTuple):
    """An event after which the sum of all postings of its partition moved away from zero."""

    partition: int
    position: int
    currency: str
    total_minor: int
    event: FeedEvent


def imbalances(events: Iterable[FeedEvent]) -> list[Imbalance]:
    """Return every event that changes the running sum of its partition, in the order of the
    feed.
    """
    totals: Counter[tuple[int, str]] = Counter()
    found = []
    for event in events:
        moved: Counter[str] = Counter()
        for posting in event.postings:
            moved[posting.currency] += posting.amount_minor
        for currency, amount in moved.items():
            totals[event.partition, currency] += amount
            if amount:
                total = totals[event.partition, currency]
                found.append(Imbalance(event.partition, event.position, currency, total, event))
    return found


class Low(NamedTuple):
    """A prefix after which a running sum is below its floor."""

    place: int
    total_minor: int
    floor_minor: int


def lows(amounts: Iterable[int], floors: Iterable[int]) -> list[Low]:
    """Return where the running sum of `amounts` falls below the floor of the same place.

    One fall is one low, however long the sum stays there.
    """
    found, total, below = [], 0, False
    for place, (amount, floor) in enumerate(zip(amounts, floors, strict=True)):
        total += amount
        if total < floor and not below:
            found.append(Low(place, total, floor))
        below = total < floor
    return found


def balances(events: Iterable[FeedEvent]) -> Counter[tuple[str, str]]:
    """Return the sum of the postings of each account and currency."""
    totals: Counter[tuple[str, str]] = Counter()
    for event in events:
        for posting in event.postings:
            totals[posting.account, posting.currency] += posting.amount_minor
    return totals
