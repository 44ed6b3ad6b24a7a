"""A run over its time, in at most 120 slots: what was due, how long it took, what was finished."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from .measurement import MODELS, Fate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .measurement import Point

SLOTS = 120
SLOT_SECONDS_MIN = 0.25
BAD = frozenset(Fate) - {Fate.IN_TIME}
VISIBLE = frozenset({Fate.IN_TIME, Fate.LATE, Fate.AMBIGUOUS})


def timeline(points: Sequence[Point]) -> list[dict[str, Any]]:
    """For each slot, the transfers due in it: how many, how long they took, how late they began."""
    width = _width(points)
    slots: dict[int, list[Point]] = {}
    for point in points:
        slots.setdefault(int(point.due_seconds / width), []).append(point)
    return [_slot(number * width, slots[number]) for number in sorted(slots)]


def throughput(points: Sequence[Point]) -> list[dict[str, Any]]:
    """For each slot, also after the last arrival: transfers due and finished, per second."""
    if not points:
        return []
    width, ended = _width(points), [point for point in points if point.fate in VISIBLE]
    due = Counter(int(point.due_seconds / width) for point in points)
    finished = Counter(int((point.due_seconds + point.ended_seconds) / width) for point in ended)
    return [
        {
            "at": round(number * width, 3),
            "due": due[number] / width,
            "finished": finished[number] / width,
        }
        for number in range(max(due | finished) + 1)
    ]


def _width(points: Sequence[Point]) -> float:
    return max(SLOT_SECONDS_MIN, max((each.due_seconds for each in points), default=0.0) / SLOTS)


def _slot(at_seconds: float, points: Sequence[Point]) -> dict[str, Any]:
    ended = sorted(point.ended_seconds for point in points)
    return {
        "at": round(at_seconds, 3),
        "count": len(points),
        "p50": _rank(ended, 0.5),
        "p99": _rank(ended, 0.99),
        "worst": ended[-1],
        "lag_worst": max(point.lag_seconds for point in points),
        "against": sum(point.fate in BAD for point in points),
        "behind": {name: _behind(points, name) for name in MODELS},
    }


def _behind(points: Sequence[Point], model: str) -> dict[str, float] | None:
    """How far a read model was behind the answers; None where it showed nothing."""
    found = sorted(point.behind[model] for point in points if model in point.behind)
    return {"p50": _rank(found, 0.5), "worst": found[-1]} if found else None


def _rank(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
