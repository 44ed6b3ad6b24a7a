"""Which transfers are made: payer, payee and amount of every arrival, drawn from the seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .arrivals import Arrival
    from .scenario import Accounts

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
