"""What runs behind the API: leases, projections, the slow path of transfers, and clearing up."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

from ..domain.hold import ExpireHold
from ..eventsourcing.follower import Follower
from ..eventsourcing.lease import Leases
from ..eventsourcing.log import LogUnavailableError
from ..eventsourcing.projection import Projector
from ..eventsourcing.subscription import watch
from .bank import Bank
from .request import RejectedError, Request

EXPIRY_SECONDS = 1.0
EXPIRY_PAGE = 500
ERASURE_SECONDS = 5.0
REVIEW_SECONDS = 30.0
SYSTEM = Request("system:worker")

logger = logging.getLogger(__name__)


class Worker:
    """Advances the partitions it holds; `start()` it, and `stop()` to give them up in order."""

    def __init__(
        self,
        bank: Bank,
        leases: Leases,
        projector: Projector,
        follower: Follower,
        poll_seconds: float,
    ) -> None:
        self._bank = bank
        self._leases = leases
        self._projector = projector
        self.follower = follower
        """Knows how old what is unfinished has become."""
        self._poll_seconds = poll_seconds
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to work."""
        self._tasks = [
            asyncio.create_task(job)
            for job in (
                watch(self._bank.log, self._bank.engine.feeds, self._poll_seconds),
                self._projector.run(),
                self.follower.run(),
                self._leases.run(),
                _every(EXPIRY_SECONDS, self._expire_holds),
                _every(ERASURE_SECONDS, self._resume_erasures),
                _every(ERASURE_SECONDS, self._sweep_erasures),
                _every(REVIEW_SECONDS, self._review_erasures),
            )
        ]

    async def stop(self) -> None:
        """Finish what is in flight, and give the partitions up."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        with suppress(LogUnavailableError):  # then the leases end by themselves
            await self._leases.close()

    async def _expire_holds(self) -> None:
        """End the holds whose time is over; who comes second is told that it has ended."""
        for account_id, hold_id in await self._bank.queries.due_holds(
            self._bank.now(), EXPIRY_PAGE
        ):
            with suppress(RejectedError):
                await self._bank.accounts.change(account_id, partial(ExpireHold, hold_id), SYSTEM)

    async def _resume_erasures(self) -> None:
        await self._bank.eraser.resume()

    async def _sweep_erasures(self) -> None:
        await self._bank.eraser.sweep()

    async def _review_erasures(self) -> None:
        await self._bank.eraser.review()


async def _every(seconds: float, job: Callable[[], Awaitable[None]]) -> None:
    """Run a job again and again; what goes wrong is tried again the next time."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await job()
        except* LogUnavailableError:
            logger.warning("a job has to wait: the database is away")
        except* Exception:
            logger.exception("a job failed; it runs again in %s s", seconds)
