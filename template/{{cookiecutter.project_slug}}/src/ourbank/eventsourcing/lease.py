"""Which worker advances which partitions.

A lease has an owner, an epoch and an end about a second away. Whoever is alive shares the
partitions evenly; a dead worker's move within a second. Leases save work, they do not protect
anything: that is what the checkpoints' compare-and-set is for.
"""

import asyncio
import logging
from typing import Protocol

from .log import LogUnavailableError

LEASE_SECONDS = 1.0
RENEW_SECONDS = 0.25

logger = logging.getLogger(__name__)


class LeaseStore(Protocol):
    """Where leases are kept, on one clock for all workers."""

    async def renew(self, owner: str, seconds: float) -> tuple[dict[int, int], int]:
        """Extend what `owner` holds; the epochs by partition, and the number of partitions it
        should hold.
        """
        ...

    async def claim(self, owner: str, count: int, seconds: float) -> dict[int, int]:
        """Take up to `count` partitions nobody holds; their new epochs."""
        ...

    async def release(self, owner: str, partitions: list[int]) -> None:
        """Give partitions up."""
        ...

    async def leave(self, owner: str) -> None:
        """Give everything up, and do not count among the living any more."""
        ...


class Holder(Protocol):
    """What works on a partition while its lease is held."""

    async def hold(self, partition: int, epoch: int) -> None:
        """Begin."""
        ...

    async def release(self, partition: int) -> None:
        """Stop; returns when nothing is in flight."""
        ...

    def holds(self, partition: int) -> bool:
        """Whether it still works on it: it may have given up."""
        ...


class Leases:
    """Keeps a worker's share of the partitions, and its holders told. `run()` is its life."""

    def __init__(self, owner: str, store: LeaseStore, holders: list[Holder]) -> None:
        self._owner = owner
        self._store = store
        self._holders = holders
        self.held: dict[int, int] = {}

    async def run(self) -> None:
        """Renew, claim and give up, for ever."""
        while True:
            try:
                await self._turn()
            except LogUnavailableError:
                logger.warning("leases cannot be renewed: the database is away")
            except Exception:
                logger.exception("leases could not be kept; trying again")
            await asyncio.sleep(RENEW_SECONDS)

    async def close(self) -> None:
        """Give everything up, so that others need not wait for the leases to end."""
        await self._lose(list(self.held))
        await self._store.leave(self._owner)

    async def _turn(self) -> None:
        renewed, share = await self._store.renew(self._owner, LEASE_SECONDS)
        await self._lose([p for p, epoch in self.held.items() if renewed.get(p) != epoch])
        surplus = sorted(self.held)[share:]
        if surplus:
            await self._lose(surplus)
            await self._store.release(self._owner, surplus)
        elif len(self.held) < share:
            wanted = share - len(self.held)
            self.held.update(await self._store.claim(self._owner, wanted, LEASE_SECONDS))
        await self._resume()

    async def _lose(self, partitions: list[int]) -> None:
        for partition in partitions:
            self.held.pop(partition, None)
            for holder in self._holders:
                await holder.release(partition)

    async def _resume(self) -> None:
        """Holders begin on what is new to them, and again on what they gave up."""
        for partition, epoch in self.held.items():
            for holder in self._holders:
                if not holder.holds(partition):
                    await holder.hold(partition, epoch)
