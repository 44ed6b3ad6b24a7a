"""How a process over several aggregates is driven to its end.

A saga is a pure table: what comes first, which command a step is, and which step follows a result.
Each step's command has a key derived from the process and the step, so sending it again is
harmless: the log answers with what came of it the first time. There is one code path with two
triggers: the fast path sends the next step as soon as the one before is committed; the slow path
(the timer here, and Follower for processes that another worker left behind) sends the current step
again.

A saga never runs inside a projection: rebuilding a read model can never send a command.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from .command import Command, Decide, Result
from .event import Recorded

RETRY_SECONDS = 0.5
"""A step that failed is sent again after this."""
DEADLINE_SECONDS = 1.5
"""A process that has not got this far turns back."""
TICK_SECONDS = 0.05

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Process:
    """One running instance. `subject` is whatever the saga needs to know of it; times are seconds
    of the loop's clock.
    """

    id: str
    subject: Any
    step: Any
    started: float
    moved: float
    is_under_way: bool = False
    """Its step's command waits to be answered; it will be, or it will fail."""
    events: list[Recorded] = field(default_factory=list)
    """What its steps led to so far, as far as this process saw."""
    last: Result | None = None
    """What its last step led to."""
    waiters: "list[asyncio.Future[bool]]" = field(default_factory=list)


@dataclass(slots=True)
class StepCommand:
    """What a step asks of which streams, under which key (None: the decider itself knows
    repeats).
    """

    streams: tuple[str, ...]
    decide: Decide
    meta: str
    key: Any = None


class Saga(Protocol):
    """The table of one kind of process; everything here is pure."""

    def command(self, process: Process, step: Any, now: datetime) -> StepCommand:
        """The command a step is."""
        ...

    def following(self, process: Process, step: Any, result: Result) -> Any | None:
        """The step after this one had that result, None at the end."""
        ...

    def overdue(self, process: Process, step: Any) -> Any:
        """The step to take instead when the deadline has passed; the same step when there is no
        way back.
        """
        ...


class SagaDriver:
    """Drives the processes that began in this process, or were picked up by it."""

    def __init__(
        self, saga: Saga, submit: Callable[[Command], None], now: Callable[[], datetime]
    ) -> None:
        self._saga = saga
        self._submit = submit
        self._now = now
        self._processes: dict[str, Process] = {}
        self._begun = asyncio.Event()

    def __contains__(self, process_id: object) -> bool:
        return process_id in self._processes

    def __len__(self) -> int:
        return len(self._processes)

    def find(self, process_id: str) -> Process | None:
        """The process, while it runs here."""
        return self._processes.get(process_id)

    def drive(self, process_id: str, subject: Any, step: Any) -> Process:
        """Drive a process from this step on; one that is driven already goes on as it is."""
        running = self._processes.get(process_id)
        if running is not None:
            return running
        now = asyncio.get_running_loop().time()
        process = Process(process_id, subject, step, started=now, moved=now)
        self._processes[process_id] = process
        self._begun.set()
        self._send(process)
        return process

    def divert(self, process_id: str, subject: Any, step: Any) -> Process:
        """Go on from this step, whatever the process was doing: the answer it waits for no longer
        counts.
        """
        running = self._processes.get(process_id)
        if running is None:
            return self.drive(process_id, subject, step)
        running.step = step
        self._send(running)
        return running

    async def ended(self, process: Process, seconds: float) -> bool:
        """Wait until a process ends, for so many seconds; whether it did."""
        if process.id not in self._processes:
            return True
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[bool] = loop.create_future()
        process.waiters.append(waiter)
        timer = loop.call_later(seconds, _tell, waiter, False)
        try:
            return await waiter
        finally:
            timer.cancel()

    async def run(self) -> None:
        """The slow path: send unanswered steps again, turn back what is overdue, for ever."""
        while True:
            if not self._processes:
                self._begun.clear()
                await self._begun.wait()
            await asyncio.sleep(TICK_SECONDS)
            now = asyncio.get_running_loop().time()
            for process in list(self._processes.values()):
                try:
                    self._look_after(process, now)
                except Exception:
                    logger.exception("saga step %s cannot be sent", process.step)

    def _look_after(self, process: Process, now: float) -> None:
        if now - process.started >= DEADLINE_SECONDS:
            self._turn_back(process, now)
        elif self._is_stuck(process, now):
            self._send(process)

    def _is_stuck(self, process: Process, now: float) -> bool:
        """A step under way is left in peace: to send it again would only add to the load."""
        return not process.is_under_way and now - process.moved >= RETRY_SECONDS

    def _turn_back(self, process: Process, now: float) -> None:
        step = self._saga.overdue(process, process.step)
        if step != process.step or self._is_stuck(process, now):
            process.step = step
            self._send(process)

    def _send(self, process: Process) -> None:
        step = process.step
        process.moved = asyncio.get_running_loop().time()
        process.is_under_way = False
        asked = self._saga.command(process, step, self._now())
        process.is_under_way = True

        def done(result: Result) -> None:
            self._answered(process, step, result)

        def failed(error: Exception) -> None:
            if process.step == step:
                process.is_under_way = False
            logger.warning(
                "saga step %s failed (%s); it will be sent again", step, type(error).__name__
            )

        try:
            self._submit(
                Command(asked.streams, asked.decide, asked.meta, done, failed, key=asked.key)
            )
        except Exception as error:  # noqa: BLE001 (overloaded or closing: the timer tries again)
            failed(error)

    def _answered(self, process: Process, step: Any, result: Result) -> None:
        if process.step != step or self._processes.get(process.id) is not process:
            return  # the answer to a step sent twice, or overtaken by the deadline
        process.events += result.events
        process.last = result
        following = self._saga.following(process, step, result)
        if following is None:
            if result.rejection is not None:  # the follower will find it unfinished
                logger.error("saga step %s was rejected: %s", step, result.rejection.code)
            self._end(process)
        else:
            process.step = following
            self._send(process)

    def _end(self, process: Process) -> None:
        del self._processes[process.id]
        for waiter in process.waiters:
            _tell(waiter, True)


def _tell(waiter: "asyncio.Future[bool]", has_ended: bool) -> None:
    if not waiter.done():
        waiter.set_result(has_ended)
