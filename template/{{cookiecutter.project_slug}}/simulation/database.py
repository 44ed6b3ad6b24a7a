"""The database as the bank's processes see it: one server, in memory, that can go away.

What is committed stays. Read models are written without waiting for the disk, so a crash of the
server may lose the last of these transactions, rows and checkpoints together; whatever is committed
after them with waiting flushes them too.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import Context, ContextVar
from datetime import datetime
from typing import Any

from ourbank.bootstrap import CALL_SECONDS_MAX, CODEC
from ourbank.eventsourcing.log import (
    Append,
    Appended,
    LogUnavailableError,
)
from ourbank.eventsourcing.memory import MemoryLog, MemorySnapshots
from ourbank.eventsourcing.memory_projection import (
    MemoryLeases,
    MemoryReadModels,
)
from ourbank.eventsourcing.projection import (
    Advance,
    Changes,
    ReadModel,
)

FLUSHED_SECONDS = 0.6
"""PostgreSQL's WAL writer has an asynchronous commit on disk after three of its turns."""

_GENERATION: ContextVar[int] = ContextVar("_GENERATION")
_STATEMENT: ContextVar[asyncio.Timeout | None] = ContextVar("_STATEMENT", default=None)
"""Ends the statement that waits for a lock."""


class LossyReadModels(MemoryReadModels):
    """Remembers what was there before each commit that the disk may not have seen."""

    def __init__(self, leases: MemoryLeases, clock: Callable[[], float]) -> None:
        super().__init__(leases)
        self._clock = clock
        self._unflushed: list[tuple[float, Callable[[], None]]] = []

    async def commit(
        self,
        models: Mapping[str, ReadModel],
        changes: Mapping[str, Changes],
        advances: Sequence[Advance],
    ) -> None:
        """As the port says, and undone by a crash that comes soon."""
        undo = self._undo(changes, advances)
        await super().commit(models, changes, advances)
        self._unflushed.append((self._clock(), undo))

    def flush(self) -> None:
        """All of it is on disk."""
        self._unflushed.clear()

    def crash(self) -> int:
        """Lose what was not; how many transactions."""
        since = self._clock() - FLUSHED_SECONDS
        lost = [undo for at, undo in self._unflushed if at > since]
        for undo in reversed(lost):
            undo()
        self._unflushed.clear()
        return len(lost)

    def _undo(
        self, changes: Mapping[str, Changes], advances: Sequence[Advance]
    ) -> Callable[[], None]:
        rows = {
            name: {key: self.rows.get(name, {}).get(key) for key in change.rows}
            for name, change in changes.items()
        }
        parked = len(self.parked_events)

        def undo() -> None:
            for name, before in rows.items():
                now: dict[Any, Any] = self.rows.setdefault(name, {})
                now.update(before)
                for key in [key for key, row in before.items() if row is None]:
                    del now[key]
            del self.parked_events[parked:]
            for advance in advances:
                self.put_back(advance)

        return undo


class ServedLog(MemoryLog):
    """Of an append that began before a crash nothing is ever seen after it."""

    generation = 0

    async def lock(self, partition: int, seconds: float) -> None:
        """Somebody else's transaction: who appends to the partition waits for its end."""
        async with self._locks[partition]:
            await asyncio.sleep(seconds)

    async def append(
        self, partition: int, appends: Sequence[Append], expected_head: int
    ) -> Appended:
        """As the port says; runs in a task of its own. A statement that waits too long is ended."""
        _GENERATION.set(self.generation)
        if not self._locks[partition].locked():
            return await super().append(partition, appends, expected_head)
        try:
            async with asyncio.timeout(CALL_SECONDS_MAX) as limit:
                _STATEMENT.set(limit)
                return await super().append(partition, appends, expected_head)
        except TimeoutError:
            raise LogUnavailableError("canceling statement due to statement timeout") from None


class Database:
    """One server. `before_commit` is awaited with the partition between insert and commit."""

    def __init__(
        self,
        partition_count: int,
        now: Callable[[], datetime],
        before_commit: Callable[[int], Awaitable[None]],
    ) -> None:
        clock = asyncio.get_running_loop().time
        self.is_up = True
        self.generation = 0
        """Goes up with every crash: who was connected before is not any more."""
        self.log = ServedLog(CODEC, partition_count, now)
        self.log.commit_gate = self._gate
        self.snapshots = MemorySnapshots()
        self.leases = MemoryLeases(partition_count, clock)
        self.read_models = LossyReadModels(self.leases, clock)
        self._before_commit = before_commit
        self._strangers: list[asyncio.Task[None]] = []

    async def _gate(self, partition: int) -> None:
        if (limit := _STATEMENT.get()) is not None:
            limit.reschedule(None)  # the commit is a statement of its own
        await self._before_commit(partition)
        if _GENERATION.get() != self.generation:
            raise LogUnavailableError("the server went away")

    def lock(self, partition: int, seconds: float) -> None:
        """Let somebody else hold a partition, for so long or until the server goes away."""
        locking = self.log.lock(partition, seconds)
        self._strangers.append(asyncio.get_running_loop().create_task(locking, context=Context()))

    def crash(self) -> int:
        """Cut everybody off, and forget what was not flushed; how many transactions that were."""
        self.is_up = False
        self.generation += 1
        self.log.generation = self.generation
        self._cut_strangers()
        return self.read_models.crash()

    def restart(self) -> None:
        """Be there again, and let nobody else be in the way."""
        self._cut_strangers()
        self.is_up = True

    def _cut_strangers(self) -> None:
        for stranger in self._strangers:
            stranger.cancel()
        self._strangers.clear()
