"""Read your writes: what a consistency token says, and how a read waits for it.

A token is a vector of positions, one a partition, with the incarnation of the log it was made
from. It says: I have seen this much. A read that brings one is answered from a read model only
when that has come as far. Commits of read models do not wait for the disk, so a crash of the
server may take the last ones back: what was known before a new connection is doubted after it.
"""

import asyncio
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from typing import Protocol, TypeVar

from ..eventsourcing.projection import Advance

Found = TypeVar("Found")


class TokenError(ValueError):
    """Not a token of this log."""


class NotYetConsistentError(Exception):
    """The read model has not come as far as the token within the time given."""


_TOKEN = re.compile(r"([0-9a-z]+)((?:\.[0-9]{1,4}-[0-9]{1,18})*)")


def token(incarnation: str, positions: Mapping[int, int]) -> str:
    """The token for having seen these positions."""
    text = incarnation + "".join(f".{n}-{at}" for n, at in sorted(positions.items()))
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def positions(incarnation: str, partition_count: int, text: str) -> dict[int, int]:
    """The positions in a token; TokenError when it is not one, of another incarnation, or names a
    partition that there is none of.
    """
    decoded = ""
    with suppress(ValueError):
        decoded = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii")
    match = _TOKEN.fullmatch(decoded)
    if match is None or match[1] != incarnation:
        raise TokenError
    pairs = (part.split("-") for part in match[2].split(".")[1:])
    found = {int(n): int(at) for n, at in pairs}
    if any(n >= partition_count for n in found):
        raise TokenError
    return found


class Checkpoints(Protocol):
    """Where the checkpoints of all read models can be looked up."""

    async def positions(self, read_model: str) -> dict[int, int]:
        """How far a read model has come, by partition."""
        ...


_Waiter = tuple[int, "asyncio.Future[None]"]
"""A position somebody waits for, and how to tell them."""


class Freshness:
    """Knows how far the read models have come: from the projector of this process, else by asking
    the store.
    """

    POLL_SECONDS = 0.01

    def __init__(self, store: Checkpoints) -> None:
        self._store = store
        self._known: dict[tuple[str, int], int] = {}
        self._sure: set[tuple[str, int]] = set()
        """Of what is known, that which was learnt since the last new connection."""
        self._doubts = 0
        self._waiters: dict[str, dict[int, set[_Waiter]]] = defaultdict(lambda: defaultdict(set))
        self._looking: dict[str, asyncio.Task[None]] = {}
        self._watching: dict[str, asyncio.Task[None]] = {}

    def advanced(self, advances: Sequence[Advance]) -> None:
        """The projector of this process has committed these."""
        for advance in advances:
            self._learn(advance.read_model, advance.partition, advance.after)
            self._tell(advance.read_model, advance.partition)

    def doubt(self) -> None:
        """A connection is new: the server may be another, or may have crashed since the last."""
        self._sure.clear()
        self._doubts += 1

    def position(self, read_model: str, partition: int) -> int:
        """How far a read model had come in a partition when it was last heard of."""
        return self._known.get((read_model, partition), 0)

    def reached(self, read_model: str, positions: Mapping[int, int]) -> bool:
        """Whether it is sure that a read model has come as far as these positions."""
        return all(self._at(read_model, partition) >= at for partition, at in positions.items())

    async def read(
        self,
        read_model: str,
        positions: Mapping[int, int],
        seconds: float,
        read: Callable[[], Awaitable[Found]],
    ) -> Found:
        """What `read` finds when the read model has come as far as these positions;
        NotYetConsistentError when time is up. If that became doubtful meanwhile, it reads again.
        """
        clock = asyncio.get_running_loop().time
        until = clock() + seconds
        while True:
            for partition, position in positions.items():
                await self.wait(read_model, partition, position, until - clock())
            found = await read()
            if self.reached(read_model, positions):
                return found

    async def wait(self, read_model: str, partition: int, position: int, seconds: float) -> None:
        """Return once the read model has come that far; NotYetConsistentError when time is up."""
        if self._at(read_model, partition) >= position:
            return
        try:
            async with asyncio.timeout(max(seconds, 0.001)):
                while self._at(read_model, partition) < position:
                    await self._look(read_model)
                    if self._at(read_model, partition) < position:
                        await self._next(read_model, partition, position)
        except TimeoutError:
            raise NotYetConsistentError from None

    async def _look(self, read_model: str) -> None:
        """Ask the store, once for all who wait: two hundred of them would ask it 20,000 times a
        second.
        """
        looking = self._looking.get(read_model)
        if looking is None or looking.done():
            looking = self._looking[read_model] = asyncio.create_task(self._ask(read_model))
        await asyncio.shield(looking)

    async def _ask(self, read_model: str) -> None:
        doubts = -1
        while doubts != self._doubts:  # else it is perhaps from before a crash
            doubts = self._doubts
            found = await self._store.positions(read_model)
        for partition, at in found.items():
            self._learn(read_model, partition, max(self._at(read_model, partition), at))
            self._tell(read_model, partition)

    def _learn(self, read_model: str, partition: int, at: int) -> None:
        self._known[read_model, partition] = at
        self._sure.add((read_model, partition))

    def _at(self, read_model: str, partition: int) -> int:
        """How far it has surely come; 0 where that is not known."""
        place = read_model, partition
        return self._known[place] if place in self._sure else 0

    async def _next(self, read_model: str, partition: int, position: int) -> None:
        """Until it is known here to have come so far, or the store cannot be asked."""
        reached = asyncio.get_running_loop().create_future()
        waiters, waiter = self._waiters[read_model][partition], (position, reached)
        waiters.add(waiter)
        watching = self._watching.get(read_model)
        if watching is None or watching.done():
            self._watching[read_model] = asyncio.create_task(self._watch(read_model))
        try:
            await reached
        finally:
            waiters.discard(waiter)

    async def _watch(self, read_model: str) -> None:
        """Ask the store again and again, for as long as somebody waits. When it is away, let them
        find that out.
        """
        waiters = self._waiters[read_model]
        with suppress(Exception):
            while any(waiters.values()):
                await asyncio.sleep(self.POLL_SECONDS)
                await self._look(read_model)
        for _, reached in chain.from_iterable(waiters.values()):
            if not reached.done():
                reached.set_result(None)

    def _tell(self, read_model: str, partition: int) -> None:
        """Wake those whose position is reached, and nobody else."""
        at = self._at(read_model, partition)
        for position, reached in self._waiters[read_model][partition]:
            if position <= at and not reached.done():
                reached.set_result(None)
