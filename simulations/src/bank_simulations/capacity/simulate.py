"""The model under load, seen as the load generator sees a bank: the same schedule, the same looks.

What comes out is what a sweep measures: transfers per second, percentiles, processor seconds.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np
from simpy import Environment

from bank_simulations.load.watch import FIRST_LOOK_SECONDS, pause_seconds

from .bank_model import ASK, LOOKS_STRIDE, SIDES, BankModel, Transfer

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from simpy import Event

    from .costs import Costs, Layout

    Steps = Generator[Event, None, None]

LOOK_AGAIN_SECONDS = 0.5
BOUND_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Offer:
    """The load: an open loop, or a closed one of `in_flight`.

    Attributes:
        transfers: how many are offered; of a closed loop, how many are finished.
        rate: arrivals per second, exponentially spaced.
        due: when each is due, in seconds, instead of a rate; at least `transfers` of them.
        in_flight: how many clients take turns; None for an open loop.
        looks_per_second_max: as in a scenario's limits.
        reads: of a history, for each transfer, by clients who cost nothing here; None for one load
            generator, who looks until both sides show it, and once again later.
    """

    transfers: int
    rate: float | None = None
    due: tuple[float, ...] = ()
    in_flight: int | None = None
    looks_per_second_max: float = 500.0
    reads: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether arrivals wait for nobody."""
        return self.in_flight is None


@dataclass(slots=True)
class Simulated:
    """What the model did; latencies are seconds from when a transfer was due."""

    visible_seconds: list[float] = field(default_factory=list)
    answered_seconds: list[float] = field(default_factory=list)
    ended_at: list[float] = field(default_factory=list)
    looks: int = 0
    cpu_seconds: dict[str, float] = field(default_factory=dict)
    batch_commands: float = 0.0
    append_seconds: float = 0.0

    def percentile(self, percent: float) -> float:
        """Of visibility, in seconds."""
        return float(np.percentile(self.visible_seconds, percent))

    @property
    def per_second(self) -> float:
        """Transfers finished per second, from the first to be due to the last to show."""
        return len(self.ended_at) / max(self.ended_at)


def simulate(costs: Costs, layout: Layout, offer: Offer, seed: int = 1) -> Simulated:
    """Run the model until every transfer is visible; the same seed gives the same run."""
    env = Environment()
    bank = BankModel(env, costs, layout, seed)
    clients = _Clients(bank, offer, seed)
    env.run(clients.start())
    seen = clients.seen
    seen.cpu_seconds = {
        "observer": bank.observer.busy_seconds,
        "api": sum(thread.busy_seconds for thread in bank.apis),
        "worker": sum(thread.busy_seconds for thread in bank.workers)
        if layout.worker_count
        else 0.0,
        "database": bank.database_seconds,
    }
    batches = sum(loop.batch_count for loop in bank.loops.values())
    seen.batch_commands = sum(loop.item_count for loop in bank.loops.values()) / max(1, batches)
    seen.append_seconds = bank.append_seconds / max(1, batches)
    return seen


class _Clients:
    """Those who ask for transfers and watch them."""

    def __init__(self, bank: BankModel, offer: Offer, seed: int) -> None:
        self.bank, self.env, self.offer = bank, bank.env, offer
        self.dice = random.Random(f"accounts-{seed}")  # noqa: S311 - replayed, not secret
        self.arrivals = random.Random(f"arrivals-{seed}")  # noqa: S311 - replayed, not secret
        self.seen = Simulated()
        self._watching = 0
        self._numbers = iter(range(offer.transfers))
        self._left = offer.transfers
        self._finished = self.env.event()

    def start(self) -> Event:
        """Set the load going; the event is its end."""
        if self.offer.is_open:
            self.env.process(self._open())
        for _ in range(self.offer.in_flight or 0):
            self.env.process(self._closed())
        return self._finished

    def _open(self) -> Steps:
        for number, due in zip(self._numbers, self._due(), strict=False):
            yield self.env.timeout(due - self.env.now)
            self.env.process(self._perform(self._draw(number)))

    def _due(self) -> Iterator[float]:
        if self.offer.rate is None:
            return iter(self.offer.due)
        rate = self.offer.rate
        return accumulate(self.arrivals.expovariate(rate) for _ in range(self.offer.transfers))

    def _closed(self) -> Steps:
        for number in self._numbers:
            yield from self._perform(self._draw(number))

    def _draw(self, number: int) -> Transfer:
        partitions, dice = self.bank.layout.partition_count, self.dice
        places = {side: dice.randrange(partitions) for side in SIDES}
        api = dice.randrange(self.bank.layout.api_count)
        return Transfer(number, api, places, self.env.event())

    def _perform(self, transfer: Transfer) -> Steps:
        """One transfer as load/transfers.py performs it."""
        due = self.env.now
        if self.offer.reads is None:
            yield self._send(transfer)
        yield from self.bank.request(transfer)
        self.seen.answered_seconds.append(self.env.now - due)
        yield from self._see(transfer, due)
        self.seen.visible_seconds.append(self.env.now - due)
        self.seen.ended_at.append(self.env.now)
        self._left -= 1
        if not self._left:
            self._finished.succeed()

    def _see(self, transfer: Transfer, due: float) -> Steps:
        if self.offer.reads is not None:
            for _ in range(self.offer.reads):
                self.env.process(self.bank.look(transfer, SIDES[0]))
            yield transfer.visible
            return
        yield self.env.timeout(FIRST_LOOK_SECONDS)
        for side in SIDES if transfer.number % 2 else SIDES[::-1]:
            yield from self._watch(transfer, side, due)
        if self.offer.is_open:
            self.env.process(self._look_again(transfer))

    def _watch(self, transfer: Transfer, side: str, due: float) -> Steps:
        """Look until one side shows it."""
        looks = 0
        self._watching += 1
        while True:
            yield self._send(transfer)
            self.seen.looks += 1
            shown = yield from self.bank.look(transfer, side)
            if shown:
                self._watching -= 1
                return
            overdue = self.env.now - due > BOUND_SECONDS
            most = self.offer.looks_per_second_max
            yield self.env.timeout(pause_seconds(looks, overdue, self._watching, most))
            looks += 1

    def _look_again(self, transfer: Transfer) -> Steps:
        yield self.env.timeout(LOOK_AGAIN_SECONDS)
        yield self._send(transfer)
        yield from self.bank.look(transfer, SIDES[0])

    def _send(self, transfer: Transfer) -> Event:
        """The load generator at work for one request."""
        chance = self.bank.noise(ASK, transfer.number * LOOKS_STRIDE + transfer.looks)
        return self.bank.observer.run(self.bank.costs.observer * chance)
