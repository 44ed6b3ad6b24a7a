"""An event loop of our own: virtual time, a seeded order, no way out into the real world.

Time stands still while anything can run and jumps to the next timer when nothing can, so a minute
of waiting costs nothing. What is ready runs in an order drawn from the seed: whatever rests on the
order in which two tasks happen to be woken, breaks here. A callback belongs to the simulated
process in whose context it was scheduled; of a process that was killed nothing ever runs again, not
even a `finally`, and one that is paused runs later.
"""

import asyncio
import heapq
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import Context, ContextVar, copy_context
from functools import partial
from random import Random
from typing import Any, NoReturn, Protocol

AT_ONCE_MAX = 100_000
"""Callbacks at one virtual instant; more means that something spins without waiting."""
SECONDS_MAX = 600.0
"""Virtual seconds of a run; more means that somebody waits for what never comes."""


class Owner(Protocol):
    """Whom a callback belongs to: a simulated process, in one of its lives.

    `steps` counts its callbacks; when they are `dies_at_step`, `crash` is called before the next.
    """

    alive: bool
    paused_until: float
    steps: int
    dies_at_step: int

    def crash(self) -> None:
        """Be dead from now on."""
        ...


_end_sleep = asyncio.futures._set_result_unless_cancelled  # type: ignore[attr-defined] # noqa: SLF001
"""What `asyncio.sleep` asks a loop to call."""

OWNER: ContextVar[Owner | None] = ContextVar("OWNER", default=None)
"""The process whose code is running; None for the world around it."""


_NOBODY = Context()


class RealWorldError(Exception):
    """Simulated code reached for a thread, a socket, a file descriptor or a child process."""


class StuckError(Exception):
    """Nothing is left that could ever run, or something runs for ever at one instant."""


class Handle:
    """A callback that waits for its turn; those of the standard library cost three times as much,
    and half of what a run does is to make them.
    """

    __slots__ = ("args", "callback", "context", "is_cancelled", "when")

    def __init__(
        self,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        context: Context,
        when: float = 0.0,
    ) -> None:
        self.callback = callback
        self.args = args
        self.context = context
        self.when = when
        self.is_cancelled = False

    def cancel(self) -> None:
        """Let it never run."""
        self.is_cancelled = True


