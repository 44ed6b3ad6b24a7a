"""One fault, tried: an open-loop load, broken from its first quarter on, and what became of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from math import ceil
from typing import TYPE_CHECKING, Any

from bank_simulations.console import BadInputError
from bank_simulations.load.measurement import Fate
from bank_simulations.load.scenario import Accounts, Claim, Limits, Scenario, Step
from bank_simulations.load.verdict import BROKE_THE_BOUND, UNDECIDED, Decision, weigh

from .checks import Finding, Invariant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_simulations.load.measurement import Tally
    from bank_simulations.load.result import Run

    from .catalogue import Fault

NOTHING_CLAIMED = 1e-9
"""A share that any run supports."""
EXPECTED_REFUSALS = ("settlement-timeout",)
"""Money that cannot be settled for long goes back, and the payer is told."""
FINDINGS_MAX = 20
ACCOUNTS = 200


class Ending(StrEnum):
    """What a trial decides."""

    HELD = "held"
    VIOLATED = "violated"
    INCONCLUSIVE = "inconclusive"
    INVALID = "invalid"


EXIT_CODES = {Ending.VIOLATED: 1, Ending.INVALID: 4, Ending.INCONCLUSIVE: 3, Ending.HELD: 0}
"""In descending precedence."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How every fault is tried.

    Attributes:
        rate: transfers per second.
        seconds: how long each load lasts; after a quarter of it the fault begins.
        broken_seconds: how long the fault lasts; None: another quarter.
        claim: the share of transfers claimed to be visible within two seconds; None: none is.
        accounts: how many accounts the transfers run between.
        seed: draws arrivals, accounts and amounts.
    """

    rate: float
    seconds: float
    broken_seconds: float | None = None
    claim: float | None = None
    accounts: int = ACCOUNTS
    seed: int = 1

    def __post_init__(self) -> None:
        """Half of the load is left to recover in, or BadInputError."""
        if self.lasts_seconds > self.seconds / 4:
            msg = f"--broken {self.lasts_seconds:g} is more than a quarter of the load's"
            raise BadInputError(f"{msg} {self.seconds:.0f} s: shorten it, or lengthen the load")

    @property
    def begins_seconds(self) -> float:
        """When the fault begins, from the start of the load."""
        return self.seconds / 4

    @property
    def lasts_seconds(self) -> float:
        """How long it lasts."""
        return self.broken_seconds or self.seconds / 4

    def scenario(self, fault: Fault) -> Scenario:
        """The load, with room for every transfer to be under way at once."""
        return Scenario(
            title=f"{fault.name}: {fault.about}"[:120],
            seed=self.seed,
            expected_refusals=EXPECTED_REFUSALS,
            accounts=Accounts(count=self.accounts),
            claim=Claim(share=self.claim or NOTHING_CLAIMED, strict=False),
            limits=Limits(in_flight_max=min(10_000, ceil(self.rate * self.seconds) + 1)),
            steps=(Step(name="load", rate=self.rate, seconds=self.seconds),),
        )


@dataclass(frozen=True, slots=True)
class Trial:
    """A fault that was tried; `run` is None where the bank could not be put under load."""

    fault: Fault
    ending: Ending
    reasons: Sequence[str]
    findings: Sequence[Finding] = ()
    run: Run | None = None

    def document(self) -> dict[str, Any]:
        """The trial as JSON."""
        counts = {each.value: 0 for each in Invariant}
        for finding in self.findings:
            counts[finding.invariant.value] += 1
        return {
            "fault": self.fault.name,
            "about": self.fault.about,
            "ending": self.ending.value,
            "reasons": list(self.reasons),
            "invariants": counts,
            "findings": [asdict(each) for each in self.findings[:FINDINGS_MAX]],
            "phases": _phases(self.run) if self.run else [],
            "recovery_seconds": _recovery_seconds(self.run) if self.run else None,
            "load": self.run.document() if self.run else None,
        }


def conclude(fault: Fault, plan: Plan, run: Run, findings: Sequence[Finding]) -> Trial:
    """What a load with a fault in it decides: the invariants always, the bound if it is claimed."""
    ending = {
        Decision.MET: Ending.HELD,
        Decision.VIOLATED: Ending.VIOLATED,
        Decision.INVALID: Ending.INVALID,
        Decision.INCONCLUSIVE: Ending.INCONCLUSIVE if plan.claim else Ending.HELD,
    }[run.verdict.decision]
    return Trial(fault, ending, run.verdict.reasons, findings, run)


def worst(trials: Sequence[Trial]) -> Ending:
    """What all trials decide together."""
    found = {trial.ending for trial in trials}
    return next((ending for ending in EXIT_CODES if ending in found), Ending.HELD)


def _phases(run: Run) -> list[dict[str, Any]]:
    return [
        {"phase": name, **_over(tally, run.verdict.confidence)}
        for name, tally in run.phases.items()
    ]


def _over(tally: Tally, confidence: float) -> dict[str, Any]:
    """How many took over two seconds, and between which shares the truth lies."""
    count = tally.fates.total()
    late = sum(tally.fates[fate] for fate in BROKE_THE_BOUND)
    undecided = sum(tally.fates[fate] for fate in UNDECIDED)
    weighed = weigh(late, undecided, count, 1 - NOTHING_CLAIMED, confidence)
    return {
        "transfers": count,
        "over": late,
        "undecided": undecided,
        "unresolved": tally.fates[Fate.UNRESOLVED],
        "share_over_least": 1.0 - weighed.share_refuted,
        "share_over_most": 1.0 - weighed.share_supported,
        "p50": tally.ended.percentile_seconds(50),
        "p99": tally.ended.percentile_seconds(99),
        "worst": tally.ended.worst_seconds,
    }


def _recovery_seconds(run: Run) -> float | None:
    """From the end of the fault; None where the load was over before the bank was as fast again."""
    return next((each.seconds for each in run.recoveries), None)
