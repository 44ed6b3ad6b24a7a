"""A live tail against the final log: a consumer that goes on from its position misses nothing.

Within a partition every delivery must be beyond all earlier ones, and the final log up to the last
position that was delivered must be exactly what was delivered.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bank_conformance.bank.shapes import FeedEvent


class Late(NamedTuple):
    """An event that a live consumer was given too late, never, or otherwise than it is now."""

    event: FeedEvent
    how: str
    delivery: int | None
    """Which delivery shows it; None where there was none."""


def late(delivered: Sequence[FeedEvent], final: Sequence[FeedEvent]) -> list[Late]:
    """Return what the log holds at or below a position that was delivered without it."""
    found: list[Late] = []
    reached: dict[int, int] = {}
    told: dict[tuple[int, int], FeedEvent] = {}
    for number, event in enumerate(delivered):
        if event.position <= reached.get(event.partition, 0):
            found.append(Late(event, "was delivered behind a later one", number))
        reached[event.partition] = max(event.position, reached.get(event.partition, 0))
        told[event.partition, event.position] = event
    ends: dict[int, int] = {}
    for event in final:
        ends[event.partition] = event.position
        known = told.get((event.partition, event.position))
        if event.position > reached.get(event.partition, 0):
            continue
        if known is None:
            found.append(Late(event, "appeared behind a position already delivered", None))
        elif known != event:
            found.append(Late(event, "is another one than was delivered", None))
    logged = {(event.partition, event.position) for event in final}
    for place, event in told.items():
        if place not in logged and event.position <= ends.get(event.partition, 0):
            found.append(Late(event, "was delivered and is gone", None))
    return found
