"""What a run leaves: one JSON document, from which the report is drawn and runs are compared."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .measurement import Fate, Histogram, Measurement, Tally
from .timeline import throughput, timeline
from .verdict import Generator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .capacity import Capacity
    from .events import Mark
    from .phases import Recovery
    from .reads import ReadTally
    from .scenario import Scenario
    from .verdict import Verdict

PERCENTILES = {"p50": 50.0, "p90": 90.0, "p99": 99.0, "p99_9": 99.9}


@dataclass(frozen=True, slots=True)
class StepResult:
    """One step: when it was, its rate in transfers per second, and what it decides by itself."""

    name: str
    at_seconds: float
    seconds: float
    rate: float
    verdict: Verdict

    def document(self) -> dict[str, Any]:
        """The step as JSON."""
        return {
            "name": self.name,
            "at": self.at_seconds,
            "seconds": self.seconds,
            "rate": self.rate,
            "verdict": verdict_document(self.verdict),
        }


@dataclass(frozen=True, slots=True)
class Run:
    """Everything a finished run knows about itself.

    Attributes:
        measured: all transfers.
        generators: how each process of the generator fared in what the claim is about.
        verdict: on what the claim is about.
        steps: each step by itself.
        phases: the transfers before, during and after events; empty where there were none.
        reads: by kind; `reads_missing` are those the bank does not offer.
    """

    name: str
    scenario: Scenario
    url: str
    run: str
    started_at: datetime
    measured: Measurement
    generators: Sequence[Generator]
    verdict: Verdict
    capacity: Capacity | None = None
    marks: Sequence[Mark] = ()
    steps: Sequence[StepResult] = ()
    phases: Mapping[str, Tally] = field(default_factory=dict)
    recoveries: Sequence[Recovery] = ()
    reads: Mapping[str, ReadTally] = field(default_factory=dict)
    reads_missing: Sequence[str] = ()

    @property
    def generator(self) -> Generator:
        """All processes of the generator as one: the worst of each, the sum of what was due."""
        return Generator(
            lag_p99_seconds=max(each.lag_p99_seconds for each in self.generators),
            cpu_max=max(each.cpu_max for each in self.generators),
            dropped_count=sum(each.dropped_count for each in self.generators),
            planned_count=sum(each.planned_count for each in self.generators),
        )

    def document(self) -> dict[str, Any]:
        """The run as JSON: figures in seconds, histograms in their standard encoding."""
        return {
            **self._about(),
            "verdict": verdict_document(self.verdict),
            "generator": asdict(self.generator),
            "generators": [asdict(each) for each in self.generators],
            "capacity": asdict(self.capacity) if self.capacity else None,
            "marks": [asdict(mark) for mark in self.marks],
            "recoveries": [asdict(each) for each in self.recoveries],
            "steps": [step.document() for step in self.steps],
            "total": tally_document(self.measured.total()),
            "parts": [
                {"step": step, "group": group, **tally_document(tally)}
                for (step, group), tally in self.measured.tallies.items()
            ],
            "phases": [
                {"phase": phase, **tally_document(tally)} for phase, tally in self.phases.items()
            ],
            "reads": [
                read_document(tally, self.scenario.claim.confidence)
                for tally in self.reads.values()
            ],
            "reads_missing": list(self.reads_missing),
            "lag": histogram_document(self.measured.lag),
            "timeline": timeline(self.measured.points),
            "throughput": throughput(self.measured.points),
        }

    def _about(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "title": self.scenario.title,
            "url": self.url,
            "run": self.run,
            "started_at": self.started_at.astimezone(UTC).isoformat(timespec="seconds"),
            "machine": machine(),
            "scenario": self.scenario.model_dump(mode="json"),
        }


def verdict_document(verdict: Verdict) -> dict[str, Any]:
    """A verdict as JSON."""
    return {**asdict(verdict), "decision": verdict.decision.value}


def read_document(tally: ReadTally, confidence: float) -> dict[str, Any]:
    """The reads of one kind as JSON."""
    weighed = tally.weigh(confidence)
    return {
        "kind": tally.read.kind,
        "bound_seconds": tally.read.bound_seconds,
        "share": tally.read.share,
        "decision": weighed.decision.value,
        "share_supported": weighed.share_supported,
        "count": tally.count,
        "late": tally.late,
        "failed": tally.failed,
        "dropped": tally.dropped,
        "refusals": tally.refusals,
        "took": histogram_document(tally.took),
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
