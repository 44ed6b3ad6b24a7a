"""Books that must not change: what was booked before is there afterwards, at its place, and the
sums hold.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from bank_conformance.bank.shapes import Account, Entry, FeedEvent, difference

from .folding import SAME
from .gapless import breaks, changes
from .prefix_sums import imbalances


class Wrong(NamedTuple):
    """Where books are not what they were, or do not add up."""

    place: str
    what: str


def entry_changes(before: Sequence[Entry], after: Sequence[Entry]) -> Iterator[Wrong]:
    """Return the entries that are no longer as they were; narratives do not count."""
    for change in changes(_plain(before), _plain(after)):
        if change.before is not None:
            how = difference(change.before, change.after)
            yield Wrong(f"entry {change.before.sequence}", how)


def _plain(entries: Iterable[Entry]) -> list[Entry]:
    return [msgspec.structs.replace(entry, narrative=None) for entry in entries]


def wrong_sums(entries: Sequence[Entry], account: Account) -> Iterator[Wrong]:
    """Return where the numbers of a history have gaps, and where its sums are wrong."""
    for gap in breaks(entry.sequence for entry in entries):
        yield Wrong(f"entry {gap.actual}", f"its number should be {gap.expected}")
    total = 0
    for entry in entries:
        total += entry.signed_minor
        if entry.balance_after_minor != total:
            text = f"its balance is {entry.balance_after_minor}, the sum of the entries is {total}"
            yield Wrong(f"entry {entry.sequence}", text)
    if account.booked_minor != total:
        yield Wrong("the account", f"{account.booked_minor} is booked, the entries make {total}")


def event_changes(before: Iterable[FeedEvent], after: Sequence[FeedEvent]) -> Iterator[Wrong]:
    """Return the events that are no longer as they were, and those after which the postings do not
    add up.
    """
    later = {(event.partition, event.position): event for event in after}
    for event in before:
        known, now = _money(event), later.get((event.partition, event.position))
        if now is None or _money(now) != known:
            how = difference(known, now and _money(now))
            yield Wrong(f"position {event.position} of partition {event.partition}", how)
    positions = defaultdict[int, list[int]](list)
    for event in after:
        positions[event.partition].append(event.position)
    for partition, numbers in positions.items():
        for gap in breaks(numbers, numbers[0]):
            text = f"position {gap.expected} should come, and {gap.actual} does"
            yield Wrong(f"partition {partition}", text)
    for one in imbalances(after):
        place = f"position {one.position} of partition {one.partition}"
        yield Wrong(place, f"the postings up to there make {one.total_minor} {one.currency}")


def _money(event: FeedEvent) -> FeedEvent:
    """Return an event without what may be sealed."""
    data = {name: event.data[name] for name in SAME if name in event.data}
    return msgspec.structs.replace(event, data=data)
