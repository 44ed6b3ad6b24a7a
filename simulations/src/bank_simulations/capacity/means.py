"""The model's averages without simulating: how busy each part is at a given rate.

A loop that works in batches holds, on average, a + exp(-a) commands in a batch, when `a` arrive in
the time of one cycle: all that came meanwhile, or the next one to come. Waiting for a thread or a
lock is that of a queue with random arrivals (Pollaczek and Khinchine). A cycle grows with its
batch, so both are found by going round until they stand. Who waits for a lock waits for one batch
of each other process at most: a lock that is always taken makes batches, and latencies, that long.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .bank_model import ACCEPT_SHARE, ANSWER_SHARE, COMMAND_SHARE
from .costs import BATCH_MAX, COMMANDS, EVENTS, PASS_SECONDS_MIN

if TYPE_CHECKING:
    from .costs import Costs, Layout

ROUNDS = 60
STILL = 1e-6
BUSY_MAX = 0.99


@dataclass(frozen=True, slots=True)
class Busy:
    """How busy each part is: 1 is one core, or one lock, at its limit.

    Attributes:
        api: each process of the API.
        worker: each worker, where they have processes of their own.
        database: cores of the database, all together.
        lock: the lock of each partition.
        batch_commands: mean commands of a batch.
    """

    api: float
    worker: float
    database: float
    lock: float
    batch_commands: float


def busy(costs: Costs, layout: Layout, rate: float, reads: int) -> Busy:
    """At `rate` transfers per second, each with so many `reads` of a history."""
    apis, workers = layout.api_count, max(1, layout.worker_count)
    commands, appends = 1.0, COMMANDS * rate
    for _ in range(ROUNDS):
        thread = _api(costs, layout, rate, reads, commands)
        hold = costs.write + commands * EVENTS / COMMANDS * costs.row + costs.flush
        lock = appends / commands / layout.partition_count * hold
        taken = lock * (1 - 1 / apis)
        turns = min(_wait(taken, taken * hold * (1 + costs.variation)), (apis - 1) * hold)
        waiting = 2 * thread.wait_seconds + turns
        cycle = _batch(costs, commands) + hold + waiting
        settled = min(float(BATCH_MAX), _gathered(appends / apis / layout.partition_count * cycle))
        if abs(settled - commands) < STILL:
            break
        commands = (commands + settled) / 2
    passes = _passes(costs, appends / commands / workers)
    written = (appends / commands + passes * workers) * costs.write
    return Busy(
        api=thread.busy,
        worker=_folding(costs, rate / workers, passes) if layout.worker_count else 0.0,
        database=written + (2 * EVENTS + reads) * rate * costs.row,
        lock=lock,
        batch_commands=commands,
    )


@dataclass(frozen=True, slots=True)
class _Thread:
    """How busy a thread is, and how long a job waits for it."""

    busy: float
    wait_seconds: float


def _api(costs: Costs, layout: Layout, rate: float, reads: int, commands: float) -> _Thread:
    """One API process, as the jobs it does per second and how long each is."""
    apis = layout.api_count
    own, batches = rate / apis, COMMANDS * rate / apis / commands
    foreign = EVENTS * rate * (apis - 1) / apis * costs.fold / batches
    jobs = [
        (own, costs.request * ACCEPT_SHARE),
        (own, costs.request * ANSWER_SHARE),
        (2 * reads * own, costs.look / 2),
        (batches, _batch(costs, commands) / 2),
        (batches, _batch(costs, commands) / 2 + foreign),
    ]
    if not layout.worker_count:
        passes = _passes(costs, batches)
        jobs.append((passes, _folding(costs, rate, passes) / passes))
    share = sum(count * seconds for count, seconds in jobs)
    squares = sum(count * seconds**2 for count, seconds in jobs) * (1 + costs.variation)
    return _Thread(share, _wait(share, squares))


def _batch(costs: Costs, commands: float) -> float:
    """What one batch costs its process, in seconds."""
    return costs.batch + commands * costs.request * COMMAND_SHARE


def _folding(costs: Costs, rate: float, passes: float) -> float:
    """How busy projections keep a worker that has `rate` of the transfers."""
    return passes * costs.projection + EVENTS * rate * costs.fold


def _passes(costs: Costs, batches: float) -> float:
    """Passes per second over so many batches: one every 20 ms, or when the next batch comes."""
    taken = max(PASS_SECONDS_MIN, costs.projection + costs.write + costs.flush)
    return batches / _gathered(batches * taken)


def _gathered(arrivals: float) -> float:
    """Mean size of a batch when so many arrive in the time of one."""
    return arrivals + math.exp(-arrivals)


def _wait(share: float, squares: float) -> float:
    """Mean wait for something that is busy for this share, by the sum of rate x seconds squared."""
    return squares / 2 / (1 - min(share, BUSY_MAX))
