"""The open loop: one Locust user that keeps the schedule, whatever the bank does.

It sleeps until the next arrival is due, hands it to a bounded pool and never waits for anything
else. When the pool is full the arrival is dropped and counted: dropping too much makes the run
invalid, waiting would make it a lie.
"""

from __future__ import annotations

import gc
from collections import deque
from dataclasses import dataclass, field
from heapq import merge
from typing import TYPE_CHECKING

import gevent
from gevent.event import Event as Signal
from gevent.pool import Group, Pool
from locust import User, task
from locust.exception import StopUser

from .clock import CpuMeter
from .measurement import Observation
from .plan import Planned, PlannedRead
from .reads import ReadSeen
from .share import Share, Work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .reads import Reads
    from .scenario import Limits
    from .transfers import Transfers

LEAD_SECONDS = 0.2
LOOK_AGAIN_SECONDS = 0.5
CPU_SAMPLE_SECONDS = 1.0


@dataclass
class OpenLoop:
    """The work of one process: everything that it starts, drops, and sees.

    Attributes:
        begin: starts the run's clock; the schedule is kept from then on.
        tell: is told of everything that ended, for Locust's statistics and the progress.
    """

    work: Work
    transfers: Transfers
    reads: Reads
    limits: Limits
    share: Share
    begin: Callable[[], None]
    tell: Callable[[Observation | ReadSeen], None] = lambda _: None
    dispatched: Signal = field(default_factory=Signal)

    def __post_init__(self) -> None:
        self._pool = Pool(self.limits.in_flight_max)
        self._beside = Group()
        self._begun = False

    def dispatch(self) -> None:
        """Keep the schedule, once; stopped on the way, what is left of it is dropped."""
        if self._begun:
            return
        self._begun = True
        due = deque(_in_order(self.work))
        try:
            self._prepare()
            while due:
                self._wait_for(due[0])
                self._start(due.popleft())
        finally:
            for planned in due:
                self._drop(planned)
            self.dispatched.set()

    def drain(self) -> None:
        """Wait for twice the bound; what has not ended by then is unresolved."""
        patience = 2 * self.transfers.bound_seconds + self.limits.request_timeout_seconds
        self._pool.join(timeout=patience)
        self._pool.kill()
        self._beside.join(timeout=LOOK_AGAIN_SECONDS + self.limits.request_timeout_seconds)
        self._beside.kill()

    def _prepare(self) -> None:
        gc.collect()
        gc.freeze()  # a full collection over all of Locust would stop the schedule for 50 ms
        self.begin()
        give_up_at = self.work.last_due_seconds + 2 * self.transfers.bound_seconds
        self.share.gave_up_at_seconds = give_up_at
        self.transfers.give_up_at_seconds = self.reads.give_up_at_seconds = give_up_at
        self._beside.spawn(self._watch_cpu)

    def _wait_for(self, planned: Planned | PlannedRead) -> None:
        while (wait := planned.due_seconds - self.transfers.clock.now()) > 0:
            gevent.sleep(wait)

    def _start(self, planned: Planned | PlannedRead) -> None:
        """Hand one arrival to the pool."""
        if self._pool.full():
            self._drop(planned)
        elif isinstance(planned, Planned):
            self._pool.spawn(self._transfer, planned)
        else:
            self._pool.spawn(self._read, planned)

    def _drop(self, planned: Planned | PlannedRead) -> None:
        if isinstance(planned, Planned):
            self.share.dropped.append(planned)
        else:
            self.share.reads_dropped.append(planned)

    def _transfer(self, planned: Planned) -> None:
        seen = Observation(planned, self.transfers.clock.now() - planned.due_seconds)
        self.share.observations.append(seen)
        transfer_id = self.transfers.perform(seen)
        self.tell(seen)
        if transfer_id and seen.seen:
            later = gevent.spawn_later(
                LOOK_AGAIN_SECONDS, self.transfers.look_again, seen, transfer_id
            )
            self._beside.add(later)

    def _read(self, planned: PlannedRead) -> None:
        seen = ReadSeen(planned, self.transfers.clock.now() - planned.due_seconds)
        self.share.reads.append(seen)
        self.reads.perform(seen)
        self.tell(seen)

    def _watch_cpu(self) -> None:
        cpu = CpuMeter(self.transfers.clock)
        self.share.cpu = cpu.windows
        while not self.dispatched.wait(CPU_SAMPLE_SECONDS):
            cpu.sample()
        cpu.sample(closing=True)


def _in_order(work: Work) -> Iterator[Planned | PlannedRead]:
    parts: list[Sequence[Planned | PlannedRead]] = [work.transfers, work.reads]
    return merge(*parts, key=lambda each: each.due_seconds)


def dispatcher_class(loop: OpenLoop) -> type[User]:
    """A Locust user whose one task is the loop."""

    class Dispatcher(User):
        @task
        def dispatch(self) -> None:
            loop.dispatch()
            raise StopUser

    return Dispatcher
