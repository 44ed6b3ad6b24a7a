"""How read models follow the log: pure folds over keyed rows, exactly once.

One loop takes what is new in every partition this worker holds, loads the rows of all keys at
once, folds in memory, and writes one set-based upsert a table *and the checkpoints in the same
transaction*. The checkpoints are compared and set, with the epoch of the lease: a worker that lost
its partition writes nothing. No commit waits for the disk, so a crash of the server may take the
last ones back: a second after it came to rest, a projector looks whether it stands where it was.

An event that a fold cannot take parks its key: that event and later ones of the same key are set
aside in order, the rest goes on.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import inf
from typing import Any, Protocol

from ..domain.value import value
from .event import Recorded
from .log import LogUnavailableError
from .subscription import Feed

PAGE_EVENTS_MAX = 2_000
"""Events of one partition folded at a time."""
ROWS_CACHED_MAX = 100_000
"""Rows of one read model kept in memory between pages."""
PASS_SECONDS_MIN = 0.02
"""From the start of one pass to that of the next. Nobody waits for it while little happens; under
load it lets pages gather, and a pass costs the same for one event as for a hundred.
"""
RETRY_SECONDS = 0.2
DURABLE_SECONDS = 1.0
"""A commit so old survives a crash of the server: PostgreSQL writes it within three turns of its
WAL writer, 0.6 s.
"""
NO_LEASE = 0
"""The epoch of one who needs no lease: a rebuild, whose checkpoints are its own."""

Key = tuple[Hashable, ...]
"""The primary key of a row, in the order of the table's key columns."""

logger = logging.getLogger(__name__)


def key_text(key: Key) -> tuple[str, ...]:
    """A key as parked events name it."""
    return tuple(str(part) for part in key)


class CheckpointMovedError(Exception):
    """Somebody else advanced the read model, or the lease was lost: nothing was written."""


@dataclass(frozen=True)
class ReadModel:
    """A pure fold over keyed rows.

    `keys` names the rows an event touches; all events of one key must come from one partition.
    `evolve` gives the row after the event, None for no row. `table` is the store's business. Rows
    of an `insert_only` model are never looked at again, so they need not be loaded.
    """

    name: str
    table: Any
    row_type: type
    event_types: frozenset[type]
    keys: Callable[[Recorded], Sequence[Key]]
    evolve: Callable[[Any, Recorded, Key], Any]
    insert_only: bool = False


@dataclass(slots=True)
class Changes:
    """What one page does to one read model."""

    rows: dict[Key, Any] = field(default_factory=dict)
    """None for a row that shall go."""
    parked: list[tuple[Key, Recorded, str]] = field(default_factory=list)


@value
class Advance:
    """One checkpoint's step."""

    read_model: str
    partition: int
    epoch: int
    before: int
    after: int


class ReadModelStore(Protocol):
    """Where rows and checkpoints are kept."""

    async def checkpoints(self, partition: int, names: Sequence[str]) -> dict[str, int]:
        """How far each read model has come in a partition; 0 where it has not begun."""
        ...

    async def positions(self, read_model: str) -> dict[int, int]:
        """How far a read model has come, by partition; writes nothing."""
        ...

    async def parked(self, partition: int, name: str) -> set[tuple[str, ...]]:
        """The keys, as text, of a read model that are parked in a partition."""
        ...

    async def load(self, model: ReadModel, keys: Collection[Key]) -> dict[Key, Any]:
        """The rows there are of these keys."""
        ...

    async def commit(
        self,
        models: Mapping[str, ReadModel],
        changes: Mapping[str, Changes],
        advances: Sequence[Advance],
    ) -> None:
        """Write all of it in one transaction; CheckpointMovedError when a checkpoint is not
        `before`.
        """
        ...


@dataclass(slots=True)
class Cursor:
    """Read models that stand at the same position of a partition."""

    partition: int
    epoch: int
    position: int
    models: list[ReadModel]


