"""The slow path of a saga across processes: find what another worker left unfinished.

A follower reads the partitions this worker holds and remembers every process that has begun and
not ended. One that is too old and not driven here is picked up. What is too old depends on how long
the others take just now: under a load that makes all of them slow, picking up would be twice the
work, and the end of it. Its checkpoint is the position before the oldest unfinished process, so
whoever takes over a partition reads that far back and misses none.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from statistics import median
from typing import Protocol

from .event import Recorded
from .log import LogUnavailableError
from .subscription import Feed

UNDRIVEN_SECONDS = 0.5
"""A process this old that nobody here drives was left behind,"""
UNDRIVEN_TIMES = 4.0
"""if it is also so many times as old as others were that ended in the last seconds."""
LATELY_SECONDS = 10.0
LATELY_MIN = 20
"""Fewer say nothing of the load: they may be the very ones that were left behind."""
LATELY_MAX = 1_000
"""Enough that those left behind, which end late, are few among them."""
PICK_UP_MAX = 200
"""Processes picked up in one tick."""
TICK_SECONDS = 0.1
PAGE_EVENTS_MAX = 5_000
CHECKPOINT_SECONDS = 1.0

logger = logging.getLogger(__name__)


class Milestone(Enum):
    """What an event means for the process whose stream it is on."""

    BEGAN = "began"
    ENDED = "ended"


class CheckpointStore(Protocol):
    """Where the follower's positions are kept."""

    async def checkpoints(self, partition: int, names: Sequence[str]) -> dict[str, int]:
        """The positions by name; 0 where there is none."""
        ...

    async def keep(self, name: str, positions: dict[int, int]) -> None:
        """Move checkpoints forward; never back."""
        ...


@dataclass(slots=True)
class _Partition:
    position: int
    kept: int
    unfinished: dict[str, tuple[int, datetime]] = field(default_factory=dict)

    @property
    def checkpoint(self) -> int:
        first = min((position for position, _ in self.unfinished.values()), default=None)
        return self.position if first is None else first - 1


class _Pace:
    """How long processes take just now."""

    def __init__(self) -> None:
        self._ended: deque[tuple[datetime, float]] = deque(maxlen=LATELY_MAX)

    def ended(self, began_at: datetime, at: datetime) -> None:
        """One has."""
        self._ended.append((at, (at - began_at).total_seconds()))

    def undriven_seconds(self, now: datetime) -> float:
        """The age from which on a process was left behind."""
        lately = [took for at, took in self._ended if (now - at).total_seconds() < LATELY_SECONDS]
        if len(lately) < LATELY_MIN:
            return UNDRIVEN_SECONDS
        return max(UNDRIVEN_SECONDS, UNDRIVEN_TIMES * median(lately))


class Follower:
    """Picks up unfinished processes. `run()` is its life; partitions come and go with their
    leases.
    """

    def __init__(
        self,
        name: str,
        feeds: Sequence[Feed],
        store: CheckpointStore,
        milestone: Callable[[Recorded], Milestone | None],
        pick_up: Callable[[str], Awaitable[None]],
        now: Callable[[], datetime],
    ) -> None:
        self._name = name
        self._feeds = feeds
        self._store = store
        self._milestone = milestone
        self._pick_up = pick_up
        self._now = now
        self._partitions: dict[int, _Partition] = {}
        self._pace = _Pace()
        self._wake = asyncio.Event()
        for feed in feeds:
            feed.listen(self._wake.set)

    async def hold(self, partition: int, epoch: int) -> None:
        """Follow a partition from its checkpoint."""
        del epoch
        positions = await self._store.checkpoints(partition, [self._name])
        position = positions.get(self._name, 0)
        self._partitions[partition] = _Partition(position, position)
        self._wake.set()

    async def release(self, partition: int) -> None:
        """Stop following a partition."""
        self._partitions.pop(partition, None)

    def holds(self, partition: int) -> bool:
        """Whether it follows this partition."""
        return partition in self._partitions

    def oldest_seconds(self, partition: int) -> float:
        """Age of the oldest unfinished process of a partition, 0 when there is none."""
        held = self._partitions.get(partition)
        if held is None or not held.unfinished:
            return 0.0
        began = min(at for _, at in held.unfinished.values())
        return max(0.0, (self._now() - began).total_seconds())

    async def run(self) -> None:
        """Read, pick up, keep the checkpoints, for ever."""
        clock = asyncio.get_running_loop().time
        kept_at = clock()
        while True:
            if not self._is_busy():
                self._wake.clear()
                await self._wake.wait()
            await asyncio.sleep(TICK_SECONDS)
            try:
                for number, partition in list(self._partitions.items()):
                    await self._read(number, partition)
                    await self._pick_up_old(partition)
                if clock() - kept_at >= CHECKPOINT_SECONDS:
                    kept_at = clock()
                    await self._keep()
            except LogUnavailableError:
                logger.warning("%s cannot follow: the log is away", self._name)
            except Exception:
                logger.exception("%s stumbled; it goes on", self._name)

    def _is_busy(self) -> bool:
        """Whether something is unfinished, not read yet, or not kept yet."""
        return any(
            held.unfinished
            or held.position < self._feeds[number].head
            or held.checkpoint > held.kept
            for number, held in self._partitions.items()
        )

    async def _read(self, number: int, partition: _Partition) -> None:
        while page := await self._feeds[number].read(partition.position, PAGE_EVENTS_MAX):
            for recorded in page:
                match self._milestone(recorded):
                    case Milestone.BEGAN:
                        began = (recorded.position, recorded.recorded_at)
                        partition.unfinished[recorded.stream_id] = began
                    case Milestone.ENDED:
                        self._end(partition, recorded)
            partition.position = page[-1].position

    def _end(self, partition: _Partition, recorded: Recorded) -> None:
        began = partition.unfinished.pop(recorded.stream_id, None)
        if began is not None:
            self._pace.ended(began[1], recorded.recorded_at)

    async def _pick_up_old(self, partition: _Partition) -> None:
        now = self._now()
        seconds = self._pace.undriven_seconds(now)
        old = [
            process_id
            for process_id, (_, at) in partition.unfinished.items()
            if (now - at).total_seconds() >= seconds
        ]
        await asyncio.gather(*[self._try(process_id) for process_id in old[:PICK_UP_MAX]])

    async def _try(self, process_id: str) -> None:
        try:
            await self._pick_up(process_id)
        except Exception:
            logger.exception("%s cannot pick up a process; the others go on", self._name)

    async def _keep(self) -> None:
        moved = {n: p for n, p in self._partitions.items() if p.checkpoint > p.kept}
        if moved:
            await self._store.keep(self._name, {n: p.checkpoint for n, p in moved.items()})
            for partition in moved.values():
                partition.kept = partition.checkpoint
