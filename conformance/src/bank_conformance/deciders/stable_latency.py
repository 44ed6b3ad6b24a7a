"""Visibility within a bound, from looks that cannot see the moment itself.

A look that missed and began at s says: not yet at s. A look that hit and ended at e says: by e. So
the moment lies in (s, e]. Wholly within the bound it is met, wholly beyond it is violated, and
anything else is ambiguous and never counted as met. Something that was seen and is missed later has
vanished.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import NamedTuple

from .binomial import lower_bound, upper_bound


class Judgement(StrEnum):
    """What one latency says about the bound."""

    MET = "met"
    AMBIGUOUS = "ambiguous"
    VIOLATED = "violated"
    VANISHED = "vanished"


class Look(NamedTuple):
    """One look at a read model, in seconds of the history's clock."""

    invoked: float
    completed: float
    hit: bool
    operation: int = -1
    """Where it stands in the history, -1 where it shares a page with others."""


class Latency(NamedTuple):
    """Where the moment of becoming visible lies, in seconds from the intended start: (low,
    high].
    """

    low: float
    high: float
    stable: bool = True

    def judge(self, bound_seconds: float) -> Judgement:
        """Say what this latency says about the bound."""
        if not self.stable:
            return Judgement.VANISHED
        if self.high <= bound_seconds:
            return Judgement.MET
        return Judgement.VIOLATED if self.low > bound_seconds else Judgement.AMBIGUOUS


def latency(intended: float, looks: Sequence[Look]) -> Latency:
    """Return where the moment lies that `looks` saw, measured from the intended start."""
    hits = [look for look in looks if look.hit]
    first_end = min((look.completed for look in hits), default=inf)
    before = [look for look in looks if not look.hit and look.invoked < first_end]
    missed = max((look.invoked for look in before), default=intended)
    stable = not any(_after_a_hit(look, first_end) for look in looks)
    return Latency(max(0.0, missed - intended), first_end - intended, stable)


def decisive(looks: Sequence[Look]) -> list[Look]:
    """Return the looks that decide: the last miss, the first hit, and the first miss after it."""
    first = next((place for place, look in enumerate(looks) if look.hit), len(looks))
    later = [look for look in looks[first:] if not look.hit]
    return [*looks[max(0, first - 1) : first + 1], *later[:1]]


def _after_a_hit(look: Look, first_hit_ended: float) -> bool:
    return not look.hit and look.invoked >= first_hit_ended


def worst(sides: Sequence[Latency]) -> Latency:
    """Return when the last of several read models showed it."""
    low = max(side.low for side in sides)
    high = max(side.high for side in sides)
    return Latency(low, high, all(side.stable for side in sides))


@dataclass(frozen=True, slots=True)
class Share:
    """How many of `count` were within the bound, and what that supports."""

    count: int
    judged: dict[Judgement, int]

    @property
    def not_met(self) -> int:
        """How many cannot be counted as met."""
        return self.count - self.judged.get(Judgement.MET, 0)

    def violating_share_max(self, confidence: float) -> float:
        """Return the largest share of violations that this sample is still consistent with."""
        return upper_bound(self.not_met, self.count, confidence)

    def violating_share_min(self, confidence: float) -> float:
        """Return the smallest share of violations that this sample is still consistent with."""
        certain = self.judged.get(Judgement.VIOLATED, 0) + self.judged.get(Judgement.VANISHED, 0)
        return lower_bound(certain, self.count, confidence)


def share(latencies: Sequence[Latency], bound_seconds: float) -> Share:
    """Judge every latency against the bound."""
    judged = dict.fromkeys(Judgement, 0)
    for one in latencies:
        judged[one.judge(bound_seconds)] += 1
    return Share(len(latencies), judged)
