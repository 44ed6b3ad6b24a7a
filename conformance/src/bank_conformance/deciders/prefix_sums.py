"""Conservation: the postings of a log add up to zero at every position, per currency."""

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


def balances(events: Iterable[FeedEvent]) -> Counter[tuple[str, str]]:
    """Return the sum of the postings of each account and currency."""
    totals: Counter[tuple[str, str]] = Counter()
    for event in events:
        for posting in event.postings:
            totals[posting.account, posting.currency] += posting.amount_minor
    return totals
