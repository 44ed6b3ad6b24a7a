"""Which worker advances which partitions.

A lease has an owner, an epoch and an end about a second away. Whoever is alive shares the
partitions evenly; a dead worker's move within a second. Leases save work, they do not protect
anything: that is what the checkpoints' compare-and-set is for.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
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
        self._renewed: tuple[dict[int, int], int] | None = None
        """What the last renewal said, unless something was changed since."""
        self._is_renewed = asyncio.Event()
        self._changes = 0
        self._renewing = asyncio.Lock()
        self._is_closed = False

    async def run(self) -> None:
        """Renew, claim and give up, for ever. Renewing waits for nothing else: to begin on a
        partition, or to give one up, may take longer than a lease is good for.
        """
        await asyncio.gather(_for_ever(self._renew, RENEW_SECONDS), _for_ever(self._act, 0))

    async def close(self) -> None:
        """Give everything up, so that others need not wait for the leases to end. A renewal under
        way comes first, or this worker would be among the living again.
        """
        self._is_closed = True
        async with self._renewing:
            await self._lose(list(self.held))
            await self._store.leave(self._owner)

    async def _renew(self) -> None:
        changes = self._changes
        async with self._renewing:
            if self._is_closed:
                return
            renewed = await self._store.renew(self._owner, LEASE_SECONDS)
        if changes == self._changes and not self._is_settled(*renewed):
            self._renewed = renewed
            self._is_renewed.set()

    def _is_settled(self, renewed: dict[int, int], share: int) -> bool:
        """Whether nothing changed: it has its share, and everybody works on it."""
        return (
            renewed == self.held
            and len(renewed) == share
            and all(holder.holds(partition) for holder in self._holders for partition in renewed)
        )

    async def _act(self) -> None:
        """On what the next renewal says."""
        await self._is_renewed.wait()
        self._is_renewed.clear()
        if self._renewed is not None:
            await self._turn(*self._renewed)

    async def _turn(self, renewed: dict[int, int], share: int) -> None:
        await self._lose([p for p, epoch in self.held.items() if renewed.get(p) != epoch])
        self.held.update(renewed)  # also what a call claimed whose answer was lost
        surplus = sorted(self.held)[share:]
        if surplus:
            await self._lose(surplus)
            await self._store.release(self._owner, surplus)
            self._outdate()
        elif len(self.held) < share:
            await self._claim(share - len(self.held))
        await self._resume()

    async def _claim(self, wanted: int) -> None:
        self.held.update(await self._store.claim(self._owner, wanted, LEASE_SECONDS))
        self._outdate()

    def _outdate(self) -> None:
        """What a renewal says that was under way meanwhile is not true any more."""
        self._changes += 1
        self._renewed = None

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


async def _for_ever(job: Callable[[], Awaitable[None]], pause_seconds: float) -> None:
    """Again and again; after a fault not at once."""
    while True:
        try:
            await job()
        except LogUnavailableError:
            logger.warning("leases cannot be kept: the database is away")
            await asyncio.sleep(RENEW_SECONDS)
        except Exception:
            logger.exception("leases could not be kept; trying again")
            await asyncio.sleep(RENEW_SECONDS)
        await asyncio.sleep(pause_seconds)
