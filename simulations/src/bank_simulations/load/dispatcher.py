"""The open loop: one Locust user that keeps the schedule, whatever the bank does.

It sleeps until the next arrival is due, hands it to a bounded pool and never waits for anything
else. When the pool is full the arrival is dropped and counted: dropping too much makes the run
invalid, waiting would make it a lie.
"""

from __future__ import annotations

import gc
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import gevent
from gevent.event import Event as Signal
from gevent.pool import Group, Pool
from locust import User, task
from locust.env import Environment
from locust.exception import StopUser

from .clock import CpuMeter
from .events import Event, Mark, carry_out
from .measurement import Measurement, Observation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bank_simulations.console import Progress

    from .plan import Planned
    from .scenario import Limits
    from .transfers import Transfers

LEAD_SECONDS = 0.2
LOOK_AGAIN_SECONDS = 0.5
CPU_SAMPLE_SECONDS = 1.0


@dataclass
class OpenLoop:
    """A planned run: everything that is started, dropped, or happens beside it."""

    plan: Sequence[Planned]
    transfers: Transfers
    limits: Limits
    progress: Progress
    events: Sequence[Event] = ()
    tell: Callable[[Observation], None] = lambda _: None
    observations: list[Observation] = field(default_factory=list)
    dropped: list[Planned] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    cpu: CpuMeter = field(default_factory=CpuMeter)
    dispatched: Signal = field(default_factory=Signal)

    def __post_init__(self) -> None:
        self._pool = Pool(self.limits.in_flight_max)
        self._beside = Group()

    def dispatch(self) -> None:
        """Keep the schedule."""
        clock, last = self.transfers.clock, self.plan[-1].due_seconds
        gc.collect()
        gc.freeze()  # a full collection over all of Locust would stop the schedule for 50 ms
        clock.start(LEAD_SECONDS)
        self.transfers.give_up_at_seconds = last + 2 * self.transfers.bound_seconds
        self._start_beside()
        for planned in self.plan:
            while (wait := planned.due_seconds - clock.now()) > 0:
                gevent.sleep(wait)
            if self._pool.full():
                self.dropped.append(planned)
            else:
                self._pool.spawn(self._one, planned)
        self.dispatched.set()

    def drain(self) -> None:
        """Wait for twice the bound; what has not ended by then is unresolved."""
        patience = 2 * self.transfers.bound_seconds + self.limits.request_timeout_seconds
        self._pool.join(timeout=patience)
        self._pool.kill()
        self.cpu.sample(closing=True)
        self._beside.join(timeout=LOOK_AGAIN_SECONDS + self.limits.request_timeout_seconds)
        self._beside.kill()

    def measurement(self) -> Measurement:
        """All that was observed; call it after draining."""
        measured = Measurement(self.transfers.bound_seconds)
        gave_up_at = self.transfers.give_up_at_seconds
        for seen in self.observations:
            measured.take(seen, gave_up_at - seen.planned.due_seconds)
        for planned in self.dropped:
            measured.drop(planned)
        return measured

    def _one(self, planned: Planned) -> None:
        lag = self.transfers.clock.now() - planned.due_seconds
        seen = Observation(planned, lag)
        self.observations.append(seen)
        transfer_id = self.transfers.perform(seen)
        self.progress.advance()
        self.tell(seen)
        if transfer_id and seen.seen:
            later = gevent.spawn_later(
                LOOK_AGAIN_SECONDS, self.transfers.look_again, seen, transfer_id
            )
            self._beside.add(later)

    def _start_beside(self) -> None:
        self.cpu = CpuMeter()
        self._beside.spawn(self._watch_cpu)
        for event in self.events:
            later = gevent.spawn_later(LEAD_SECONDS + event.at_seconds, self._happen, event)
            self._beside.add(later)

    def _watch_cpu(self) -> None:
        while not self.dispatched.wait(CPU_SAMPLE_SECONDS):
            self.cpu.sample()

    def _happen(self, event: Event) -> None:
        at_seconds = self.transfers.clock.now()
        self.marks.append(Mark(at_seconds, carry_out(event)))


def run_open_loop(loop: OpenLoop, url: str) -> None:
    """Let Locust run the loop's one dispatcher, and feed its statistics; then drain."""

    class Dispatcher(User):
        @task
        def dispatch(self) -> None:
            loop.dispatch()
            raise StopUser

    environment = Environment(user_classes=[Dispatcher], host=url)
    loop.tell = locust_statistics(environment)
    runner = environment.create_local_runner()
    runner.start(1, spawn_rate=1)
    loop.dispatched.wait()
    loop.drain()
    runner.quit()


def locust_statistics(environment: Environment) -> Callable[[Observation], None]:
    """Report every transfer to Locust twice: when it was answered and when it was visible."""

    def tell(seen: Observation) -> None:
        moments: dict[str, Any] = {
            "answered": seen.answered_seconds,
            "visible": seen.ended.upper_seconds if seen.ended else None,
        }
        for name, seconds in moments.items():
            environment.events.request.fire(  # type: ignore[no-untyped-call]
                request_type="TRANSFER",
                name=name,
                response_time=(seconds or 0.0) * 1e3,
                response_length=0,
                exception=None if seconds is not None else TimeoutError(f"never {name}"),
                context={},
            )

    return tell