class Projector:
    """Advances a set of read models over the partitions it holds. `run()` is its life."""

    def __init__(
        self,
        models: Sequence[ReadModel],
        store: ReadModelStore,
        feeds: Sequence[Feed],
        advanced: Callable[[Sequence[Advance]], None],
    ) -> None:
        self._models = {model.name: model for model in models}
        self._store = store
        self._feeds = feeds
        self._advanced = advanced
        self._cursors: list[Cursor] = []
        self._parked: dict[str, dict[int, set[tuple[str, ...]]]] = {n: {} for n in self._models}
        self._rows: dict[str, dict[Key, Any]] = {name: {} for name in self._models}
        self._wake = asyncio.Event()
        self._changing = asyncio.Lock()
        self._committed_at = -inf
        self._verify_at: float | None = None
        """When to look whether what was committed is still there; None when it is sure."""
        for feed in feeds:
            feed.listen(self._wake.set)

    async def hold(self, partition: int, epoch: int) -> None:
        """Begin to advance a partition, under this epoch of its lease."""
        positions = await self._store.checkpoints(partition, list(self._models))
        groups: dict[int, list[ReadModel]] = defaultdict(list)
        for name, model in self._models.items():
            groups[positions.get(name, 0)].append(model)
            self._parked[name][partition] = await self._store.parked(partition, name)
        async with self._changing:
            self._cursors += [
                Cursor(partition, epoch, position, models)
                for position, models in sorted(groups.items())
            ]
        self._advanced(
            [
                Advance(model.name, partition, epoch, position, position)
                for position, models in groups.items()
                for model in models
            ]
        )
        self._wake.set()

    async def release(self, partition: int) -> None:
        """Stop advancing a partition; returns when nothing of it is in flight."""
        async with self._changing:
            self._cursors = [c for c in self._cursors if c.partition != partition]
            self._forget()
            for parked in self._parked.values():
                parked.pop(partition, None)

    def holds(self, partition: int) -> bool:
        """Whether it advances this partition."""
        return any(cursor.partition == partition for cursor in self._cursors)

    def positions(self) -> dict[int, int]:
        """The least position in each partition it advances."""
        least: dict[int, int] = {}
        for cursor in self._cursors:
            least[cursor.partition] = min(
                cursor.position, least.get(cursor.partition, cursor.position)
            )
        return least

    async def advance(self) -> bool:
        """One step: fold what is new, whether there was anything."""
        async with self._changing:
            return await self._advance_all()

    async def run(self) -> None:
        """Advance whenever there is something new, for ever."""
        clock = asyncio.get_running_loop().time
        while True:
            self._wake.clear()
            next_pass = clock() + PASS_SECONDS_MIN
            try:
                moved = await self.advance()
                if self._verify_at is not None and clock() >= self._verify_at:
                    await self._verify()
            except CheckpointMovedError:
                logger.warning("checkpoint moved: somebody else holds a partition; giving it up")
                async with self._changing:
                    self._cursors.clear()
                    self._forget()
                    for parked in self._parked.values():
                        parked.clear()
            except Exception as error:
                if not isinstance(error, LogUnavailableError):
                    logger.exception("the projector stumbled; it tries again")
                self._forget()
                await asyncio.sleep(RETRY_SECONDS)
                self._wake.set()
            else:
                if moved:
                    await asyncio.sleep(max(0.0, next_pass - clock()))
                    continue
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._verify_at):
                    await self._wake.wait()

    async def _verify(self) -> None:
        """CheckpointMovedError when the server has forgotten a commit; others may be too young yet
        to be sure of, then it is looked again.
        """
        now = asyncio.get_running_loop().time()
        async with self._changing:
            for name in self._models:
                stored = await self._store.positions(name)
                for cursor in self._cursors:
                    mine = any(model.name == name for model in cursor.models)
                    if mine and stored.get(cursor.partition) != cursor.position:
                        raise CheckpointMovedError(f"{name} was taken back")
        is_sure = now >= self._committed_at + DURABLE_SECONDS
        self._verify_at = None if is_sure else now + DURABLE_SECONDS

    def _forget(self) -> None:
        for rows in self._rows.values():
            rows.clear()

    async def _advance_all(self) -> bool:
        """One page of every cursor that has one, in one transaction."""
        pages = []
        for cursor in self._cursors:
            feed = self._feeds[cursor.partition]
            if page := await feed.read(cursor.position, PAGE_EVENTS_MAX):
                pages.append((cursor, page))
        if not pages:
            return False
        changes = {name: Changes() for name in self._models}
        for name, touched in self._touched(pages).items():
            await self._load(self._models[name], touched)
            self._fold(self._models[name], touched, changes[name])
        advances = [
            Advance(model.name, cursor.partition, cursor.epoch, cursor.position, page[-1].position)
            for cursor, page in pages
            for model in cursor.models
        ]
        await self._store.commit(self._models, changes, advances)
        self._committed_at = asyncio.get_running_loop().time()
        if self._verify_at is None:
            self._verify_at = self._committed_at + DURABLE_SECONDS
        self._keep(pages, changes)
        self._advanced(advances)
        return True

    def _touched(
        self, pages: Sequence[tuple[Cursor, Sequence[Recorded]]]
    ) -> dict[str, list[tuple[Key, Recorded]]]:
        """For each read model the events it folds, with their keys, in order."""
        touched: dict[str, list[tuple[Key, Recorded]]] = {}
        for cursor, page in pages:
            for model in cursor.models:
                types, keys = model.event_types, model.keys
                mine = [(k, e) for e in page if type(e.event) in types for k in keys(e)]
                touched.setdefault(model.name, []).extend(mine)
        return touched

    async def _load(self, model: ReadModel, touched: Sequence[tuple[Key, Recorded]]) -> None:
        if model.insert_only:
            return
        rows = self._rows[model.name]
        missing = {key for key, _ in touched if key not in rows}
        if missing:
            rows.update(dict.fromkeys(missing))
            rows.update(await self._store.load(model, missing))

    def _fold(
        self, model: ReadModel, touched: Sequence[tuple[Key, Recorded]], changes: Changes
    ) -> None:
        known, rows, evolve = self._rows[model.name], changes.rows, model.evolve
        parked = set().union(*self._parked[model.name].values())
        for key, recorded in touched:
            if parked and key_text(key) in parked:
                changes.parked.append((key, recorded, ""))
                continue
            try:
                rows[key] = evolve(rows[key] if key in rows else known.get(key), recorded, key)
            except Exception as error:  # noqa: BLE001 (whatever it is, the other keys go on)
                parked.add(key_text(key))
                changes.parked.append((key, recorded, type(error).__name__))

    def _keep(
        self,
        pages: Sequence[tuple[Cursor, Sequence[Recorded]]],
        changes: Mapping[str, Changes],
    ) -> None:
        """After the commit: move the cursors, remember the rows, join cursors that have met."""
        for name, change in changes.items():
            _tell_parked(name, change)
            for key, recorded, _ in change.parked:
                self._parked[name][recorded.partition].add(key_text(key))
            if not self._models[name].insert_only:
                if len(self._rows[name]) > ROWS_CACHED_MAX:
                    self._rows[name].clear()
                self._rows[name].update(change.rows)
        for cursor, page in pages:
            cursor.position = page[-1].position
        joined: dict[tuple[int, int], Cursor] = {}
        for cursor in self._cursors:
            at = joined.setdefault((cursor.partition, cursor.position), cursor)
            if at is not cursor:
                at.models += cursor.models
        self._cursors = list(joined.values())


def _tell_parked(name: str, change: Changes) -> None:
    """After the commit: who lost a partition meanwhile folds nonsense, and writes nothing."""
    for _, recorded, error in change.parked:
        if error:
            where = f"{recorded.type} at {recorded.partition}/{recorded.position}"
            logger.error("%s cannot fold %s (%s): its key is parked", name, where, error)
