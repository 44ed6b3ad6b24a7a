"""The life of a transfer: only the states of BANKING, in an order they allow, and one end.

Observations are compared in real time: what was answered before another was sent saw an earlier, or
the same, state. Overlapping observations may have seen them in either order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bank_conformance.bank.shapes import TERMINAL

_ENDS_EARLY = {"REJECTED", "CANCELLED", "EXPIRED"}
_NEXT = {
    "ACCEPTED": {"UNDER_REVIEW", "RESERVED", "SETTLING", "COMPENSATING", "FAILED"} | _ENDS_EARLY,
    "UNDER_REVIEW": {"RESERVED", "COMPENSATING", "FAILED"} | _ENDS_EARLY,
    "RESERVED": {"SETTLING", "COMPLETED", "COMPENSATING", "FAILED", "CANCELLED", "EXPIRED"},
    "SETTLING": {"COMPLETED", "COMPENSATING", "FAILED"},
    "COMPENSATING": {"FAILED", "CANCELLED", "EXPIRED"},
}


def _reachable(state: str) -> frozenset[str]:
    found, open_ = {state}, [state]
    while open_:
        following = _NEXT.get(open_.pop(), set()) - found
        found |= following
        open_ += following
    return frozenset(found)


REACHABLE = {state: _reachable(state) for state in {*_NEXT, *TERMINAL}}
"""The states in which a transfer may be found after it was found in one."""


class Sighting(NamedTuple):
    """A transfer's state and version as one answer gave them."""

    invoked: float
    completed: float
    state: str
    version: int
    operation: int


class Illegal(NamedTuple):
    """Two sightings that no single life of a transfer explains."""

    earlier: Sighting
    later: Sighting


def illegal_moves(sightings: Sequence[Sighting]) -> list[Illegal]:
    """Return the first sighting that contradicts each later one; also two different ends."""
    ends = [sighting for sighting in sightings if sighting.state in TERMINAL]
    other = [end for end in ends if end.state != ends[0].state]
    if other:
        return [Illegal(ends[0], other[0])]
    found = []
    for later in sightings:
        before = (one for one in sightings if one.completed < later.invoked)
        found += [Illegal(one, later) for one in before if not _explains(one, later)][:1]
    return found


def _explains(one: Sighting, later: Sighting) -> bool:
    return later.state in REACHABLE.get(one.state, ()) and later.version >= one.version
