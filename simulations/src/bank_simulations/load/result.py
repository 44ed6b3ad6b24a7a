"""What a run leaves: one JSON document, from which the report is drawn and runs are compared."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .measurement import Fate, Histogram, Measurement, Point, Tally

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .capacity import Capacity
    from .events import Mark
    from .scenario import Scenario
    from .verdict import Generator, Verdict

SLOTS = 120
SLOT_SECONDS_MIN = 0.25
PERCENTILES = {"p50": 50.0, "p90": 90.0, "p99": 99.0, "p99_9": 99.9}
BAD = frozenset(Fate) - {Fate.IN_TIME}


@dataclass(frozen=True, slots=True)
class Run:
    """Everything a finished run knows about itself."""

    name: str
    scenario: Scenario
    url: str
    run: str
    started_at: datetime
    measured: Measurement
    generator: Generator
    verdict: Verdict
    capacity: Capacity | None
    marks: Sequence[Mark]

    def document(self) -> dict[str, Any]:
        """The run as JSON: figures in seconds, histograms in their standard encoding."""
        return {
            "name": self.name,
            "title": self.scenario.title,
            "url": self.url,
            "run": self.run,
            "started_at": self.started_at.astimezone(UTC).isoformat(timespec="seconds"),
            "machine": machine(),
            "scenario": self.scenario.model_dump(mode="json"),
            "verdict": {**asdict(self.verdict), "decision": self.verdict.decision.value},
            "generator": asdict(self.generator),
            "capacity": asdict(self.capacity) if self.capacity else None,
            "marks": [asdict(mark) for mark in self.marks],
            "steps": steps(self.measured.points),
            "total": tally_document(self.measured.total()),
            "parts": [
                {"step": step, "group": group, **tally_document(tally)}
                for (step, group), tally in self.measured.tallies.items()
            ],
            "lag": histogram_document(self.measured.lag),
            "timeline": timeline(self.measured.points),
        }


def tally_document(tally: Tally) -> dict[str, Any]:
    """Counts and histograms of one part of the run."""
    return {
        "fates": {fate.value: tally.fates[fate] for fate in Fate if tally.fates[fate]},
        "refusals": dict(tally.refusals),
        "requests": tally.attempts,
        "looks": tally.looks,
        "visible": histogram_document(tally.ended),
        "answered": histogram_document(tally.answered),
        "models": {name: histogram_document(each) for name, each in tally.models.items()},
    }


def histogram_document(histogram: Histogram) -> dict[str, Any]:
    """Percentiles for people, the whole histogram for charts and for merging."""
    return {
        "count": histogram.count,
        **{name: histogram.percentile_seconds(at) for name, at in PERCENTILES.items()},
        "worst": histogram.worst_seconds,
        "hdr": histogram.encode(),
    }


def steps(points: Sequence[Point]) -> list[dict[str, Any]]:
    """When each step began."""
    began: dict[str, float] = {}
    for point in points:
        began[point.step] = min(point.due_seconds, began.get(point.step, point.due_seconds))
    return [
        {"name": name, "at": at} for name, at in sorted(began.items(), key=lambda pair: pair[1])
    ]


def timeline(points: Sequence[Point]) -> list[dict[str, Any]]:
    """The run in at most 120 slots: how many were due, how long they took, how late they began."""
    if not points:
        return []
    length = max(point.due_seconds for point in points)
    width = max(SLOT_SECONDS_MIN, length / SLOTS)
    slots: dict[int, list[Point]] = {}
    for point in points:
        slots.setdefault(int(point.due_seconds / width), []).append(point)
    return [_slot(number * width, slots[number]) for number in sorted(slots)]


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
    }


def _rank(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def machine() -> dict[str, Any]:
    """What the run ran on; figures mean nothing without it."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:  # noqa: PTH123 - not a real file
            names = [line.split(":", 1)[1].strip() for line in lines if "model name" in line]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()


def now() -> datetime:
    """The time of day, for the document only."""
    return datetime.now(UTC)
