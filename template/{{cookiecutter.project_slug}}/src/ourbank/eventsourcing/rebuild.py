"""Make a read model anew beside the one that serves, and put it in its place.

The new table is filled from the beginning of the log, page by page, while the old one goes on
serving and advancing. When it has nearly caught up, the old one's checkpoints are held still for a
moment, the last events are folded, and the tables change names in one transaction, which also ends
the epochs of all leases: workers remember rows of the old table, and begin anew. The old table
stays as NAME_old until the next rebuild. A rebuild only folds: it can never send a command.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from sqlalchemy import MetaData, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from .connections import connected
from .log import Log
from .postgres_projection import PostgresReadModels
from .projection import NO_LEASE, Projector, ReadModel
from .subscription import Feed

NEARLY_EVENTS = 1_000
"""The old read model is held still when the new one lacks no more than this."""

Progress = Callable[[int, int], None]
"""Told how many events were folded, of how many."""


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
        self._store = PostgresReadModels(engine)
        new_table = model.table.to_metadata(MetaData(), name=f"{model.name}_new")
        self._new = replace(model, name=f"{model.name}@new", table=new_table)
        partitions = range(log.partition_count)
        self._feeds = [Feed(number, log, events_max=0) for number in partitions]  # one reader

    async def run(self) -> int:
        """Rebuild; how many events were read. Cut short, it starts again from nothing the next
        time.
        """
        await self._begin()
        projector = Projector([self._new], self._store, self._feeds, lambda _advances: None)
        for number in range(self._log.partition_count):
            await projector.hold(number, NO_LEASE)
        await self._fold_to_head(projector)
        async with connected(self._engine) as connection, connection.begin():
            positions = await self._hold_still(connection)
            await self._fold_to(projector, positions)
            await self._cut_over(connection)
        return sum(positions)

    async def _begin(self) -> None:
        name = self._model.name
        async with connected(self._engine) as connection, connection.begin():
            for statement in (
                f"drop table if exists {name}_new",
                f"create table {name}_new (like {name} including all)",
            ):
                await connection.execute(text(statement))
            await connection.execute(_FORGET_CHECKPOINTS, {"name": self._new.name})
            await connection.execute(_FORGET_PARKED, {"name": self._new.name})

    async def _fold_to_head(self, projector: Projector) -> None:
        """Fold until what is missing is not worth mentioning."""
        while True:
            heads = await self._log.heads()
            done = await self._fold_to(projector, heads)
            if sum(await self._log.heads()) - done <= NEARLY_EVENTS:
                return

    async def _fold_to(self, projector: Projector, positions: Sequence[int]) -> int:
        """Fold up to these positions, and tell how it goes."""
        for feed, position in zip(self._feeds, positions, strict=True):
            feed.saw(position)
        while await projector.advance():
            self._progress(sum(projector.positions().values()), sum(positions))
            await asyncio.sleep(self._throttle_seconds)
        return sum(projector.positions().values())

    async def _hold_still(self, connection: AsyncConnection) -> list[int]:
        """Lock the old read model's checkpoints; whoever would advance it waits. This transaction
        is idle while the rest is folded.
        """
        await connection.execute(text("set local idle_in_transaction_session_timeout = '60s'"))
        rows = await connection.execute(_LOCK, {"name": self._model.name})
        at = {row.partition: row.position for row in rows}
        return [at.get(number, 0) for number in range(self._log.partition_count)]

    async def _cut_over(self, connection: AsyncConnection) -> None:
        name = self._model.name
        for statement in (
            f"drop table if exists {name}_old",
            f"alter table {name} rename to {name}_old",
            f"alter table {name}_new rename to {name}",
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


_LOCK = text("select partition, position from checkpoints where read_model = :name for update")
_FORGET_CHECKPOINTS = text("delete from checkpoints where read_model = :name")
_RENAME_CHECKPOINTS = text("update checkpoints set read_model = :name where read_model = :new")
_END_EPOCHS = text("update leases set epoch = epoch + 1")
_FORGET_PARKED = text("delete from parked_events where read_model = :name")
_RENAME_PARKED = text("update parked_events set read_model = :name where read_model = :new")
