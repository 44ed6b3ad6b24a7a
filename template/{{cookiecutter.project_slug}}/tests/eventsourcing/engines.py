"""Engines of one process or several on a log that a test may come between."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from ourbank.eventsourcing.aggregate import Versioned
from ourbank.eventsourcing.command import Decide, Result
from ourbank.eventsourcing.engine import Engine
from ourbank.eventsourcing.event import Recorded
from ourbank.eventsourcing.log import (
    LOAD_EVENTS_MAX,
    Append,
    Appended,
    Log,
    Outcome,
    SnapshotStore,
    StreamRange,
)
from ourbank.eventsourcing.metrics import NoMetrics

from .adapters import promptly
from .jars import CODEC, JARS, META, Jar, fill

Hook = Callable[[], Awaitable[None]]


async def _nothing() -> None:
    pass


class Interposed:
    """A log that remembers what it was asked; a test may act just before or after an append."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.partition_count = log.partition_count
        self.incarnation = log.incarnation
        self.batches: list[list[Append]] = []
        self.ranges: list[StreamRange] = []
        self.before_append: Hook = _nothing
        self.after_append: Hook = _nothing

    async def append(
        self, partition: int, appends: Sequence[Append], expected_head: int
    ) -> Appended:
        self.batches.append(list(appends))
        await self.before_append()
        appended = await self._log.append(partition, appends, expected_head)
        await self.after_append()
        return appended

    async def load(
        self, ranges: Sequence[StreamRange], limit: int = LOAD_EVENTS_MAX
    ) -> list[Recorded]:
        self.ranges.extend(ranges)
        return await self._log.load(ranges, limit)

    async def read(self, partition: int, after: int, limit: int) -> list[Recorded]:
        return await self._log.read(partition, after, limit)

    async def heads(self) -> list[int]:
        return await self._log.heads()

    async def outcomes(self, keys: Sequence[str]) -> dict[str, Outcome]:
        return await self._log.outcomes(keys)

    def once_before_append(self, act: Hook) -> None:
        """Do this before the next append, and not again."""

        async def hook() -> None:
            self.before_append = _nothing
            await act()

        self.before_append = hook

    def hold_appends(self) -> Callable[[], None]:
        """Let appends wait until what is returned is called."""
        resumed = asyncio.Event()

        async def hook() -> None:
            await resumed.wait()

        self.before_append = hook
        return resumed.set


def failing(error: Exception) -> Hook:
    """A hook that raises."""

    async def hook() -> None:
        raise error

    return hook


class PromptEngine(Engine):
    """An engine that fails instead of hanging."""

    async def execute(
        self, streams: tuple[str, ...], decide: Decide, meta: str, **options: Any
    ) -> Result:
        async with promptly():
            return await super().execute(streams, decide, meta, **options)

    async def read(self, stream_id: str) -> Versioned:
        async with promptly():
            return await super().read(stream_id)


@asynccontextmanager
async def running(
    log: Log, snapshots: SnapshotStore, *, cache_size: int = 1_000, snapshot_every: int = 1_000
) -> AsyncIterator[Engine]:
    """The write side of one process."""
    engine = PromptEngine(
        log,
        snapshots,
        JARS,
        CODEC,
        NoMetrics(),
        cache_size=cache_size,
        snapshot_every=snapshot_every,
    )
    engine.start()
    try:
        yield engine
    finally:
        await engine.stop()


async def filled_up(engine: Engine, stream: str, amount: int = 1) -> Result:
    return await engine.execute((stream,), fill(stream, amount), META)


async def level(engine: Engine, stream: str) -> int:
    """What a strong read says is in the jar."""
    state: Jar | None = (await engine.read(stream)).state
    return state.level if state else 0
