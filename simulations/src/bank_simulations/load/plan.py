"""What is done: payer, payee and amount of every transfer, the account of every read, by seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .arrivals import beside

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence

    from .arrivals import Arrival, Stretch
    from .scenario import Accounts, Read, Scenario

HOT, UNIFORM = "hot", "uniform"


@dataclass(frozen=True, slots=True)
class Planned:
    """The `number`-th transfer; `source` and `target` count the accounts of the scenario."""

    number: int
    due_seconds: float
    step: str
    group: str
    source: int
    target: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class PlannedRead:
    """The `number`-th read of its kind, of one of the scenario's accounts."""

    number: int
    due_seconds: float
    step: str
    kind: str
    account: int


def plan(arrivals: Sequence[Arrival], accounts: Accounts, seed: int) -> list[Planned]:
    """A transfer for every arrival."""
    dice = random.Random(f"plan-{seed}")  # noqa: S311 - replayed, not secret
    return [draw(number, arrival, accounts, dice) for number, arrival in enumerate(arrivals)]


def draw(number: int, arrival: Arrival, accounts: Accounts, dice: random.Random) -> Planned:
    """One transfer between two accounts that differ."""
    hot = dice.random() < accounts.hot_share
    among = range(accounts.hot_count) if hot else range(accounts.hot_count, accounts.count)
    source, target = dice.sample(among, 2)
    return Planned(
        number=number,
        due_seconds=arrival.at_seconds,
        step=arrival.step,
        group=HOT if hot else UNIFORM,
        source=source,
        target=target,
        amount_minor=dice.randint(1, accounts.amount_max_minor),
    )


def plan_reads(
    drawn: Sequence[Stretch], scenario: Scenario, kinds: Container[str]
) -> list[PlannedRead]:
    """The reads of these kinds, in order; each is of an account drawn from the seed."""
    offered = [read for read in scenario.reads if read.kind in kinds]
    reads = [each for read in offered for each in _draw_reads(drawn, scenario, read)]
    return sorted(reads, key=lambda read: read.due_seconds)


def _draw_reads(drawn: Sequence[Stretch], scenario: Scenario, read: Read) -> Iterator[PlannedRead]:
    seed, count = f"{read.kind}-{scenario.seed}", scenario.accounts.count
    dice = random.Random(f"accounts-{seed}")  # noqa: S311 - replayed, not secret
    for number, due in enumerate(beside(drawn, read.per_transfer, seed)):
        yield PlannedRead(number, due.at_seconds, due.step, read.kind, dice.randrange(count))
