"""The verdict: exact binomial limits on the share of transfers that broke the bound.

Clopper and Pearson (1934), one-sided. Zero of 3,000 supports a share of 99.9 % within the bound at
95 % confidence, zero of 30,000 supports 99.99 %; fewer transfers decide less.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from scipy.special import bdtri  # type: ignore[import-untyped]

from .measurement import Fate

if TYPE_CHECKING:
    from .measurement import Measurement, Tally
    from .scenario import Claim, Limits

WRONG = (Fate.DISAGREED, Fate.VANISHED)
BROKE_THE_BOUND = (Fate.LATE, Fate.UNRESOLVED, *WRONG)
UNDECIDED = (Fate.AMBIGUOUS, Fate.DROPPED)


class Decision(StrEnum):
    """What a run decides about its claim."""

    MET = "met"
    VIOLATED = "violated"
    INCONCLUSIVE = "inconclusive"
    INVALID = "invalid"

    @property
    def exit_code(self) -> int:
        """0 met, 1 violated, 3 inconclusive, 4 invalid run."""
        return {"met": 0, "violated": 1, "inconclusive": 3, "invalid": 4}[self.value]


@dataclass(frozen=True, slots=True)
class Generator:
    """How the load generator itself fared."""

    lag_p99_seconds: float
    cpu_max: float
    dropped_count: int
    planned_count: int

    def breaches(self, limits: Limits) -> list[str]:
        """Why the run measured the generator instead of the bank; empty when it did not."""
        dropped = self.dropped_count / max(1, self.planned_count)
        found = []
        if dropped > limits.dropped_share_max:
            found.append(f"{self.dropped_count:,} of {self.planned_count:,} arrivals were dropped")
        if self.lag_p99_seconds > limits.lag_p99_seconds_max:
            lag, most = self.lag_p99_seconds * 1e3, limits.lag_p99_seconds_max * 1e3
            found.append(f"p99 of the schedule lag is {lag:.1f} ms, allowed are {most:.0f} ms")
        if self.cpu_max > limits.generator_cpu_max:
            found.append(f"the generator used {self.cpu_max:.0%} of a core")
        return found


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided, and on what grounds.

    Attributes:
        decision: the decision.
        transfers: how many transfers were planned.
        broke: how many surely broke the bound or the books.
        undecided: how many count against the bank because nobody can tell.
        share_supported: the share within the bound that the run supports at `confidence`.
        share_refuted: a share within the bound that the run rules out at `confidence`.
        confidence: of both shares, each one-sided.
        reasons: what was found, in words; empty when all is well.
    """

    decision: Decision
    transfers: int
    broke: int
    undecided: int
    share_supported: float
    share_refuted: float
    confidence: float
    reasons: tuple[str, ...]


def decide(
    measured: Measurement, claim: Claim, limits: Limits, generator: Generator, findings: list[str]
) -> Verdict:
    """Weigh what was measured; `findings` are faults of the books, which no lag excuses."""
    tally = measured.total()
    transfers = tally.fates.total()
    broke, undecided = _count(tally, BROKE_THE_BOUND), _count(tally, UNDECIDED)
    most = upper_limit(broke + undecided, transfers, claim.confidence)
    least = lower_limit(broke, transfers, claim.confidence)
    breaches = generator.breaches(limits)
    if findings or _count(tally, WRONG):
        decision = Decision.VIOLATED
    elif breaches:
        decision = Decision.INVALID
    else:
        decision = _weigh(claim, broke, most, least)
    return Verdict(
        decision=decision,
        transfers=transfers,
        broke=broke,
        undecided=undecided,
        share_supported=1.0 - most,
        share_refuted=1.0 - least,
        confidence=claim.confidence,
        reasons=(*findings, *breaches, *_reasons(tally)),
    )


def _weigh(claim: Claim, broke: int, most: float, least: float) -> Decision:
    """Hold the limits of the share that broke the bound against what the claim allows."""
    if (claim.strict and broke) or least > 1.0 - claim.share:
        return Decision.VIOLATED
    return Decision.MET if most <= 1.0 - claim.share else Decision.INCONCLUSIVE


def upper_limit(count: int, of: int, confidence: float) -> float:
    """The largest share that `count` of `of` does not rule out at this one-sided confidence."""
    return 1.0 if count == of else float(bdtri(count, of, 1.0 - confidence))


def lower_limit(count: int, of: int, confidence: float) -> float:
    """The smallest share that `count` of `of` does not rule out at this one-sided confidence."""
    return 0.0 if count == 0 else float(bdtri(count - 1, of, confidence))


def _count(tally: Tally, fates: tuple[Fate, ...]) -> int:
    return sum(tally.fates[fate] for fate in fates)


def _reasons(tally: Tally) -> list[str]:
    bad = (*BROKE_THE_BOUND, *UNDECIDED)
    return [f"{tally.fates[fate]:,} {fate.value}" for fate in bad if tally.fates[fate]]
