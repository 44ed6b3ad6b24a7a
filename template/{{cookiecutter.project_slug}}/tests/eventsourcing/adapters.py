"""A log of each kind, and what a test needs to be unkind to it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Protocol

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncTransaction

from ourbank.eventsourcing.log import Append, Log, SnapshotStore
from ourbank.eventsourcing.memory import MemoryLog, MemorySnapshots
from ourbank.eventsourcing.postgres import (
    _APPEND,
    PostgresLog,
    PostgresSnapshots,
    _columns,
)

from .jars import CODEC
from tests.conftest import PARTITIONS

HEAD_UNKNOWN = -1


class PausedWriter(Protocol):
    """A writer that has inserted and not committed."""

    async def commit(self) -> None:
        """Go on."""
        ...

    async def roll_back(self) -> None:
        """Leave nothing behind."""
        ...


class Adapter(Protocol):
    """One kind of log."""

    @property
    def log(self) -> Log:
        """The log under test."""
        ...

    @property
    def snapshots(self) -> SnapshotStore:
        """The snapshot store beside it."""
        ...

    async def another(self) -> Log:
        """The same log as another process opens it."""
        ...

    async def pause(self, partition: int, appends: Sequence[Append]) -> PausedWriter:
        """Begin an append, and stop between insert and commit."""
        ...

    async def turn_the_clock_back(self, by: timedelta) -> None:
        """Let what is in the log lie so far in the future."""
        ...


class _RolledBack(Exception):  # noqa: N818 (no fault: it was asked for)
    pass


class _PausedInMemory:
    def __init__(self) -> None:
        self.inserted = asyncio.Event()
        self.resumed = asyncio.Event()
        self.is_doomed = False
        self.writing: asyncio.Task[object] | None = None

    async def commit(self) -> None:
        self.resumed.set()
        assert self.writing is not None
        await self.writing

    async def roll_back(self) -> None:
        self.is_doomed = True
        self.resumed.set()
        assert self.writing is not None
        await asyncio.gather(self.writing, return_exceptions=True)
        assert isinstance(self.writing.exception(), _RolledBack)


class MemoryAdapter:
    """The log in memory; its gate is where a writer is paused."""

    def __init__(self) -> None:
        self._behind = timedelta()
        self.log = MemoryLog(CODEC, PARTITIONS, lambda: datetime.now(UTC) - self._behind)
        self.snapshots = MemorySnapshots()

    async def another(self) -> Log:
        return self.log

    async def pause(self, partition: int, appends: Sequence[Append]) -> PausedWriter:
        paused = _PausedInMemory()

        async def writing() -> object:
            task = asyncio.current_task()
            before = self.log.commit_gate

            async def gate(number: int) -> None:
                if asyncio.current_task() is not task:
                    return await before(number)
                paused.inserted.set()
                await paused.resumed.wait()
                if paused.is_doomed:
                    raise _RolledBack
                return None

            self.log.commit_gate = gate
            return await self.log.append(partition, appends, HEAD_UNKNOWN)

        paused.writing = asyncio.create_task(writing())
        await paused.inserted.wait()
        return paused

    async def turn_the_clock_back(self, by: timedelta) -> None:
        self._behind += by


class _PausedTransaction:
    def __init__(self, connection: AsyncConnection, transaction: AsyncTransaction) -> None:
        self._connection = connection
        self._transaction = transaction

    async def commit(self) -> None:
        await self._transaction.commit()
        await self._connection.close()

    async def roll_back(self) -> None:
        await self._transaction.rollback()
        await self._connection.close()


class PostgresAdapter:
    """The log in PostgreSQL; a paused writer is a transaction left open."""

    def __init__(self, engine: AsyncEngine, log: PostgresLog) -> None:
        self._engine = engine
        self.log = log
        self.snapshots = PostgresSnapshots(engine)

    @classmethod
    async def open(cls, engine: AsyncEngine) -> "PostgresAdapter":
        return cls(engine, await PostgresLog.open(engine, CODEC, PARTITIONS))

    async def another(self) -> Log:
        return await PostgresLog.open(self._engine, CODEC, PARTITIONS)

    async def pause(self, partition: int, appends: Sequence[Append]) -> PausedWriter:
        connection = await self._engine.connect()
        transaction = await connection.begin()
        arguments = {**_columns(appends), "partition": partition, "expected_head": HEAD_UNKNOWN}
        await connection.execute(_APPEND, arguments)
        return _PausedTransaction(connection, transaction)

    async def turn_the_clock_back(self, by: timedelta) -> None:
        async with self._engine.begin() as connection:
            later = text("update events set recorded_at = recorded_at + :by")
            await connection.execute(later, {"by": by})


@asynccontextmanager
async def promptly(seconds: float = 30) -> AsyncIterator[None]:
    """Fail instead of hanging. No test is decided by how fast the machine is."""
    async with asyncio.timeout(seconds):
        yield


async def until(condition: Callable[[], bool]) -> None:
    """Wait for this, however long it takes within reason."""
    async with promptly():
        while not condition():  # noqa: ASYNC110 (nobody sets an event for it)
            await asyncio.sleep(0.002)


async def let_run() -> None:
    """Give others every chance to do what they must not."""
    for _ in range(20):
        await asyncio.sleep(0.002)
