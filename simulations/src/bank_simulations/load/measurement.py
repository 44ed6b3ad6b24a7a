"""What a run observed, gathered so that processes can be added up without losing anything."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Self

from bank_conformance.deciders.stable_latency import Judgement, Latency
from hdrh.histogram import HdrHistogram  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from .plan import Planned

HISTOGRAM_MICROSECONDS = (1, 3_600_000_000)
SIGNIFICANT_FIGURES = 3
MICROSECONDS = 1_000_000
MODELS = ("source", "target")


class Fate(StrEnum):
    """What became of a transfer, as far as the run can know."""

    IN_TIME = "in time"
    AMBIGUOUS = "ambiguous"
    LATE = "late"
    UNRESOLVED = "unresolved"
    DISAGREED = "not as the model allows"
    VANISHED = "vanished again"
    DROPPED = "dropped"


FATES = {
    Judgement.MET: Fate.IN_TIME,
    Judgement.AMBIGUOUS: Fate.AMBIGUOUS,
    Judgement.VIOLATED: Fate.LATE,
    Judgement.VANISHED: Fate.VANISHED,
}
"""The conformance suite's judgement of a latency, as what became of a transfer."""


@dataclass(slots=True)
class Observation:
    """One transfer as it was seen from outside; times are seconds from its intended start.

    Attributes:
        planned: what was due.
        started_seconds: when it was really started: the schedule lag.
        answered_seconds: when the bank answered the request, retries included.
        refusal: the problem's code, where it was refused or failed.
        seen: when it showed, by read model.
        ended: when it was terminal and visible everywhere, or visibly refused.
        agreed: whether the model of the books allows this outcome.
        vanished: whether a later look missed it again.
        attempts: how often the request was sent.
        looks: how often a read model was asked.
        transfer_id: what the bank calls it, once it has said so.
        asked_at: just before it was first sent, on the machine's monotonic clock.
        decided_at: just after it was known to be completed or refused, on the same clock.
    """

    planned: Planned
    started_seconds: float
    answered_seconds: float | None = None
    refusal: str | None = None
    seen: dict[str, Latency] = field(default_factory=dict)
    ended: Latency | None = None
    agreed: bool = True
    vanished: bool = False
    attempts: int = 0
    looks: int = 0
    transfer_id: str | None = None
    asked_at: float = 0.0
    decided_at: float | None = None

    def fate(self, bound_seconds: float) -> Fate:
        """Judge it; what is wrong outranks what is late."""
        if not self.agreed:
            return Fate.DISAGREED
        if self.vanished:
            return Fate.VANISHED
        if self.ended is None:
            return Fate.UNRESOLVED
        return FATES[self.ended.judge(bound_seconds)]


class Histogram:
    """An HdrHistogram of durations: microseconds to an hour, three significant figures."""

    def __init__(self) -> None:
        self._hdr = HdrHistogram(*HISTOGRAM_MICROSECONDS, SIGNIFICANT_FIGURES)

    @classmethod
    def decode(cls, encoded: str) -> Self:
        """What `encode` wrote, here or in any other HdrHistogram library."""
        histogram = cls()
        histogram._hdr.decode_and_add(encoded.encode())
        return histogram

    def encode(self) -> str:
        """The standard compressed form (HdrHistogram V2, base64)."""
        return str(self._hdr.encode().decode())

    def record(self, seconds: float) -> None:
        """Count one duration; what is out of range counts as the end of the range."""
        low, high = HISTOGRAM_MICROSECONDS
        self._hdr.record_value(min(max(round(seconds * MICROSECONDS), low), high))

    def add(self, other: Histogram) -> None:
        """Take in what another process recorded."""
        self._hdr.add(other._hdr)

    @property
    def count(self) -> int:
        """How many durations were recorded."""
        return int(self._hdr.get_total_count())

    def percentile_seconds(self, percent: float) -> float:
        """The duration that `percent` per cent of all did not exceed; 0 when empty."""
        if not self.count:
            return 0.0
        return float(self._hdr.get_value_at_percentile(percent)) / MICROSECONDS

    @property
    def worst_seconds(self) -> float:
        """The longest recorded duration; 0 when empty."""
        return float(self._hdr.get_max_value()) / MICROSECONDS if self.count else 0.0


@dataclass(slots=True)
class Tally:
    """The transfers of one step and one group of accounts."""

    fates: Counter[Fate] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    ended: Histogram = field(default_factory=Histogram)
    answered: Histogram = field(default_factory=Histogram)
    models: dict[str, Histogram] = field(
        default_factory=lambda: {name: Histogram() for name in MODELS}
    )
    attempts: int = 0
    looks: int = 0

    def take(self, seen: Observation, bound_seconds: float, now_seconds: float) -> None:
        """Count one transfer; `now_seconds` is how long an unresolved one was waited for."""
        self.fates[seen.fate(bound_seconds)] += 1
        self.attempts += seen.attempts
        self.looks += seen.looks
        if seen.refusal:
            self.refusals[seen.refusal] += 1
        self.ended.record(seen.ended.high if seen.ended else now_seconds)
        if seen.answered_seconds is not None:
            self.answered.record(seen.answered_seconds)
        for name, interval in seen.seen.items():
            self.models[name].record(interval.high)

    def add(self, other: Tally) -> None:
        """Take in what another process counted."""
        self.fates.update(other.fates)
        self.refusals.update(other.refusals)
        self.ended.add(other.ended)
        self.answered.add(other.answered)
        for name, histogram in other.models.items():
            self.models[name].add(histogram)
        self.attempts += other.attempts
        self.looks += other.looks


@dataclass(frozen=True, slots=True)
class Point:
    """One transfer on the time line: when it was due, how late it started, when it ended.

    `behind` is how long after the bank's answer each read model showed it, in seconds.
    """

    step: str
    due_seconds: float
    lag_seconds: float
    ended_seconds: float
    fate: Fate
    behind: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class Measurement:
    """All transfers of a run, or of one process's share of it."""

    bound_seconds: float
    tallies: dict[tuple[str, str], Tally] = field(default_factory=dict)
    points: list[Point] = field(default_factory=list)
    lag: Histogram = field(default_factory=Histogram)

    def take(self, seen: Observation, waited_seconds: float) -> None:
        """Count one transfer that was started."""
        self._tally(seen.planned).take(seen, self.bound_seconds, waited_seconds)
        self.lag.record(seen.started_seconds)
        ended = seen.ended.high if seen.ended else waited_seconds
        fate = seen.fate(self.bound_seconds)
        planned, answered = seen.planned, seen.answered_seconds or 0.0
        behind = {name: max(0.0, at.high - answered) for name, at in seen.seen.items()}
        self.points.append(
            Point(planned.step, planned.due_seconds, seen.started_seconds, ended, fate, behind)
        )

    def drop(self, planned: Planned) -> None:
        """Count one transfer that the generator had no room to start."""
        self._tally(planned).fates[Fate.DROPPED] += 1

    def add(self, other: Measurement) -> None:
        """Take in another process's share."""
        for name, tally in other.tallies.items():
            self.tallies.setdefault(name, Tally()).add(tally)
        self.points.extend(other.points)
        self.lag.add(other.lag)

    def total(self) -> Tally:
        """All steps and groups as one."""
        whole = Tally()
        for tally in self.tallies.values():
            whole.add(tally)
        return whole

    def _tally(self, planned: Planned) -> Tally:
        return self.tallies.setdefault((planned.step, planned.group), Tally())
