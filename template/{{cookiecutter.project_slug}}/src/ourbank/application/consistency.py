"""Read your writes: what a consistency token says, and how a read waits for it.

A token is a vector of positions, one a partition, with the incarnation of the log it was made
from. It says: I have seen this much. A read that brings one is answered from a read model only
when that has come as far.
"""

import asyncio
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Protocol

from ..eventsourcing.projection import Advance


class TokenError(ValueError):
    """Not a token of this log."""


class NotYetConsistentError(Exception):
    """The read model has not come as far as the token within the time given."""


_TOKEN = re.compile(r"([0-9a-z]+)((?:\.[0-9]{1,4}-[0-9]{1,18})*)")


def token(incarnation: str, positions: Mapping[int, int]) -> str:
    """The token for having seen these positions."""
    text = incarnation + "".join(f".{n}-{at}" for n, at in sorted(positions.items()))
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def positions(incarnation: str, text: str) -> dict[int, int]:
    """The positions in a token; TokenError when it is not one, or of another incarnation."""
    decoded = ""
    with suppress(ValueError):
        decoded = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii")
    match = _TOKEN.fullmatch(decoded)
    if match is None or match[1] != incarnation:
        raise TokenError
    pairs = (part.split("-") for part in match[2].split(".")[1:])
    return {int(n): int(at) for n, at in pairs}


class Checkpoints(Protocol):
    """Where the checkpoints of all read models can be looked up."""

    async def positions(self, read_model: str) -> dict[int, int]:
        """How far a read model has come, by partition."""
        ...


class Freshness:
    """Knows how far the read models have come: from the projector of this process, else by asking
    the store.
    """

    POLL_SECONDS = 0.01

    def __init__(self, store: Checkpoints) -> None:
        self._store = store
        self._known: dict[tuple[str, int], int] = {}
        self._waiters: list[asyncio.Future[None]] = []
        self._looking: dict[str, asyncio.Task[None]] = {}

    def advanced(self, advances: Sequence[Advance]) -> None:
        """The projector of this process has committed these."""
        for advance in advances:
            self._known[advance.read_model, advance.partition] = advance.after
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def position(self, read_model: str, partition: int) -> int:
        """How far a read model is known to have come in a partition."""
        return self._known.get((read_model, partition), 0)

    async def wait(self, read_model: str, partition: int, position: int, seconds: float) -> None:
        """Return once the read model has come that far; NotYetConsistentError when time is up."""
        try:
            async with asyncio.timeout(max(seconds, 0.001)):
                while self.position(read_model, partition) < position:
                    await self._look(read_model)
                    if self.position(read_model, partition) < position:
                        await self._next()
        except TimeoutError:
            raise NotYetConsistentError from None

    async def _look(self, read_model: str) -> None:
        """Ask the store, once for all who wait: each by itself would ask a hundred times a second."""
        looking = self._looking.get(read_model)
        if looking is None or looking.done():
            looking = self._looking[read_model] = asyncio.create_task(self._ask(read_model))
        await asyncio.shield(looking)

    async def _ask(self, read_model: str) -> None:
        for partition, at in (await self._store.positions(read_model)).items():
            known = self._known.get((read_model, partition), 0)
            self._known[read_model, partition] = max(known, at)

    async def _next(self) -> None:
        """Until something advanced here, or it is time to ask the store again."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        await asyncio.wait([waiter], timeout=self.POLL_SECONDS)