class SimulatedLoop(asyncio.BaseEventLoop):
    """`steps` counts the callbacks that ran; `time()` is virtual seconds since the beginning."""

    def __init__(self, dice: Random) -> None:
        super().__init__()
        self.steps = 0
        self._now = 0.0
        self._dice = dice
        self._waiting: list[Handle] = []
        self._timers: list[tuple[float, int, Handle]] = []
        self._timer_count = 0
        self.create_future = partial(asyncio.Future, loop=self)  # type: ignore[method-assign]
        self.get_debug = bool  # type: ignore[method-assign] # asked for every future: this is quick
        self.tasks: list[tuple[Owner | None, asyncio.Task[Any]]] = []
        """Every task, and whose it is."""

    def time(self) -> float:
        """Virtual seconds."""
        return self._now

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Handle:
        """At this instant, in no order that anybody may rely on."""
        handle = Handle(callback, args, copy_context() if context is None else context)
        self._waiting.append(handle)
        return handle

    def call_later(  # type: ignore[override]
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> Handle:
        """So many virtual seconds from now."""
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> Handle:
        """When virtual time has come so far."""
        handle = Handle(callback, args, copy_context() if context is None else context, when)
        self._timer_count += 1
        heapq.heappush(self._timers, (when, self._timer_count, handle))
        return handle

    def sleep(self, seconds: float) -> "asyncio.Future[None]":
        """As `asyncio.sleep`, for those who sleep all the time."""
        slept: asyncio.Future[None] = self.create_future()
        self.call_at(self._now + seconds, _end_sleep, slept, None, context=_NOBODY)
        return slept

    def create_task(  # type: ignore[override]
        self,
        coro: Coroutine[Any, Any, Any],
        *,
        name: str | None = None,
        context: Context | None = None,
    ) -> "asyncio.Task[Any]":
        """A task that belongs to whoever makes it, or to whom the context names. It is kept to the
        end of the run, for of what nobody keeps the `finally` would run.
        """
        task = asyncio.Task(coro, loop=self, name=name, context=context)
        self.tasks.append((OWNER.get() if context is None else context.get(OWNER), task))
        return task

    def bury(self) -> None:
        """End what is left of a run that is over. Left to the garbage collector, the `finally` of
        the dead would run in the middle of the next run.
        """
        for _, task in self.tasks:
            if not task.done():
                task._log_destroy_pending = False  # type: ignore[attr-defined] # noqa: SLF001
                with suppress(Exception):  # no loop runs any more, so much in a `finally` fails
                    task.get_coro().close()
        self.tasks.clear()
        self._waiting.clear()
        self._timers.clear()
        self.close()

    def _run_once(self) -> None:
        """Everything that is ready, in drawn order; then time goes on to the next timer; and so on
        until the loop is stopped.
        """
        waiting, random, run = self._waiting, self._dice.random, self._run
        last = self.steps + AT_ONCE_MAX
        while not self._stopping:  # type: ignore[attr-defined]
            if not waiting:
                self._go_on()
                last = self.steps + AT_ONCE_MAX
                continue
            handle = waiting.pop()
            n = int(random() * (len(waiting) + 1)) if waiting else 0
            if n:
                handle, waiting[n - 1] = waiting[n - 1], handle
            run(handle)
            if self.steps > last:
                raise StuckError(f"{AT_ONCE_MAX:,} steps at one instant: something never waits")

    def _run(self, handle: Handle) -> None:
        """Not if it belongs to the dead; and of the paused only later."""
        if handle.is_cancelled:
            return
        context = handle.context
        owner = context.get(OWNER)
        if owner is not None:
            owner.steps += 1
            if owner.steps == owner.dies_at_step:
                owner.crash()
            if not owner.alive:
                return
            if owner.paused_until > self._now:
                self.call_at(owner.paused_until, self._run, handle, context=Context())
                return
        self.steps += 1
        try:
            context.run(handle.callback, *handle.args)
        except Exception as error:  # noqa: BLE001 (as the loop of the standard library does)
            message = f"{handle.callback!r} raised"
            self.call_exception_handler({"message": message, "exception": error, "handle": handle})

    def _go_on(self) -> None:
        """To the next timer that was not cancelled, and all that are due with it."""
        timers = self._timers
        while timers and timers[0][2].is_cancelled:
            heapq.heappop(timers)
        if not timers:
            raise StuckError("everything waits, and nothing will ever wake it")
        if self._now > SECONDS_MAX:
            raise StuckError(f"not at an end after {SECONDS_MAX} s: somebody waits for ever")
        self._now = max(self._now, timers[0][0])
        while timers and timers[0][0] <= self._now:
            handle = heapq.heappop(timers)[2]
            if handle.callback is _end_sleep:  # nobody's code: it only wakes who slept
                handle.callback(*handle.args)
            else:
                self._waiting.append(handle)

    def _asyncgen_finalizer_hook(self, agen: object) -> None:
        """Nobody ends the generators of the dead; those of the living have nothing to end."""

    # Fences

    def _fence(self, *_: object, **__: object) -> NoReturn:
        raise RealWorldError("simulated code may only wait for time and for other simulated code")

    _write_to_self = _process_events = _add_reader = _add_writer = _fence
    add_reader = add_writer = add_signal_handler = run_in_executor = _fence
    getaddrinfo = getnameinfo = create_connection = create_server = _fence
    subprocess_exec = subprocess_shell = connect_read_pipe = connect_write_pipe = _fence
    call_soon_threadsafe = sock_recv = sock_sendall = sock_connect = sock_accept = _fence


def running() -> SimulatedLoop:
    """The loop this is called in."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SimulatedLoop)  # noqa: S101 (nothing else runs it)
    return loop
