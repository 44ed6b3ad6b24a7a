"""Read models, checkpoints and leases in memory: the answers PostgreSQL gives, for simulations.

Every verb is atomic: it runs from its first line to its last without waiting for anything.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from math import ceil
from typing import Any

from .projection import (
    NO_LEASE,
    Advance,
    Changes,
    CheckpointMovedError,
    Key,
    ReadModel,
    key_text,
)

NEVER = float("-inf")


@dataclass(slots=True)
class Lease:
    """Who holds a partition, under which epoch, and until when (seconds of the store's clock)."""

    owner: str = ""
    epoch: int = 0
    expires_at: float = NEVER


class MemoryLeases:
    """The lease store in memory; `clock` counts seconds for all workers."""

    def __init__(self, partition_count: int, clock: Callable[[], float]) -> None:
        self.leases = [Lease() for _ in range(partition_count)]
        self._clock = clock
        self._workers: dict[str, float] = {}

    async def renew(self, owner: str, seconds: float) -> tuple[dict[int, int], int]:
        """Also says that the owner lives; the share is the partitions by the number of the living,
        rounded up.
        """
        now = self._clock()
        self._workers[owner] = now + seconds
        self._workers = {name: at for name, at in self._workers.items() if at >= now}
        held: dict[int, int] = {}
        for partition, lease in enumerate(self.leases):
            if lease.owner == owner and lease.expires_at > now:
                lease.expires_at = now + seconds
                held[partition] = lease.epoch
        return held, ceil(len(self.leases) / len(self._workers))

    async def claim(self, owner: str, count: int, seconds: float) -> dict[int, int]:
        """The first partitions whose leases have ended."""
        now = self._clock()
        ended = [p for p, lease in enumerate(self.leases) if lease.expires_at < now]
        claimed: dict[int, int] = {}
        for partition in ended[:count]:
            epoch = self.leases[partition].epoch + 1
            self.leases[partition] = Lease(owner, epoch, now + seconds)
            claimed[partition] = epoch
        return claimed

    async def release(self, owner: str, partitions: list[int]) -> None:
        """Only what is still the owner's."""
        for partition in partitions:
            if self.leases[partition].owner == owner:
                self.leases[partition].expires_at = NEVER

    async def leave(self, owner: str) -> None:
        """Give up everything, and a place among the living."""
        await self.release(owner, list(range(len(self.leases))))
        self._workers.pop(owner, None)


class MemoryReadModels:
    """The read model store in memory; `leases` says which epochs may still write."""

    def __init__(self, leases: MemoryLeases) -> None:
        self.rows: dict[str, dict[Key, Any]] = {}
        """By read model."""
        self.parked_events: list[tuple[str, int, int, tuple[str, ...]]] = []
        """Read model, partition, position, key."""
        self._leases = leases
        self._checkpoints: dict[tuple[str, int], int] = {}

    async def checkpoints(self, partition: int, names: Sequence[str]) -> dict[str, int]:
        """Also begins those that are not there yet, so that they can be compared and set."""
        return {name: self._checkpoints.setdefault((name, partition), 0) for name in names}

    async def positions(self, read_model: str) -> dict[int, int]:
        """How far a read model has come, by partition."""
        return {p: at for (name, p), at in self._checkpoints.items() if name == read_model}

    async def keep(self, name: str, positions: dict[int, int]) -> None:
        """Move checkpoints of a follower forward, never back."""
        for partition, position in positions.items():
            if self._checkpoints.get((name, partition), position) < position:
                self._checkpoints[name, partition] = position

    async def parked(self, partition: int, name: str) -> set[tuple[str, ...]]:
        """The keys as text (`key_text`)."""
        return {key for n, p, _, key in self.parked_events if (n, p) == (name, partition)}

    async def load(self, model: ReadModel, keys: Collection[Key]) -> dict[Key, Any]:
        """Copies, as a query gives them."""
        rows = self.rows.get(model.name, {})
        return {key: copy(rows[key]) for key in keys if key in rows}

    async def commit(
        self,
        models: Mapping[str, ReadModel],
        changes: Mapping[str, Changes],
        advances: Sequence[Advance],
    ) -> None:
        """Checkpoints first, so that who lost a partition learns it before writing anything."""
        del models
        moved = [advance for advance in advances if not self._may(advance)]
        if moved:
            raise CheckpointMovedError(f"{len(moved)} of {len(advances)} checkpoints had moved")
        for advance in advances:
            self._checkpoints[advance.read_model, advance.partition] = advance.after
        for name, change in changes.items():
            self._write(name, change)

    def put_back(self, advance: Advance) -> None:
        """Undo a checkpoint's step: what a crash of the server does to commits without a flush."""
        self._checkpoints[advance.read_model, advance.partition] = advance.before

    def _may(self, advance: Advance) -> bool:
        at = self._checkpoints.get((advance.read_model, advance.partition))
        epoch = self._leases.leases[advance.partition].epoch
        return at == advance.before and advance.epoch in (NO_LEASE, epoch)

    def _write(self, name: str, change: Changes) -> None:
        rows = self.rows.setdefault(name, {})
        for key, row in change.rows.items():
            if row is None:
                rows.pop(key, None)
            else:
                rows[key] = copy(row)
        self.parked_events += [
            (name, recorded.partition, recorded.position, key_text(key))
            for key, recorded, _ in change.parked
        ]
