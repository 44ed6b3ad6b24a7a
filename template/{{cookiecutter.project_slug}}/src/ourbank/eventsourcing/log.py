"""The port: what the kernel asks of a log, in five verbs.

The log is split into P partitions. Each has its own gapless positions in commit order: whoever has
read up to position n will never see anything appear at or below n. A stream lives whole in one
partition (ids.py).
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from .event import EventData, Recorded

LOAD_EVENTS_MAX = 5_000
"""Events of streams loaded in one call: however long a stream is, each call is a short one."""


class LogUnavailableError(Exception):
    """The log cannot be reached; whether an append under way happened is not known."""


class LogMismatchError(Exception):
    """The store was made for something else: another partition count, or another schema."""


@dataclass(slots=True)
class Append:
    """What one command appends: all of it or nothing.

    `expected` names every stream the decision rests on with the version it rested on; `events`
    continue those streams. A rejection has no events and a `rejection`; it too rests on
    `expected`. A keyed append stores its outcome under `key` in the same transaction; the first of
    `expected` is its primary stream. A key is 32 lower
    hex digits; those of one batch differ from each other.
    """

    expected: Sequence[tuple[str, int]]
    events: Sequence[EventData]
    key: str | None = None
    fingerprint: str = ""
    rejection: str | None = None


class Appended(NamedTuple):
    """What became of a batch of appends; indexes point into the batch.

    Events of appends neither stale nor duplicate stand at `head` + 1 and on, in batch order.
    `stale`: a stream was not at the expected version. `duplicate`: the key has an outcome already.
    """

    head: int
    recorded_at: datetime
    stale: frozenset[int] = frozenset()
    duplicate: frozenset[int] = frozenset()


class Outcome(NamedTuple):
    """What is stored under a key: the events it caused, or the rejection."""

    key: str
    fingerprint: str
    stream_id: str
    version: int
    """The stream's version before the command."""
    event_count: int
    rejection: str | None


class StreamRange(NamedTuple):
    """The events of a stream above version `after`, up to and with `up_to`."""

    stream_id: str
    after: int
    up_to: int = 2**62


class Snapshot(NamedTuple):
    """A folded state; only good for code whose state schema has the same fingerprint."""

    stream_id: str
    version: int
    fingerprint: bytes
    state: bytes


class Log(Protocol):
    """An adapter is a class with these; tests/eventsourcing/log_contract.py says what they must
    do.
    """

    partition_count: int
    incarnation: str
    """Changes when the store is made anew or restored: positions of another incarnation mean
    nothing.
    """

    async def append(
        self, partition: int, appends: Sequence[Append], expected_head: int
    ) -> Appended:
        """Append a batch to one partition in one transaction, each of it accepted or refused by
        itself.

        When the partition's head is still `expected_head` nobody else has written, and versions
        need no check.
        """
        ...

    async def load(
        self, ranges: Sequence[StreamRange], limit: int = LOAD_EVENTS_MAX
    ) -> list[Recorded]:
        """The first `limit` events in these ranges, by stream and version; `loaded` has all."""
        ...

    async def read(self, partition: int, after: int, limit: int) -> list[Recorded]:
        """Up to `limit` events of a partition above a position, in order."""
        ...

    async def heads(self) -> list[int]:
        """The last position of every partition, 0 where there is none."""
        ...

    async def outcomes(self, keys: Sequence[str]) -> dict[str, Outcome]:
        """What is stored under those keys that have an outcome."""
        ...


async def loaded(
    log: Log, ranges: Sequence[StreamRange], limit: int = LOAD_EVENTS_MAX
) -> AsyncIterator[Recorded]:
    """All events in these ranges, by stream and version; no more than `limit` in memory at once.

    A page begins where the one before it ended, so events appended meanwhile may be among them.
    """
    left = sorted(ranges)
    while left:
        page = await log.load(left, limit)
        for recorded in page:
            yield recorded
        left = _beyond(page[-1], left) if len(page) == limit else []


def _beyond(last: Recorded, ranges: Sequence[StreamRange]) -> list[StreamRange]:
    """What is left of sorted ranges when all was read up to and with this event."""
    return [
        StreamRange(r.stream_id, max(r.after, last.version), r.up_to)
        if r.stream_id == last.stream_id
        else r
        for r in ranges
        if r.stream_id >= last.stream_id
    ]


class SnapshotStore(Protocol):
    """Where snapshots are kept; losing one costs time, nothing else."""

    async def load(self, streams: Sequence[str]) -> list[Snapshot]:
        """The snapshots there are of these streams."""
        ...

    async def save(self, snapshots: Sequence[Snapshot]) -> None:
        """Keep them; an older version never replaces a newer one."""
        ...
