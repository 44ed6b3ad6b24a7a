"""The bank's capacity: a quick closed-loop ramp, counting transfers that completed and showed.

Closed, because the question is how many the bank can finish, not how long they take: each worker
starts its next transfer when the last one is visible. What it finds is the capacity with this
generator on this machine, and only there.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING

import gevent
from gevent.pool import Group

from bank_simulations.console import BrokenRunError, err

from .arrivals import Arrival
from .clock import CpuMeter
from .measurement import Histogram, Observation
from .plan import Planned, draw

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .scenario import Accounts
    from .transfers import Transfers

WORKERS = (4, 8, 16, 32, 64, 128, 256)
LEVEL_SECONDS = 3.0
GAIN_MIN = 1.05
FLAT_LEVELS_MAX = 2
LOOKS_PER_SECOND_MAX = 4_000
"""More than in the run itself: here a late look delays the next transfer, and the bound would be
the looks, not the bank.
"""


@dataclass(frozen=True, slots=True)
class Level:
    """One level of the ramp: what so many workers finished."""

    workers: int
    per_second: float
    p50_seconds: float
    generator_cpu: float


@dataclass(frozen=True, slots=True)
class Capacity:
    """The ramp, and the most that was finished per second."""

    per_second: float
    levels: tuple[Level, ...]


def measure_capacity(
    transfers: Transfers, accounts: Accounts, seed: int, level_seconds: float = LEVEL_SECONDS
) -> Capacity:
    """Add workers until that no longer helps.

    Raises:
        BrokenRunError: when not one transfer was finished.
    """
    transfers = replace(transfers, looks_per_second_max=LOOKS_PER_SECOND_MAX)
    levels: list[Level] = []
    best, flat = 0.0, 0
    plans = _plans(accounts, seed, transfers)
    for workers in WORKERS:
        level = _measure(transfers, plans, workers, level_seconds)
        levels.append(level)
        err.print(f"Capacity: {workers} at a time finish {level.per_second:,.0f} transfers/s")
        flat = 0 if level.per_second > best * GAIN_MIN else flat + 1
        best = max(best, level.per_second)
        if flat == FLAT_LEVELS_MAX:
            break
    if best == 0.0:
        raise BrokenRunError("no transfer became visible while the capacity was measured")
    return Capacity(best, tuple(levels))


def _plans(accounts: Accounts, seed: int, transfers: Transfers) -> Iterator[Planned]:
    """Transfers that are due the moment somebody asks for the next one."""
    dice = random.Random(f"capacity-{seed}")  # noqa: S311 - replayed, not secret
    for number in count():
        yield draw(number, Arrival(transfers.clock.now(), "capacity"), accounts, dice)


def _measure(transfers: Transfers, plans: Iterator[Planned], workers: int, seconds: float) -> Level:
    finished: list[Observation] = []
    transfers.clock.start()
    transfers.give_up_at_seconds = seconds + transfers.bound_seconds

    def work() -> None:
        while transfers.clock.now() < seconds:
            seen = Observation(next(plans), 0.0)
            transfers.perform(seen)
            finished.append(seen)

    cpu = CpuMeter(transfers.clock)
    group = Group()
    for _ in range(workers):
        group.spawn(work)
    gevent.sleep(seconds)
    cpu.sample(closing=True)
    shown = [seen.ended.high for seen in finished if seen.seen and seen.ended]
    group.join(timeout=2 * transfers.bound_seconds)
    group.kill()
    latencies = Histogram()
    for each in shown:
        latencies.record(each)
    return Level(workers, len(shown) / seconds, latencies.percentile_seconds(50), cpu.max_share)
