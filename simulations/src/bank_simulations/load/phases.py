"""Before, during and after: which transfers something done to the bank can have touched.

A transfer belongs to the *fault* when any moment from its being due to its end lies between the
begin and the end of an event; to the *baseline* when it ended before the first event began; to the
*recovery* otherwise.

The *recovery time* of an event runs from its end to the first of three half-second slots in a row,
by the moment transfers were due, in each of which at most one transfer in ten took longer than the
baseline's 99th percentile. By chance alone one in a hundred does, so one in ten is no chance.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .events import Mark
    from .measurement import Point

BASELINE, FAULT, RECOVERY = "baseline", "fault", "recovery"
PHASES = (BASELINE, FAULT, RECOVERY)
SLOT_SECONDS = 0.5
SLOTS_IN_A_ROW = 3
SLOW_SHARE_MAX = 0.1


def phase_of(due_seconds: float, ended_seconds: float, marks: Sequence[Mark]) -> str:
    """The phase of a transfer; both times are on the run's clock."""
    if any(
        due_seconds <= mark.until_seconds and ended_seconds >= mark.at_seconds for mark in marks
    ):
        return FAULT
    first = min((mark.at_seconds for mark in marks), default=float("inf"))
    return BASELINE if ended_seconds < first else RECOVERY


@dataclass(frozen=True, slots=True)
class Recovery:
    """How long after the end of an event transfers were as fast again as before the first one.

    `seconds` is None where they were not before the next event, or the end of the run.
    """

    label: str
    ended_at_seconds: float
    seconds: float | None


def recoveries(
    marks: Sequence[Mark], points: Sequence[Point], baseline_p99_seconds: float
) -> list[Recovery]:
    """The recovery of every event; `baseline_p99_seconds` is 0 where there was no baseline."""
    slots = _slots(points, baseline_p99_seconds)
    nexts = [mark.at_seconds for mark in marks[1:]] + [float("inf")]
    return [
        Recovery(mark.label, mark.until_seconds, _recovered(mark.until_seconds, horizon, slots))
        for mark, horizon in zip(marks, nexts, strict=True)
    ]


def _slots(points: Sequence[Point], limit_seconds: float) -> Mapping[int, bool]:
    """Whether the transfers due in each half second are back below the limit."""
    slots: dict[int, list[bool]] = defaultdict(list)
    for point in points:
        slow = point.ended_seconds > limit_seconds
        slots[int(point.due_seconds / SLOT_SECONDS)].append(slow)
    return {
        number: sum(slow) <= SLOW_SHARE_MAX * len(slow) for number, slow in sorted(slots.items())
    }


def _recovered(ended: float, horizon: float, slots: Mapping[int, bool]) -> float | None:
    """Seconds from `ended` to the first slot of enough good ones in a row before `horizon`."""
    row: list[int] = []
    for number, back in slots.items():
        if number * SLOT_SECONDS >= horizon:
            return None
        if (number + 1) * SLOT_SECONDS > ended:
            row = [*row, number] if back else []
        if len(row) == SLOTS_IN_A_ROW:
            return max(0.0, row[0] * SLOT_SECONDS - ended)
    return None
