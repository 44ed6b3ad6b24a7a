"""When transfers are due: the whole schedule, drawn from a seed before the first one starts.

An open loop: no arrival ever waits for an answer, so a stall of the bank cannot thin out the load
that would have shown it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import accumulate, count, islice, takewhile
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .scenario import Scenario, Step


@dataclass(frozen=True, slots=True)
class Arrival:
    """A transfer is due `at_seconds` after the start of the run, in the step of this name."""

    at_seconds: float
    step: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """A step as it was drawn: when it begins, how long it is, and what is due in it."""

    step: str
    rate: float
    start_seconds: float
    seconds: float
    due: tuple[Arrival, ...]

    @property
    def end_seconds(self) -> float:
        """When the next one begins."""
        return self.start_seconds + self.seconds


def stretches(scenario: Scenario, capacity: float | None = None) -> list[Stretch]:
    """The steps in order; `capacity` is in transfers per second, where a step needs it."""
    dice = random.Random(f"arrivals-{scenario.seed}")  # noqa: S311 - replayed, not secret
    drawn: list[Stretch] = []
    for step in scenario.steps:
        start, rate = drawn[-1].end_seconds if drawn else 0.0, rate_of(step, capacity)
        offsets = _offsets(step, scenario.arrivals, rate, dice)
        due = tuple(Arrival(start + offset, step.name) for offset in offsets)
        seconds = step.seconds if step.seconds is not None else offsets[-1]
        drawn.append(Stretch(step.name, rate, start, seconds, due))
    return drawn


def schedule(scenario: Scenario, capacity: float | None = None) -> list[Arrival]:
    """All arrivals of transfers, in order."""
    return [arrival for stretch in stretches(scenario, capacity) for arrival in stretch.due]


def beside(drawn: Iterable[Stretch], per_arrival: float, seed: str) -> Iterator[Arrival]:
    """Poisson arrivals of something else in the same steps, so many for each of theirs."""
    dice = random.Random(seed)  # noqa: S311 - replayed, not secret
    for stretch in drawn:
        for offset in _poisson(stretch.rate * per_arrival, dice):
            if offset > stretch.seconds:
                break
            yield Arrival(stretch.start_seconds + offset, stretch.step)


def rate_of(step: Step, capacity: float | None) -> float:
    """The step's rate in transfers per second."""
    if step.rate is not None:
        return step.rate
    if capacity is None or step.rate_of_capacity is None:
        raise ValueError(f"step {step.name!r} is relative to a capacity nobody measured")
    return capacity * step.rate_of_capacity


def _offsets(
    step: Step, kind: Literal["poisson", "uniform"], rate: float, dice: random.Random
) -> list[float]:
    """Seconds from the start of the step, for each of its arrivals."""
    endless = _poisson(rate, dice) if kind == "poisson" else _uniform(rate)
    if step.transfers is not None:
        return list(islice(endless, step.transfers))
    seconds = step.seconds or 0.0
    return list(takewhile(lambda offset: offset <= seconds, endless))


def _poisson(rate: float, dice: random.Random) -> Iterator[float]:
    return accumulate(dice.expovariate(rate) for _ in count())


def _uniform(rate: float) -> Iterator[float]:
    return (number / rate for number in count(1))
