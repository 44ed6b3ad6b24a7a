"""The two loads on an engine: a closed loop for how many, an open loop for how long."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .workloads import Pairs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .session import Session

AMOUNT_MINOR = 1
WAIT_SECONDS = 30
LOOK_SECONDS = 0.001
PERMILLES = {"p50": 500, "p99": 990, "p999": 999}


@dataclass(slots=True)
class ClosedLoop:
    """So many transfers are in flight, and each that ends starts the next.

    A transfer counts when it completed; the clock runs until both read models show the last one.
    """

    session: Session
    accounts: Sequence[str]
    workload: str
    seed: str
    transfers_max: int | None = None
    is_running: bool = True
    begun: int = 0
    completed: int = 0

    async def run(self, in_flight: int, seconds: float) -> dict[str, Any]:
        """Counts, and how long they took; over early where `transfers_max` is reached."""
        started = time.perf_counter()
        clients = [asyncio.create_task(self._client(number)) for number in range(in_flight)]
        await asyncio.wait(clients, timeout=seconds)
        self.is_running = False
        await asyncio.gather(*clients)
        answered = time.perf_counter()
        await self.session.caught_up()
        shown = time.perf_counter()
        return {
            "transfers": self.completed,
            "seconds": shown - started,
            "drain_seconds": shown - answered,
        }

    async def _client(self, number: int) -> None:
        pairs = Pairs(self.workload, self.accounts, f"{self.seed}-{number}")
        while self.is_running and self.begun != self.transfers_max:
            self.begun += 1
            view = await request(self.session, *pairs.draw())
            self.completed += view.transfer.status == "COMPLETED"


@dataclass(slots=True)
class OpenLoop:
    """Transfers arrive as a Poisson process, whatever becomes of those before them.

    The bank and this load share a process, so a busy bank also delays what is to be started. That
    counts: each transfer is timed from the moment it was due. What the projector has reached is
    looked at in memory, every millisecond, since asking the bank for each transfer would load it.
    """

    session: Session
    accounts: Sequence[str]
    workload: str
    seed: str
    took: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    unseen: list[tuple[float, Mapping[int, int]]] = field(default_factory=list)
    is_over: bool = False

    async def run(self, rate: float, seconds: float) -> dict[str, Any]:
        """Percentiles in seconds from the moment each was due until both read models passed it."""
        dice = random.Random(f"{self.seed}-arrivals")  # noqa: S311 - replayed, not secret
        pairs = Pairs(self.workload, self.accounts, f"{self.seed}-open")
        begun, due, under_way = time.perf_counter(), 0.0, []
        watch = asyncio.create_task(self._watch())
        while (due := due + dice.expovariate(rate)) < seconds:
            await asyncio.sleep(max(0.0, begun + due - time.perf_counter()))
            self.late.append(time.perf_counter() - begun - due)
            under_way.append(asyncio.create_task(self._one(begun + due, pairs.draw())))
        await asyncio.gather(*under_way)
        self.is_over = True
        await watch
        return {
            "transfers": len(self.took),
            "worst": max(self.took, default=0.0),
            "late_p99": permille(self.late, 990),
            **{name: permille(self.took, at) for name, at in PERMILLES.items()},
        }

    async def _one(self, due: float, pair: tuple[str, str]) -> None:
        view = await request(self.session, *pair)
        if self._is_shown(view.positions, self.session.reached()):
            self.took.append(time.perf_counter() - due)  # nothing might advance any more
        else:
            self.unseen.append((due, view.positions))

    @staticmethod
    def _is_shown(positions: Mapping[int, int], reached: Sequence[int]) -> bool:
        return all(reached[partition] >= wanted for partition, wanted in positions.items())

    async def _watch(self) -> None:
        """Until everything was seen; what nobody has advanced since the last look is left alone."""
        before: list[int] = []
        while self.unseen or not self.is_over:
            await asyncio.sleep(LOOK_SECONDS)
            reached = self.session.reached()
            if reached != before:
                before = reached
                self._look(reached)

    def _look(self, reached: Sequence[int]) -> None:
        now, waiting = time.perf_counter(), []
        for due, positions in self.unseen:
            if self._is_shown(positions, reached):
                self.took.append(now - due)
            else:
                waiting.append((due, positions))
        self.unseen = waiting


async def request(session: Session, source: str, target: str) -> Any:
    """One transfer, seen to its end."""
    order = session.part("application.transfers").TransferOrder(source, target, AMOUNT_MINOR, "EUR")
    return await session.process.bank.transfers.request(
        order, session.request(), wait_seconds=WAIT_SECONDS
    )


def permille(values: Sequence[float], at: int) -> float:
    """The smallest value that `at` of a thousand do not exceed; 0 where there are none."""
    ranked = sorted(values)
    return ranked[max(0, -(-len(ranked) * at // 1000) - 1)] if ranked else 0.0
