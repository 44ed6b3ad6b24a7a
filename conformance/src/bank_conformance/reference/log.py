"""The log: events in partitions, each with positions 1, 2, 3 …, and streams with their versions.

An event is kept as JSON; `stored` are those very bytes.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zlib import crc32

import msgspec

from .disk import Disk

PARTITIONS = 2


@dataclass(slots=True)
class Event:
    """Something that happened. `postings` are (account, signed minor units)."""

    partition: int
    position: int
    stream_id: str
    version: int
    type: str
    data: dict[str, Any]
    currency: str
    postings: tuple[tuple[str, int], ...]
    recorded_at: str
    at: float = 0.0
    """When it was appended, on the clock of this process; 0 for what an earlier one has left."""
    stored: bytes = b""

    def kept(self) -> dict[str, Any]:
        """Return what is kept of the event: all but what concerns this process."""
        names = ("partition", "position", "stream_id", "version", "type", "data", "currency")
        kept = {name: getattr(self, name) for name in names}
        return kept | {"postings": self.postings, "recorded_at": self.recorded_at}

    def view(self) -> dict[str, Any]:
        """Return the event as the feed shows it."""
        postings = [
            {"account": account, "amount_minor": amount, "currency": self.currency}
            for account, amount in self.postings
        ]
        return {
            "partition": self.partition,
            "position": self.position,
            "stream_id": self.stream_id,
            "version": self.version,
            "type": self.type,
            "schema_version": 1,
            "recorded_at": self.recorded_at,
            "data": self.data,
            "postings": postings,
        }


class Log:
    """Every event. The steps that a mutant breaks are methods of their own."""

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self.partitions: list[list[Event]] = [[] for _ in range(PARTITIONS)]
        self.versions: Counter[str] = Counter()
        for partition, _, doc in disk.events():
            event = msgspec.convert(msgspec.json.decode(doc), Event)
            event.stored = doc.encode()
            self.partitions[partition].append(event)
            self.versions[event.stream_id] = event.version

    def append(
        self,
        stream_id: str,
        kind: str,
        data: dict[str, Any] | None = None,
        currency: str = "",
        postings: tuple[tuple[str, int], ...] = (),
    ) -> Event:
        """Append an event to a stream."""
        partition = crc32(stream_id.encode()) % PARTITIONS
        self.versions[stream_id] += 1
        event = Event(
            partition,
            len(self.partitions[partition]) + 1,
            stream_id,
            self.versions[stream_id],
            kind,
            data or {},
            currency,
            postings,
            datetime.now(UTC).isoformat(),
            time.monotonic(),
        )
        event.stored = msgspec.json.encode(event.kept())
        self.disk.append(partition, event.position, event.stored)
        self.partitions[partition].append(event)
        return event

    def read(self, after: list[int], limit: int) -> tuple[list[Event], list[int]]:
        """Return what follows `after`, partition by partition, and where to go on."""
        found: list[Event] = []
        reached = list(after)
        for partition, events in enumerate(self.partitions):
            page = events[after[partition] : after[partition] + limit - len(found)]
            found += page
            reached[partition] += len(page)
        return found, reached

    def count(self) -> int:
        """Return the number of events: the consistency token."""
        return sum(len(events) for events in self.partitions)
