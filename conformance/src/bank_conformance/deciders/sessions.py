"""The session pass: what one client did, one after the other, must never go back.

Real time decides it as it does for everyone, but only within the calls of one session on one
subject: a level that was reached there may not be below in a later call, and a call that made a
level of its own must be above.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TypeVar

from bank_conformance.model import Observation

from .realtime import Inversion, inversions

Line = TypeVar("Line", bound=Hashable)


def setbacks(told: Iterable[tuple[Line, Observation]]) -> list[tuple[Line, Inversion]]:
    """Return what went back within a line: a session and a subject, as the caller names them."""
    lines: dict[Line, list[Observation]] = {}
    for line, item in told:
        lines.setdefault(line, []).append(item)
    return [(line, found) for line, items in lines.items() for found in inversions(items)]


def successions(told: Iterable[tuple[Line, Observation]]) -> int:
    """Count the calls that followed another one of their line, sent after it was answered."""
    first_ends: dict[Line, float] = {}
    items = sorted(told, key=lambda pair: pair[1].completed)
    for line, item in items:
        first_ends.setdefault(line, item.completed)
    return sum(item.invoked > first_ends[line] for line, item in items)
