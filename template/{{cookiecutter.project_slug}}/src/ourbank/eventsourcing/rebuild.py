"""Make a read model anew beside the one that serves, and put it in its place.

The new table is filled from the beginning of the log, page by page, while the old one goes on
serving and advancing. When it has nearly caught up, the old one's checkpoints are held still for a
moment, the last events are folded, and the new table takes the old one's place in one transaction,
which also ends the epochs of all leases: workers remember rows of the old table, and begin anew.
A rebuild only folds: it can never send a command.

Whoever reads queues behind one who waits to change a table. So the cut-over waits for its locks
only briefly, lets everybody pass, folds on, and tries again. It is done in the session that holds
the lock of the rebuild: one that lost the lock can change nothing any more.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from sqlalchemy import MetaData, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from .connections import connected
from .log import Log
from .postgres_projection import PostgresReadModels
from .projection import NO_LEASE, Projector, ReadModel
from .subscription import Feed

NEARLY_EVENTS = 1_000
"""The old read model is held still when the new one lacks no more than this."""
LOCK_SECONDS_MAX = 0.2
"""How long the cut-over waits for a lock at a time; reads wait with it."""
PAUSE_SECONDS = 2.0
"""How long reads are left alone before the next try."""
CUT_OVER_SECONDS_MAX = 900.0
"""After so long the cut-over is given up."""

Progress = Callable[[int, int], None]
"""Told how many events were folded, of how many."""


class RebuildError(Exception):
    """The read model cannot be rebuilt now; the old one goes on serving as it was."""


class Rebuild:
    """One rebuild of one read model; `throttle_seconds` is slept after each page."""

    def __init__(
        self,
        model: ReadModel,
        log: Log,
        engine: AsyncEngine,
        progress: Progress,
        throttle_seconds: float = 0.0,
    ) -> None:
        self._model = model
        self._log = log
        self._engine = engine
        self._progress = progress
        self._throttle_seconds = throttle_seconds
        new_table = model.table.to_metadata(MetaData(), name=f"{model.name}_new")
        self._new = replace(model, name=f"{model.name}@new", table=new_table)
        partitions = range(log.partition_count)
        self._feeds = [Feed(number, log, events_max=0) for number in partitions]  # one reader
        store = PostgresReadModels(engine)
        self._projector = Projector([self._new], store, self._feeds, lambda _advances: None)

    async def run(self) -> int:
        """Rebuild; how many events were read. Cut short, it starts again from nothing the next
        time.

        RebuildError while another process rebuilds the same read model, or where its table could
        not be locked for a long time.
        """
        async with self._alone() as connection:
            await self._clear(connection)
            try:
                await self._rebuild(connection)
            except RebuildError:
                with suppress(RebuildError, DBAPIError):  # then the next one clears up
                    await self._clear(connection)
                raise
        return sum(self._projector.positions().values())

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[AsyncConnection]:
        """A session that holds the lock of this rebuild; the lock ends with the session."""
        name = {"name": self._model.name}
        async with connected(self._engine) as connection:
            async with connection.begin():
                is_ours = (await connection.execute(_LOCK, name)).scalar_one()
            if not is_ours:
                msg = f"{self._model.name} is being rebuilt already: wait until that has ended"
                raise RebuildError(msg)
            try:
                yield connection
            finally:
                async with connection.begin():
                    await connection.execute(_UNLOCK, name)

    @asynccontextmanager
    async def _briefly(self, connection: AsyncConnection) -> AsyncIterator[None]:
        """A transaction that does not wait for locks for long; RebuildError."""
        try:
            async with connection.begin():
                await connection.execute(_WAIT_BRIEFLY)
                yield
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE:
                raise
            msg = f"{self._model.name} is in use (by a pg_dump?): rebuild it when that has ended"
            raise RebuildError(msg) from error

    async def _clear(self, connection: AsyncConnection) -> None:
        """Leave nothing of a rebuild that was cut short."""
        async with self._briefly(connection):
            await connection.execute(text(f"drop table if exists {self._new.table.name}"))
            for change in (_FORGET_CHECKPOINTS, _FORGET_PARKED):
                await connection.execute(change, {"name": self._new.name})

    async def _rebuild(self, connection: AsyncConnection) -> None:
        new, old = self._new.table.name, self._model.name
        async with connection.begin():
            await connection.execute(text(f"create table {new} (like {old} including all)"))
        for number in range(self._log.partition_count):
            await self._projector.hold(number, NO_LEASE)
        await self._fold_to_head()
        clock = asyncio.get_running_loop().time
        give_up_at = clock() + CUT_OVER_SECONDS_MAX
        while True:
            try:
                return await self._cut_over(connection)
            except RebuildError:
                if clock() > give_up_at:
                    raise
            await asyncio.sleep(PAUSE_SECONDS)
            await self._fold_to_head()

    async def _fold_to_head(self) -> None:
        """Fold until what is missing is not worth mentioning."""
        while True:
            heads = await self._log.heads()
            done = await self._fold_to(heads)
            if sum(await self._log.heads()) - done <= NEARLY_EVENTS:
                return

    async def _fold_to(self, positions: Sequence[int]) -> int:
        """Fold up to these positions, and tell how it goes."""
        for feed, position in zip(self._feeds, positions, strict=True):
            feed.saw(position)
        while await self._projector.advance():
            self._progress(sum(self._projector.positions().values()), sum(positions))
            await asyncio.sleep(self._throttle_seconds)
        return sum(self._projector.positions().values())

    async def _cut_over(self, connection: AsyncConnection) -> None:
        """Hold the old one still, fold the rest, and put the new one in its place, or nothing."""
        async with self._briefly(connection):
            await self._fold_to(await self._hold_still(connection))
            await self._replace(connection)

    async def _hold_still(self, connection: AsyncConnection) -> list[int]:
        """Lock the old read model's checkpoints; whoever would advance it waits. This transaction
        is idle while the rest is folded.
        """
        await connection.execute(text("set local idle_in_transaction_session_timeout = '60s'"))
        rows = await connection.execute(_CHECKPOINTS, {"name": self._model.name})
        at = {row.partition: row.position for row in rows}
        return [at.get(number, 0) for number in range(self._log.partition_count)]

    async def _replace(self, connection: AsyncConnection) -> None:
        """The old table goes: no erasure would reach it any more."""
        name = self._model.name
        for statement in (
            f"drop table if exists {name}_old",  # which was kept once
            f"drop table {name}",
            f"alter table {self._new.table.name} rename to {name}",
        ):
            await connection.execute(text(statement))
        names = {"name": name, "new": self._new.name}
        for change in (
            _FORGET_PARKED,
            _RENAME_PARKED,
            _FORGET_CHECKPOINTS,  # who waits for one of these finds it gone
            _RENAME_CHECKPOINTS,  # the new one may have come further, where nobody advanced the old
            _END_EPOCHS,
        ):
            await connection.execute(change, names)


LOCK_NOT_AVAILABLE = "55P03"
"""PostgreSQL's SQLSTATE for a lock that was waited for too long."""

_LOCK = text("select pg_try_advisory_lock(4244, hashtext(cast(:name as text)))")
_UNLOCK = text("select pg_advisory_unlock(4244, hashtext(cast(:name as text)))")
_WAIT_BRIEFLY = text(f"set local lock_timeout = {LOCK_SECONDS_MAX * 1000:.0f}")
_CHECKPOINTS = text("""
    select partition, position from checkpoints where read_model = :name for update
""")
_FORGET_CHECKPOINTS = text("delete from checkpoints where read_model = :name")
_RENAME_CHECKPOINTS = text("update checkpoints set read_model = :name where read_model = :new")
_END_EPOCHS = text("update leases set epoch = epoch + 1")
_FORGET_PARKED = text("delete from parked_events where read_model = :name")
_RENAME_PARKED = text("update parked_events set read_model = :name where read_model = :new")
