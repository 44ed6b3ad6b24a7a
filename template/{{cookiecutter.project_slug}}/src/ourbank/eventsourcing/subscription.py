"""How readers follow a partition: by position, from memory where they can, from the log where they
must.

A feed holds the newest events that this process appended or met, without gaps. Who reads past its
edge reads from the log. Across processes a cheap look at the heads of all partitions tells that
there is more: who follows the log looks all the time, who is asked for it looks then.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from .event import Recorded
from .log import Log, LogUnavailableError

FEED_EVENTS_MAX = 20_000
"""Events of one partition kept in memory for its readers."""
POLL_SECONDS = 0.02
"""How often who follows the log looks at the heads; more often than it reads would help nobody."""
POLL_SECONDS_AWAY = 0.5
"""And while the log is away."""

logger = logging.getLogger(__name__)


class Feed:
    """The newest events of one partition, and how far the partition is known to reach."""

    def __init__(self, partition: int, log: Log, events_max: int = FEED_EVENTS_MAX) -> None:
        self.partition = partition
        self.head = 0
        self._log = log
        self._events_max = events_max
        self._first = 1  # the position of the first event in memory
        self._events: list[Recorded] = []
        self._listeners: list[Callable[[], None]] = []

    def listen(self, listener: Callable[[], None]) -> None:
        """Call this whenever there may be more to read."""
        self._listeners.append(listener)

    def publish(self, head: int, events: Sequence[Recorded]) -> None:
        """Take what follows position `head`: what is here already is passed over, a gap before it
        empties the memory.
        """
        if not events:
            return
        known = self._first + len(self._events) - 1
        if head > known:
            self._events.clear()
            self._first = head + 1
        self._events.extend(events[max(0, known - head) :])
        if len(self._events) > 2 * self._events_max:
            surplus = len(self._events) - self._events_max
            del self._events[:surplus]
            self._first += surplus
        self.saw(head + len(events))

    def saw(self, head: int) -> None:
        """The partition reaches at least to `head`."""
        if head > self.head:
            self.head = head
            for listener in self._listeners:
                listener()

    def recorded_at(self, position: int) -> datetime | None:
        """When the event at a position was recorded, or the first one after it in memory; None
        past the end.
        """
        index = max(0, position - self._first)
        return self._events[index].recorded_at if index < len(self._events) else None

    async def read(self, after: int, limit: int) -> Sequence[Recorded]:
        """Up to `limit` events above a position, in order; may be empty."""
        limit = min(limit, self.head - after)
        if limit <= 0:
            return ()
        start = after + 1 - self._first
        if 0 <= start < len(self._events):
            return self._events[start : start + limit]
        events = await self._log.read(self.partition, after, limit)
        if self.head - after <= self._events_max:
            self.publish(after, events)  # the next reader finds it in memory
        return events


async def look(log: Log, feeds: Sequence[Feed]) -> None:
    """Tell the feeds how far the log reaches by now."""
    for head, feed in zip(await log.heads(), feeds, strict=True):
        feed.saw(head)


async def watch(log: Log, feeds: Sequence[Feed], poll_seconds: float = POLL_SECONDS) -> None:
    """Tell the feeds what other processes append, for ever."""
    while True:
        seconds = poll_seconds
        try:
            await look(log, feeds)
        except LogUnavailableError:
            seconds = POLL_SECONDS_AWAY
        except Exception:
            logger.exception("the heads cannot be read; trying again")
            seconds = POLL_SECONDS_AWAY
        await asyncio.sleep(seconds)
