"""The log in memory, with PostgreSQL's way of showing things: READ COMMITTED.

A batch gets its positions while the partition's lock is held and becomes visible when it commits,
which is later: `commit_gate` is awaited in between, so that tests and simulations can pause,
reorder or fail a writer there. Readers never wait for writers. What would be wrong on PostgreSQL
(reading a head without the lock, say) is wrong here too.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from itertools import islice

from .codec import Codec
from .event import Recorded
from .log import LOAD_EVENTS_MAX, Append, Appended, Outcome, Snapshot, StreamRange

Gate = Callable[[int], Awaitable[None]]
"""Awaited with the partition between insert and commit; an exception rolls the batch back."""


Committed = Callable[[int, Sequence[Recorded], Sequence[Append]], None]
"""Called with the partition, the events that became visible, and the appends they came from."""

REFUSED = -1
"""Where a stream stands after a refusal: no version fits it."""


async def _open_gate(partition: int) -> None:
    del partition


def _unseen(*_: object) -> None:
    pass


def _duplicates(appends: Sequence[Append], fresh: set[str]) -> set[int]:
    unused = set(fresh)
    duplicate: set[int] = set()
    for index, append in enumerate(appends):
        if append.key is None:
            continue
        if append.key in unused:
            unused.discard(append.key)
        else:
            duplicate.add(index)
    return duplicate


class MemoryLog:
    """The log port in memory."""

    def __init__(
        self,
        codec: Codec,
        partition_count: int,
        now: Callable[[], datetime],
        incarnation: str = "memory",
    ) -> None:
        self.partition_count = partition_count
        self.incarnation = incarnation
        self.commit_gate: Gate = _open_gate
        self.committed: Committed = _unseen
        self._codec = codec
        self._now = now
        self._locks = [asyncio.Lock() for _ in range(partition_count)]
        self._events: list[list[Recorded]] = [[] for _ in range(partition_count)]
        self._streams: dict[str, list[Recorded]] = defaultdict(list)
        self._outcomes: dict[str, Outcome] = {}
        self._pending: dict[str, asyncio.Event] = {}

    async def append(
        self, partition: int, appends: Sequence[Append], expected_head: int
    ) -> Appended:
        """Lock, read, compare, insert; then the gate; then commit, or nothing at all."""
        async with self._locks[partition]:
            mine: set[str] = set()
            try:
                await self._claim([a.key for a in appends if a.key is not None], mine)
                return await self._append_locked(partition, appends, expected_head, mine)
            finally:
                for key in mine:
                    self._pending.pop(key).set()

    async def _claim(self, keys: Sequence[str], mine: set[str]) -> None:
        """Wait, as a unique index does, for other transactions that hold one of these keys."""
        for key in sorted(set(keys)):
            while key in self._pending:
                await self._pending[key].wait()
            if key not in self._outcomes:
                self._pending[key] = asyncio.Event()
                mine.add(key)

    async def _append_locked(
        self, partition: int, appends: Sequence[Append], expected_head: int, fresh: set[str]
    ) -> Appended:
        head = len(self._events[partition])
        last = self._events[partition][-1].recorded_at if head else None
        at = max(self._now(), last) if last else self._now()
        duplicate = _duplicates(appends, fresh)
        compares = duplicate or head != expected_head
        stale = self._stale(appends, duplicate) if compares else set()
        accepted = [a for i, a in enumerate(appends) if i not in stale and i not in duplicate]
        recorded = self._insert(partition, head, at, accepted)
        await self.commit_gate(partition)
        self._commit(partition, recorded, accepted)
        return Appended(head, at, frozenset(stale), frozenset(duplicate))

    def _stale(self, appends: Sequence[Append], duplicate: set[int]) -> set[int]:
        """What rests on a version that is not there, or on what was refused before it."""
        stale: set[int] = set()
        versions: dict[str, int] = {}
        for index, append in enumerate(appends):
            fits = index not in duplicate and all(
                versions.get(s, len(self._streams.get(s, ()))) == v for s, v in append.expected
            )
            if fits:
                versions |= {event.stream_id: event.version for event in append.events}
                continue
            versions |= {event.stream_id: REFUSED for event in append.events}
            if index not in duplicate:
                stale.add(index)
        return stale

    def _insert(
        self, partition: int, head: int, at: datetime, accepted: Sequence[Append]
    ) -> list[Recorded]:
        events = [event for append in accepted for event in append.events]
        return [
            self._codec.decoded(
                Recorded(
                    partition,
                    head + n,
                    e.stream_id,
                    e.version,
                    e.type,
                    e.schema_version,
                    at,
                    e.meta,
                    e.data,
                )
            )
            for n, e in enumerate(events, start=1)
        ]

    def _commit(
        self, partition: int, recorded: Sequence[Recorded], accepted: Sequence[Append]
    ) -> None:
        versions: dict[str, int] = {}
        for event in recorded:
            before = versions.get(event.stream_id, len(self._streams[event.stream_id]))
            if event.version != before + 1:
                msg = f"version {event.version} of {event.stream_id} is not the next"
                raise RuntimeError(msg)  # what a unique index is for
            versions[event.stream_id] = event.version
        self._events[partition].extend(recorded)
        for event in recorded:
            self._streams[event.stream_id].append(event)
        for append in accepted:
            if append.key is not None:
                stream, version = append.expected[0]
                count = sum(event.stream_id == stream for event in append.events)
                self._outcomes[append.key] = Outcome(
                    append.key, append.fingerprint, stream, version, count, append.rejection
                )
        self.committed(partition, recorded, accepted)

    async def load(
        self, ranges: Sequence[StreamRange], limit: int = LOAD_EVENTS_MAX
    ) -> list[Recorded]:
        """What is committed, by stream and version."""
        events = (
            event
            for stream, after, up_to in sorted(ranges)
            for event in self._streams.get(stream, [])[after:up_to]
        )
        return list(islice(events, limit))

    async def read(self, partition: int, after: int, limit: int) -> list[Recorded]:
        """What is committed above a position."""
        return self._events[partition][after : after + limit]

    async def heads(self) -> list[int]:
        """The committed heads."""
        return [len(events) for events in self._events]

    async def outcomes(self, keys: Sequence[str]) -> dict[str, Outcome]:
        """What is committed under these keys."""
        return {key: self._outcomes[key] for key in keys if key in self._outcomes}


class MemorySnapshots:
    """The snapshot store in memory."""

    def __init__(self) -> None:
        self._snapshots: dict[str, Snapshot] = {}

    async def load(self, streams: Sequence[str]) -> list[Snapshot]:
        """The snapshots there are."""
        return [self._snapshots[stream] for stream in streams if stream in self._snapshots]

    async def save(self, snapshots: Sequence[Snapshot]) -> None:
        """Keep them; an older version never replaces a newer one of the same schema."""
        for snapshot in snapshots:
            old = self._snapshots.get(snapshot.stream_id)
            if (
                old is None
                or old.version < snapshot.version
                or old.fingerprint != snapshot.fingerprint
            ):
                self._snapshots[snapshot.stream_id] = snapshot
