"""A bank of this architecture as a queueing model, in simpy.

Every process is one thread. A transfer passes the API, then three commands: each waits for the
loop of its partition, which appends whatever has gathered as one batch, with one batch under way
for each partition and process. What is appended goes to the worker that holds the partition; its
passes fold what has gathered, at most one pass every 20 ms, and make it visible.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import TYPE_CHECKING

import numpy as np
from simpy import Environment, Event, Resource

from .costs import BATCH_MAX, PASS_SECONDS_MIN, POLL_SECONDS, Costs, Layout
from .stations import BatchLoop, Cores, Thread

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    Steps = Generator[Event, None, None]

ACCEPT_SHARE, ANSWER_SHARE = 0.5, 0.2
COMMAND_SHARE = (1 - ACCEPT_SHARE - ANSWER_SHARE) / 3
"""Of a request's cost: until its first command is queued, and for its answer; the rest is deciding
and settling its three commands.
"""
CORES_UNLIMITED = 1_000_000
NOISE_COUNT = 1 << 17
KIND_STRIDE = 7_919
ASK, ACCEPT, ANSWER, READ, READ_STORED, READ_ANSWER, LOOP = range(1, 8)
LOOKS_STRIDE = 8
JOBS_OF_A_BATCH = 4
"""Kinds of jobs, and how many of a kind one transfer or batch has; a loop is a kind of its own."""
SIDES = ("source", "target")


@dataclass(slots=True, eq=False)
class Transfer:
    """One transfer in the model; `shown` are the sides whose read model has it, `visible` is when
    both have.
    """

    number: int
    api: int
    partitions: dict[str, int]
    visible: Event
    looks: int = 0
    shown: set[str] = field(default_factory=set)

    def show(self, side: str) -> None:
        """A read model has it now."""
        self.shown.add(side)
        if len(self.shown) == len(SIDES):
            self.visible.succeed()


@dataclass(slots=True, eq=False)
class Command:
    """One step of a transfer: how many events it appends, and which side they make visible."""

    transfer: Transfer
    side: str
    event_count: int
    shows: bool
    done: Event


class Noise:
    """Factors with mean 1 for the length of jobs: log-normal, drawn from a seed.

    Each job has its own, found by what it is and by its number: two runs whose costs differ a
    little do the same jobs with the same chances, in whatever order they come.
    """

    def __init__(self, seed: int, variation: float) -> None:
        self._factors = _factors(seed, variation)

    def __call__(self, kind: int, number: int) -> float:
        """The factor of the `number`-th job of a kind."""
        return self._factors[(kind * KIND_STRIDE + number) % NOISE_COUNT]


@lru_cache(maxsize=8)  # all settings of a sweep are simulated with the same ones
def _factors(seed: int, variation: float) -> list[float]:
    sigma = math.sqrt(math.log1p(variation))
    normal = np.random.default_rng(seed).standard_normal(NOISE_COUNT)
    found: list[float] = np.exp(sigma * normal - sigma**2 / 2).tolist()
    return found


class BankModel:
    """The bank: `request` and `look` are what clients may do to it."""

    def __init__(self, env: Environment, costs: Costs, layout: Layout, seed: int) -> None:
        self.env, self.costs, self.layout = env, costs, layout
        self.noise = Noise(seed, costs.variation)
        shared = Cores(env, layout.machine_cores) if layout.machine_cores else None
        own = shared or Cores(env, CORES_UNLIMITED)
        self.database = shared or Cores(env, layout.database_cores)
        self.observer = Thread(env, own)
        self.apis = [Thread(env, own) for _ in range(layout.api_count)]
        self.workers = [Thread(env, own) for _ in range(layout.worker_count)] or self.apis
        self.database_seconds = 0.0
        self.append_seconds = 0.0
        partitions = range(layout.partition_count)
        self._locks = [Resource(env) for _ in partitions]
        self._heads = [0] * layout.partition_count
        self._seen: Counter[tuple[int, int]] = Counter()
        self.loops = {
            (api, partition): BatchLoop[Command](
                env, partial(self._append, api, partition), BATCH_MAX
            )
            for api in range(layout.api_count)
            for partition in partitions
        }
        self.projectors = [
            BatchLoop[Command](env, partial(self._project, worker), BATCH_MAX * 100)
            for worker in range(len(self.workers))
        ]

    def request(self, transfer: Transfer) -> Steps:
        """From the request to the answer, which waits until the transfer has completed."""
        api, cost = self.apis[transfer.api], self.costs.request
        yield api.run(cost * ACCEPT_SHARE * self.noise(ACCEPT, transfer.number))
        for command in self._commands(transfer):
            self.loops[transfer.api, transfer.partitions[command.side]].put(command)
            yield command.done
        yield api.run(cost * ANSWER_SHARE * self.noise(ANSWER, transfer.number))

    def look(self, transfer: Transfer, side: str) -> Generator[Event, None, bool]:
        """Read a history; whether the transfer was in it."""
        transfer.looks += 1
        number = transfer.number * LOOKS_STRIDE + transfer.looks
        api, half = self.apis[transfer.api], self.costs.look / 2
        yield api.run(half * self.noise(READ, number))
        yield self._query(self.costs.row * self.noise(READ_STORED, number))
        shown = side in transfer.shown
        yield api.run(half * self.noise(READ_ANSWER, number))
        return shown

    def _commands(self, transfer: Transfer) -> Iterator[Command]:
        """Hold, credit, settle; the payer's entry comes with the settlement."""
        for side, event_count, shows in (
            ("source", 2, False),
            ("target", 1, True),
            ("source", 2, True),
        ):
            yield Command(transfer, side, event_count, shows, Event(self.env))

    def _append(self, api: int, partition: int, batch: list[Command]) -> Steps:
        """One batch: decided, appended under the partition's lock, settled."""
        thread, costs = self.apis[api], self.costs
        kind = LOOP + api * len(self._locks) + partition
        chance = self._chances(kind, self.loops[api, partition])
        own = costs.batch + len(batch) * costs.request * COMMAND_SHARE
        yield thread.run(own / 2 * next(chance))
        began = self.env.now
        with self._locks[partition].request() as turn:
            yield turn
            events = sum(command.event_count for command in batch)
            yield self._query((costs.write + events * costs.row) * next(chance))
            yield self.env.timeout(costs.flush * next(chance))
            foreign = self._heads[partition] - self._seen[api, partition]
            self._heads[partition] += events
            self._seen[api, partition] = self._heads[partition]
        self.append_seconds += self.env.now - began
        yield thread.run((own / 2 + foreign * costs.fold) * next(chance))
        self._publish(partition, batch)

    def _publish(self, partition: int, batch: list[Command]) -> None:
        projector = self.projectors[partition % len(self.workers)]
        for command in batch:
            projector.put(command)
            command.done.succeed()

    def _project(self, worker: int, batch: list[Command]) -> Steps:
        """One pass: folded, written, visible; the next one begins 20 ms after this one at best."""
        began, costs = self.env.now, self.costs
        chance = self._chances(-worker, self.projectors[worker])
        if self.layout.worker_count:
            yield self.env.timeout(POLL_SECONDS / 2)
        events = sum(command.event_count for command in batch)
        thread = self.workers[worker]
        yield thread.run((costs.projection + events * costs.fold) * next(chance))
        yield self._query((costs.write + events * costs.row) * next(chance))
        yield self.env.timeout(costs.flush * next(chance))
        for command in batch:
            if command.shows:
                command.transfer.show(command.side)
        rest = began + PASS_SECONDS_MIN - self.env.now
        if rest > 0:
            yield self.env.timeout(rest)

    def _query(self, seconds: float) -> Event:
        """The database at work for one connection."""
        self.database_seconds += seconds
        return self.database.run(seconds)

    def _chances(self, kind: int, loop: BatchLoop[Command]) -> Iterator[float]:
        """The factors of a loop's present batch, one after the other."""
        first = loop.batch_count * JOBS_OF_A_BATCH
        return (self.noise(kind, first + job) for job in range(JOBS_OF_A_BATCH))
