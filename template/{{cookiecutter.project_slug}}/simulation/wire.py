"""What lies between a process and what it calls: time, and the chance that nobody answers.

Whatever a process asked for goes on at the other end when the process dies, is stopped, or leaves:
what was sent arrives. Reads look at one moment, on the way there or on the way back.
"""

import asyncio
from collections.abc import Callable
from contextvars import Context
from functools import partial
from typing import Any, Protocol

from ourbank.bootstrap import CALL_SECONDS_MAX

from .faults import Fault, Kind
from .loop import running

FLUSHING = frozenset({"append", "renew", "claim", "release", "leave", "keep", "save"}) | {
    "purge_entries",
    "purge_transfers",
}
"""What waits for the disk, and so has everything before it on the disk too."""
CHANGING = FLUSHING | {"commit", "create", "request_erasure", "destroy", "finish_erasure"}
"""What does something: of the rest a lost answer is asked for again, and nobody is the wiser."""
LOOKS = frozenset({"heads"})
"""What is asked all the time takes no time of its own: when it comes is drawn by who asks. Nor is a
fault wasted on it, for a lost look is asked again at once.
"""
_SENT = frozenset({"append", "create", "request_erasure", "destroy", "finish_erasure"})
"""What is on its way once it is asked for, whatever becomes of who asked. Of the commits of read
models every second one is done at once, which says as much, and costs no task.
"""
_FATAL = {"append": Kind.CRASH_AT_COMMIT} | dict.fromkeys(
    ("create", "request_erasure", "destroy", "finish_erasure"), Kind.CRASH_AT_KEYS
)
"""What somebody dies of who hears no more that it is done."""


class Server(Protocol):
    """The other end."""

    @property
    def is_up(self) -> bool:
        """Whether it answers."""
        ...

    @property
    def generation(self) -> int:
        """Changes when it cuts everybody off."""
        ...


class Wire:
    """One process's way to a server; `unavailable` is the error of a lost call.

    `latency` draws seconds; `happens` says whether a fault is due; `called` is told what was done;
    `die` ends the process in the middle of a call.
    """

    def __init__(
        self,
        server: Server,
        unavailable: type[Exception],
        latency: Callable[[], float],
        happens: Callable[[Kind], Fault | None],
        called: Callable[[str], None],
        die: Callable[[], None],
    ) -> None:
        self._server = server
        self._unavailable = unavailable
        self._latency = latency
        self._happens = happens
        self._called = called
        self._die = die
        self._even = False
        self._generation = server.generation
        self._connected: Callable[[], None] = _nobody
        self._loop = running()

    def on_connect(self, listener: Callable[[], None]) -> None:
        """Tell it when something was asked over a new connection, before the answer is given."""
        self._connected = listener

    async def look(self, method: Callable[[], Any]) -> Any:
        """Ask for what changes nothing, and be told at once."""
        if not self._server.is_up:
            raise self._unavailable("the connection is lost")
        return await method()

    async def call(self, verb: str, method: Callable[..., Any], *arguments: Any) -> Any:
        """Ask, and wait for the answer. Every second call takes its time on the way there, the
        others on the way back.
        """
        self._even = is_even = not self._even
        is_sent = verb in _SENT
        if is_even and not is_sent:
            await self._travel()
        if verb == "commit" and (slow := self._happens(Kind.SLOW_PROJECTOR)):
            await asyncio.sleep(slow.seconds)
        if not self._server.is_up or self._happens(Kind.CONNECTION_LOST):
            raise self._unavailable("the connection is lost")
        generation = self._server.generation
        if generation != self._generation:
            self._generation = generation
            self._connected()
        if is_sent and (is_even or verb == "append"):
            sent = self._arrive(generation, is_even, verb, method, *arguments)
            answer = await _at_the_server(sent)
        else:
            answer = await method(*arguments)
            self._called(verb)
        if (fatal := _FATAL.get(verb)) is not None and self._happens(fatal):
            self._die()
            await asyncio.get_running_loop().create_future()  # the dead hear nothing
        if not is_even:
            await self._travel()
        lost = verb in CHANGING and self._happens(Kind.ANSWER_LOST)
        if generation != self._server.generation or lost:
            raise self._unavailable("the answer is lost")
        return answer

    async def _arrive(
        self, generation: int, travels: bool, verb: str, method: Callable[..., Any], *arguments: Any
    ) -> Any:
        """What was sent, at the server: it is done there even if nobody waits for it any more."""
        if travels:
            await self._travel()
        if generation != self._server.generation:
            raise self._unavailable("the connection was lost")
        answer = await method(*arguments)
        self._called(verb)
        return answer

    async def _travel(self) -> None:
        seconds = self._latency()
        await self._loop.sleep(min(seconds, CALL_SECONDS_MAX))
        if seconds > CALL_SECONDS_MAX:
            raise self._unavailable("no answer came in time")


def _nobody() -> None:
    """Wants to know."""


async def _at_the_server(work: Any) -> Any:
    """Run it as a task that no process owns, and wait for it."""
    task = asyncio.get_running_loop().create_task(work, context=Context())
    return await asyncio.shield(task)


def remote(target: Any, wire: Wire) -> Any:
    """A port at the other end of a wire."""
    return _Remote(target, wire)


class _Remote:
    """A port at the other end of a wire: the verbs of `target`, each a call."""

    def __init__(self, target: Any, wire: Wire) -> None:
        self._target = target
        self._wire = wire

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name)
        if not callable(found):
            return found
        if name in LOOKS:
            call = partial(self._wire.look, found)
        else:
            call = partial(self._wire.call, name, found)
        setattr(self, name, call)
        return call
