"""A log with read models, and the workers that advance them."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from ourbank.eventsourcing.log import Append, Log
from ourbank.eventsourcing.postgres_projection import (
    PostgresReadModels,
)
from ourbank.eventsourcing.projection import (
    Advance,
    Changes,
    Key,
    Projector,
    ReadModel,
)
from ourbank.eventsourcing.subscription import Feed

from .adapters import promptly
from .engines import Hook
from .jars import Broken, Filled, encoded
from .shelves import CHANGES, LEVELS, checkpoints
from tests.conftest import PARTITIONS

EPOCH = 1
"""The epoch under which everybody works, until a test says otherwise."""


class Store(PostgresReadModels):
    """The store, remembering what was loaded; a test may come between fold and commit."""

    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(engine)
        self.loaded: list[Key] = []
        self.before_load: Hook | None = None
        self.before_commit: Hook | None = None
        self.after_commit: Hook | None = None

    async def load(self, model: ReadModel, keys: Collection[Key]) -> dict[Key, Any]:
        before, self.before_load = self.before_load, None
        if before is not None:
            await before()
        self.loaded.extend(sorted(keys))
        return await super().load(model, keys)

    async def commit(
        self,
        models: Mapping[str, ReadModel],
        changes: Mapping[str, Changes],
        advances: Sequence[Advance],
    ) -> None:
        before, self.before_commit = self.before_commit, None
        after, self.after_commit = self.after_commit, None
        if before is not None:
            await before()
        await super().commit(models, changes, advances)
        if after is not None:
            await after()


class Shop:
    """A log with read models; `projector` makes the projector of another worker."""

    def __init__(self, database: AsyncEngine, log: Log) -> None:
        self.database = database
        self.log = log
        self.running: list[asyncio.Task[None]] = []
        self._versions: dict[str, int] = {}

    async def change(self, *events: tuple[str, Filled | Broken], partition: int = 0) -> None:
        """Append these, each on its jar."""
        appends = []
        for stream, event in events:
            version = self._versions.get(stream, 0)
            self._versions[stream] = version + 1
            appends.append(Append([(stream, version)], [encoded(stream, version + 1, event)]))
        await self.log.append(partition, appends, -1)

    async def projector(
        self,
        *models: ReadModel,
        store: Store | None = None,
        epoch: int = EPOCH,
        advanced: Callable[[Sequence[Advance]], None] = lambda _: None,
    ) -> tuple[Projector, list[Feed]]:
        """One that holds partition 0 and runs."""
        feeds = [Feed(number, self.log) for number in range(PARTITIONS)]
        store = store or Store(self.database)
        projector = Projector(models or (LEVELS, CHANGES), store, feeds, advanced)
        await projector.hold(0, epoch)
        self.running.append(asyncio.create_task(projector.run()))
        await self.tell(feeds)
        return projector, feeds

    async def tell(self, feeds: Sequence[Feed]) -> None:
        for feed, head in zip(feeds, await self.log.heads(), strict=True):
            feed.saw(head)

    async def until_at(self, position: int, *names: str) -> None:
        """Wait until read models have come this far in partition 0."""
        async with promptly():
            while True:
                at = await checkpoints(self.database)
                if all(at.get(name) == position for name in names or ("levels", "changes")):
                    return
                await asyncio.sleep(0.01)
