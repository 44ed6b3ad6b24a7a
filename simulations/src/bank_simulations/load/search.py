"""The highest rate at which a claim holds: between one that held and one that did not.

Whether a claim holds at a rate is what a run decides; where to run next is decided here. From a
first guess the rate is doubled or halved until one rate held and a higher one did not; then the
middle (in proportion) is tried, until both are within the resolution. A run that decided nothing is
no rate that held. Nobody knows the answer closer than the lower of the two rates.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil, log, sqrt
from typing import TYPE_CHECKING

from .verdict import Decision

if TYPE_CHECKING:
    from .scenario import Claim

STEP = 2.0
RATE_MIN = 0.5
"""Below this, in transfers per second, a bank that breaks the bound just breaks it."""


@dataclass
class Search:
    """What is known so far; rates are in transfers per second.

    Attributes:
        guess: where to begin.
        resolution: how far the lowest rate that did not hold may be above the highest that did,
            as a share of it.
        held: the highest rate that held.
        stopped: the lowest that did not, above it.
    """

    guess: float
    resolution: float
    held: float | None = None
    stopped: float | None = None
    decisions: list[tuple[float, Decision]] = field(default_factory=list)

    def next_rate(self) -> float | None:
        """Where to run next; None when the answer is known, or there is none."""
        if self.held is None and self.stopped is None:
            return self.guess
        if self.held is None:
            lower = (self.stopped or 0.0) / STEP
            return lower if lower >= RATE_MIN else None
        if self.stopped is None:
            return self.held * STEP
        if self.stopped <= self.held * (1.0 + self.resolution):
            return None
        return sqrt(self.held * self.stopped)

    def learn(self, rate: float, decision: Decision) -> None:
        """Take in what a run at this rate decided.

        A rate that held once and not again did not hold: what was known of rates up to it is the
        highest other one that did.
        """
        self.decisions.append((rate, decision))
        if decision is Decision.MET:
            self.held = max(self.held or 0.0, rate)
            return
        self.stopped = min(self.stopped or rate, rate)
        failed = {each for each, made in self.decisions if made is not Decision.MET}
        lowest = min(failed)
        rates = [each for each, made in self.decisions if made is Decision.MET and each < lowest]
        self.held = max(rates, default=None)


def transfers_needed(claim: Claim) -> int:
    """How many transfers, none of them late, support the claim."""
    return ceil(log(1.0 - claim.confidence) / log(claim.share))


def probe_seconds(rate: float, claim: Claim, resolution: float) -> float:
    """How long a run at `rate` must be.

    Long enough for the transfers that the claim needs; and so long that what a bank cannot do piles
    up: arrivals that exceed its capacity by the resolution delay the last of them by the length of
    the run times the resolution, which must be more than the bound.
    """
    return max(transfers_needed(claim) / rate * 1.1, claim.bound_seconds / resolution)
