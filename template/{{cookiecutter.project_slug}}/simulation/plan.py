"""What happens in a run: drawn from one integer, and nothing else decides.

A plan is data, so that a failing one can be made smaller, kept in the corpus and played again. Acts
and faults each bring their own numbers: leaving one out does not change what the others draw.
"""

from collections.abc import Mapping
from random import Random

import msgspec

from .faults import Fault, Kind

CHAOS_SECONDS = 8.0
"""Acts and faults happen up to here."""
RECOVERY_SECONDS = 6.0
"""After the last fault; then everything must be as if there had been none. No call that was made
meanwhile is still unanswered.
"""
END_SECONDS = 20.0
BOUND_SECONDS = 2.0
"""Within which a transfer is visible in both accounts, or has visibly failed."""
ACTS_MAX = 24
FAULTS_MAX = 7
SESSIONS = 4
FAULT_SECONDS = (0.05, 0.3, 0.8, 1.5, 2.5)
PARTITION_SECONDS = (1.6, 2.5, 3.5, 6.0)
"""Longer than a transfer has until it turns back; the longest also outlasts a call."""
CLOCK_SECONDS = (-30.0, -1.0, -0.3, 0.3, 1.0, 30.0)
_SECONDS = {
    Kind.CLOCK_JUMP: CLOCK_SECONDS,
    Kind.PARTITION_LOCKED: PARTITION_SECONDS,
    Kind.PARTITION_AWAY: PARTITION_SECONDS,
}
KINDS = (
    *Kind,
    *(Kind.CRASH, Kind.CRASH_AT_COMMIT, Kind.CRASH_AT_COMMIT),
    *(Kind.ANSWER_LOST, Kind.PARTITION_AWAY),
)
"""Those that find most are drawn more often."""
POLL_SECONDS = (0.02, 0.1, 0.1, 0.1, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.4, 0.4, 0.4, 0.4, 0.4)
"""What production takes is rare here: looking for nothing would be most of what is simulated."""
COUNTS = (0, 0, 0, 1, 2, 3, 5, 8, 13, 40)
_COUNTS = {Kind.CRASH_AT_KEYS: (0, 0, 1, 2)}
"""Keys are made and destroyed so seldom that no later occasion comes."""


class Knobs(msgspec.Struct, frozen=True):
    """How the bank is set up. The defaults are the tamest there are."""

    partitions: int = 1
    processes: int = 1
    poll_seconds: float = 0.05
    snapshot_every: int = 500
    cached_aggregates_max: int = 1_000
    latency_seconds: float = 0.001
    """The mean of one call to the database."""
    commit_seconds: float = 0.001
    """The mean between insert and commit."""


class Act(msgspec.Struct, frozen=True):
    """A client does something of this workload; `seed` draws what exactly."""

    at: float
    workload: str
    session: int
    seed: int


class Plan(msgspec.Struct, frozen=True):
    """A whole run. `seed` also draws every delay and the order of what is ready."""

    seed: int
    knobs: Knobs = Knobs()
    acts: tuple[Act, ...] = ()
    faults: tuple[Fault, ...] = ()


def draw(seed: int, weights: Mapping[str, int]) -> Plan:
    """The plan of a seed; `weights` says how often each workload is chosen."""
    dice = Random(seed)
    knobs = _knobs(dice)
    names, shares = list(weights), list(weights.values())
    acts = [
        Act(_moment(dice), name, dice.randrange(SESSIONS), dice.getrandbits(32))
        for name in dice.choices(names, shares, k=dice.randint(6, ACTS_MAX))
    ]
    faults = [_fault(dice, knobs) for _ in range(dice.randint(0, FAULTS_MAX))]
    return Plan(
        seed,
        knobs,
        tuple(sorted(acts, key=lambda act: act.at)),
        tuple(sorted(faults, key=lambda fault: fault.at)),
    )


def _knobs(dice: Random) -> Knobs:
    return Knobs(
        partitions=dice.choice((1, 2, 2, 3)),
        processes=dice.choice((1, 2, 2, 3)),
        poll_seconds=dice.choice(POLL_SECONDS),
        snapshot_every=dice.choice((2, 3, 5, 500)),
        cached_aggregates_max=dice.choice((3, 10, 1_000)),
        latency_seconds=dice.choice((0.0003, 0.001, 0.003, 0.01)),
        commit_seconds=dice.choice((0.0003, 0.001, 0.005, 0.02)),
    )


def _moment(dice: Random) -> float:
    """A time of the chaos; often a full second, so that much falls together."""
    at = dice.uniform(0.0, CHAOS_SECONDS)
    return int(at) + dice.random() * 0.02 if dice.random() < 0.5 else at  # noqa: PLR2004


def _fault(dice: Random, knobs: Knobs) -> Fault:
    kind = dice.choice(KINDS)
    seconds = dice.choice(_SECONDS.get(kind, FAULT_SECONDS))
    count = dice.choice(_COUNTS.get(kind, COUNTS))
    return Fault(_moment(dice), kind, dice.randrange(knobs.processes), seconds, count)
