"""Overlapping commands on few accounts: the traffic in which ordering and conservation break.

Twice the same storm, with everything read in between and after it:

* sessions that deposit, withdraw, hold, capture, release, transfer in rings and stars, and read;
* bursts of commands for more than half of what one account has, released at the same moment;
* an account that is frozen and thawed for credits while transfers to it are on their way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random

from bank_conformance.bank.session import Session
from bank_conformance.bank.shapes import Account, Hold, Transfer, read
from bank_conformance.history import History, Operation

from .rest import Scan, scan_with_feed, settle
from .stage import Stage, gather
from .tail import Delivery, tailing

SESSIONS, COMMANDS, ROUNDS = 10, 24, 2
BURSTS, RACERS = 6, 6
FUNDS_MINOR, AMOUNT_MINOR_MAX, CREDIT_LINE_MINOR = 4_000, 1_500, 300
CANCELLED_SHARE = 1 / 6
FREEZES, FROZEN_SECONDS = 6, 0.02
HISTORY_LIMIT = 200


@dataclass(slots=True)
class Contention:
    """What the storm left behind."""

    history: History
    accounts: list[str]
    scans: list[Scan] = field(default_factory=list)
    tail: list[Delivery] = field(default_factory=list)
    """What the feed delivered while the storm went on; nothing where there is none."""


@dataclass(slots=True)
class _Storm:
    """The accounts of a storm: a ring that everyone uses, one on the edge, one often frozen."""

    stage: Stage
    ring: list[str]
    edge: str
    icy: str
    holds: list[tuple[str, str, int]] = field(default_factory=list)

    @property
    def accounts(self) -> list[str]:
        return [*self.ring, self.edge, self.icy]


async def contention(stage: Stage) -> Contention:
    """Play the storm twice and read everything after each."""
    storm = await _set_up(stage)
    record = Contention(stage.history, storm.accounts)
    async with tailing(stage, record.tail):
        for number in range(ROUNDS):
            stage.progress(number, ROUNDS)
            await _round(storm, number)
            await settle(stage)
            record.scans.append(await scan_with_feed(stage, storm.accounts))
    stage.progress(ROUNDS, ROUNDS)
    return record


async def _set_up(stage: Stage) -> _Storm:
    customer = await stage.customer()
    lined = await stage.account(customer, funds=FUNDS_MINOR, credit_line=CREDIT_LINE_MINOR)
    *ring, edge, icy = await stage.accounts(customer, 4, funds=FUNDS_MINOR)
    return _Storm(stage, [lined, *ring], edge, icy)


async def _round(storm: _Storm, number: int) -> None:
    players: list[Awaitable[None]] = [
        _Player(storm, f"client {index}", Random(storm.stage.random.random())).play()  # noqa: S311
        for index in range(SESSIONS)
    ]
    players.append(_bursts(storm))
    if storm.stage.capabilities.freezes:
        players.append(_freezes(storm))
    if number == 0 and storm.stage.offers("setCreditLine"):
        players.append(_raise_credit_line(storm))
    await gather(players)


async def _raise_credit_line(storm: _Storm) -> None:
    session = storm.stage.session("credit line")
    await storm.stage.wait(FROZEN_SECONDS)
    await session.set_credit_line(storm.ring[0], 2 * CREDIT_LINE_MINOR)


class _Player:
    """One client: a line of commands, drawn from its own seeded die."""

    def __init__(self, storm: _Storm, name: str, random: Random) -> None:
        self.storm, self.random = storm, random
        self.session = storm.stage.session(name)
        # Ring transfers and reads are what most requirements feed on; the rest is spice.
        self.moves: list[Callable[[], Awaitable[object]]] = [
            *[self.ring_transfer] * 4,
            *[self.star_transfer] * 3,
            *[self.withdraw] * 4,
            *[self.deposit] * 2,
            *[self.read] * 4,
            *[self.history] * 2,
        ]
        if storm.stage.capabilities.holds:
            self.moves += [self.place, self.place, self.end, self.end]

    async def play(self) -> None:
        """Send the commands one after the other."""
        for _ in range(COMMANDS):
            await self.random.choice(self.moves)()

    def account(self) -> str:
        return self.random.choice(self.storm.ring)

    def amount(self) -> int:
        return self.random.randint(1, AMOUNT_MINOR_MAX)

    async def deposit(self) -> None:
        await self.session.post(self.account(), "CASH_DEPOSIT", self.amount())

    async def withdraw(self) -> None:
        await self.session.post(self.account(), "CASH_WITHDRAWAL", self.amount())

    async def read(self) -> None:
        await self.session.account(self.account())

    async def history(self) -> None:
        order = self.random.choice(("asc", "desc"))
        await self.session.entry_page(self.account(), order=order, limit=HISTORY_LIMIT)

    async def ring_transfer(self) -> None:
        at = self.random.randrange(len(self.storm.ring))
        following = self.storm.ring[(at + 1) % len(self.storm.ring)]
        await self.transfer(self.storm.ring[at], following)

    async def star_transfer(self) -> None:
        """Send to the account that freezes, or from it back into the ring."""
        pair = [self.account(), self.storm.icy]
        await self.transfer(*(pair if self.random.random() < 2 / 3 else reversed(pair)))

    async def transfer(self, source: str, target: str) -> None:
        wait = self.random.choice((None, None, 2))
        asked = await self.session.transfer(source, target, self.amount(), wait=wait)
        if not asked.ok:
            return
        transfer_id = read(asked, Transfer).transfer_id
        if self.random.random() < CANCELLED_SHARE and self.storm.stage.offers("cancelTransfer"):
            await self.session.cancel(transfer_id)
        if self.storm.stage.offers("getTransfer"):
            await self.session.transfer_state(transfer_id)

    async def place(self) -> None:
        account, amount = self.account(), self.amount()
        placed = await self.session.hold(account, amount)
        if placed.ok:
            self.storm.holds.append((account, read(placed, Hold).hold_id, amount))

    async def end(self) -> None:
        """Capture and release the oldest hold at once: one of them must come too late."""
        if not self.storm.holds:
            return
        account, hold_id, amount = self.storm.holds.pop(0)
        rival = self.storm.stage.session(f"{self.session.name} rival")
        part = self.random.randint(1, amount)
        await gather(
            [self.session.capture(account, hold_id, part), rival.release(account, hold_id)]
        )


async def _bursts(storm: _Storm) -> None:
    """Race for the same money: each racer wants more than half, so at most one may have it."""
    for _ in range(BURSTS):
        session = storm.stage.session("burst")
        await session.post(storm.edge, "CASH_DEPOSIT", FUNDS_MINOR)
        available = read(await session.account(storm.edge), Account).available_minor
        racers = [_race(storm, index, available * 3 // 5) for index in range(RACERS)]
        for won in await gather(racers):
            if won.ok and won.call.route == "placeHold":
                await session.release(storm.edge, read(won, Hold).hold_id)
        await session.account(storm.edge)


async def _race(storm: _Storm, index: int, amount: int) -> Operation:
    session: Session = storm.stage.session(f"racer {index}")
    await asyncio.sleep(0)
    if index % 3 == 1 and storm.stage.capabilities.holds:
        return await session.hold(storm.edge, amount)
    if index % 3 == 2:  # noqa: PLR2004  the third kind of racer
        return await session.transfer(storm.edge, storm.ring[1], amount)
    return await session.post(storm.edge, "CASH_WITHDRAWAL", amount)


async def _freezes(storm: _Storm) -> None:
    """Freeze and thaw one account for credits, so that transfers to it fail on their way."""
    session = storm.stage.session("freezer")
    for _ in range(FREEZES):
        await session.freeze(storm.icy, "CREDIT")
        await session.transfer(storm.ring[1], storm.icy, 1)
        await session.account(storm.icy)
        await storm.stage.wait(FROZEN_SECONDS)
        await session.unfreeze(storm.icy)
        await storm.stage.wait(FROZEN_SECONDS)
    await session.account(storm.icy)
