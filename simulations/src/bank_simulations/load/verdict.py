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
    from collections.abc import Sequence

    from .measurement import Tally
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
    """How one process of the load generator itself fared.

    Attributes:
        lag_p99_seconds: how late it started what was due.
        cpu_max: its busiest five seconds, as a share of one core.
        dropped_count: what it had no room to start, of `planned_count`.
        process: its number, from 1.
        died: how it ended before it had handed over what it saw; None where it did not.
    """

    lag_p99_seconds: float
    cpu_max: float
    dropped_count: int
    planned_count: int
    process: int = 1
    died: str | None = None

    def breaches(self, limits: Limits) -> list[str]:
        """Why it measured itself instead of the bank; empty when it did not."""
        if self.died:
            return [f"generator process {self.process} {self.died}: its part is missing"]
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
class Weighed:
    """A share of violations, held against what is claimed of it.

    Attributes:
        decision: met, violated or inconclusive.
        share_supported: the share within the bound that the run supports at the confidence.
        share_refuted: a share within the bound that the run rules out at the confidence.
    """

    decision: Decision
    share_supported: float
    share_refuted: float


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
    tally: Tally, claim: Claim, findings: Sequence[str] = (), breaches: Sequence[str] = ()
) -> Verdict:
    """Weigh what was measured.

    Args:
        tally: the transfers that the claim is about.
        claim: what is claimed of them.
        findings: faults of the books, which nothing excuses.
        breaches: why the generator, and not the bank, was measured.
    """
    broke, undecided = _count(tally, BROKE_THE_BOUND), _count(tally, UNDECIDED)
    transfers = tally.fates.total()
    weighed = weigh(broke, undecided, transfers, claim.share, claim.confidence, strict=claim.strict)
    decision = weighed.decision
    if findings or _count(tally, WRONG):
        decision = Decision.VIOLATED
    elif breaches:
        decision = Decision.INVALID
    return Verdict(
        decision=decision,
        transfers=transfers,
        broke=broke,
        undecided=undecided,
        share_supported=weighed.share_supported,
        share_refuted=weighed.share_refuted,
        confidence=claim.confidence,
        reasons=(*findings, *breaches, *_reasons(tally)),
    )


def weigh(
    broke: int, undecided: int, of: int, share: float, confidence: float, *, strict: bool = False
) -> Weighed:
    """Hold the exact limits of the share that broke the bound against what the claim allows."""
    most = upper_limit(broke + undecided, of, confidence)
    least = lower_limit(broke, of, confidence)
    decision = Decision.MET if most <= 1.0 - share else Decision.INCONCLUSIVE
    if (strict and broke) or least > 1.0 - share:
        decision = Decision.VIOLATED
    return Weighed(decision, 1.0 - most, 1.0 - least)


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
