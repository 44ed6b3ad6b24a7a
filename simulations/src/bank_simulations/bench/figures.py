"""What was measured: rounds with median and spread, ratios, and the cost of each transfer."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Usage:
    """What a run used: processor seconds by component, and bytes on disk by place."""

    cpu_seconds: Mapping[str, float] = field(default_factory=dict)
    disk_bytes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Measured:
    """One run: how many were done in how many seconds, and what that used."""

    count: int
    seconds: float
    usage: Usage = field(default_factory=Usage)

    @property
    def rate(self) -> float:
        """How many a second."""
        return self.count / self.seconds


@dataclass(slots=True)
class Figure:
    """One line of the result: `rounds` in `unit`, all of the same thing at the same settings.

    Attributes:
        group: which of the groups of measurements it belongs to.
        name: what it is of, unique in its group.
        what: one line on what is measured.
        unit: of the rounds, such as "/s" or "s".
        rounds: what was seen, in order.
        setting: which of several settings it was measured at.
        settings: what it was set up with.
        trials: what was seen while the best setting was sought.
    """

    group: str
    name: str
    what: str
    unit: str
    rounds: list[float]
    setting: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    trials: dict[str, float] = field(default_factory=dict)

    @property
    def median(self) -> float:
        """The middle of all rounds."""
        return median(self.rounds)

    @property
    def spread(self) -> float:
        """The distance from the lowest to the highest round, as a share of the median."""
        return (max(self.rounds) - min(self.rounds)) / self.median if self.median else 0.0

    def document(self) -> dict[str, Any]:
        """The figure as JSON."""
        return {
            "group": self.group,
            "name": self.name,
            "what": self.what,
            "unit": self.unit,
            "setting": self.setting,
            "settings": self.settings,
            "trials": self.trials,
            "rounds": self.rounds,
            "median": self.median,
            "spread": self.spread,
        }


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio of medians; `low` and `high` are the ratios of single rounds, at their furthest."""

    value: float
    low: float
    high: float


def ratio(ours: Figure, theirs: Figure) -> Ratio | None:
    """How often `theirs` goes into `ours`; None where it was nothing.

    Rounds that took turns are compared with each other, since what disturbed one also disturbed
    the other; where their numbers differ, each with each.
    """
    if not theirs.median or not all(theirs.rounds):
        return None
    if len(ours.rounds) == len(theirs.rounds):
        pairs = list(zip(ours.rounds, theirs.rounds, strict=True))
    else:
        pairs = [(a, b) for a in ours.rounds for b in theirs.rounds]
    singles = [a / b for a, b in pairs]
    return Ratio(ours.median / theirs.median, min(singles), max(singles))


def per_transfer(runs: list[Measured], kind: str) -> dict[str, list[float]]:
    """`cpu_seconds` or `disk_bytes` of each run, by component, divided by what it completed."""
    names = {name for run in runs for name in getattr(run.usage, kind)}
    return {
        name: [getattr(run.usage, kind).get(name, 0) / run.count for run in runs if run.count]
        for name in sorted(names)
    }
