"""Interval censoring: an observer who looks now and then knows a moment only between two looks.

A thing seen missing by a look that began at `lower` and seen there by a look that ended at `upper`
appeared in (lower, upper]. A verdict that pretends to know more favours one side.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Timing(StrEnum):
    """Where an interval lies against a bound."""

    IN_TIME = "in time"
    AMBIGUOUS = "ambiguous"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Interval:
    """Somewhere in (lower_seconds, upper_seconds], counted from the intended start."""

    lower_seconds: float
    upper_seconds: float

    def against(self, bound_seconds: float) -> Timing:
        """Surely within the bound, surely beyond it, or undecided."""
        if self.upper_seconds <= bound_seconds:
            return Timing.IN_TIME
        return Timing.LATE if self.lower_seconds > bound_seconds else Timing.AMBIGUOUS


def when_all(intervals: Iterable[Interval]) -> Interval:
    """When the last of several things happened."""
    return reduce(_later, intervals)


def _later(one: Interval, other: Interval) -> Interval:
    return Interval(
        max(one.lower_seconds, other.lower_seconds), max(one.upper_seconds, other.upper_seconds)
    )
