"""Statements of closed periods: while the account is written to, at rest, again after more was
booked, backdated entries included, and once more when the owner's personal data was erased.

A transfer is requested just before an entry is booked: what was asked for first is booked last, so
that an order by anything but the sequence shows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from bank_conformance.bank.session import Session
from bank_conformance.bank.shapes import Entry, instant, read
from bank_conformance.history import History, Operation

from .past import TICK, ask, between, told
from .rest import scan, settle
from .stage import Stage, gather

ROUNDS, PERIODS, READERS = 14, 9, 2
DAYS_BACK, FUNDS_MINOR, AMOUNT_MINOR_MAX = 30, 1_000_000, 700
PAUSE_SECONDS = 0.02

Period = tuple[str, str]
"""Half open: from, and to."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A statement that was asked for, and when: meanwhile, at rest, later, after the erasure."""

    period: Period
    when: str
    operation: Operation


@dataclass(slots=True)
class Statements:
    """Every statement, the adjacent periods, and the history once all is over."""

    history: History
    account_id: str
    asked: list[Asked] = field(default_factory=list)
    periods: list[Period] = field(default_factory=list)
    """Adjacent ones, which cover everything booked before the first reading at rest."""
    entries: list[Entry] = field(default_factory=list)
    open_period: Operation | None = None


async def statements(stage: Stage) -> Statements:
    """Write and ask, ask at rest, write on, ask the same again, erase, and ask once more."""
    customer = await stage.customer()
    account, other = await stage.accounts(customer, 2, funds=FUNDS_MINOR)
    desk = _Desk(stage, Statements(stage.history, account), other)
    await gather([desk.write(), *(desk.read_on(number) for number in range(READERS))])
    await settle(stage)
    record = desk.record
    record.entries = (await scan(stage, [account])).entries[account]
    record.periods = _periods(stage, record.entries)
    for period in record.periods:
        await desk.ask(period, "at rest")
    await desk.write()
    await settle(stage)
    for period in dict.fromkeys(one.period for one in record.asked):
        await desk.ask(period, "later")
    record.entries = (await scan(stage, [account])).entries[account]
    record.open_period = await _ask_until_tomorrow(stage, account)
    if stage.capabilities.erasure:
        await stage.staff.erase(customer)
        for period in record.periods:
            await desk.ask(period, "after the erasure")
    return record


async def _ask_until_tomorrow(stage: Stage, account_id: str) -> Operation:
    now = datetime.now(UTC)
    period = {"from": told(now), "to": told(now + timedelta(days=1))}
    return await stage.staff.call("getStatement", {"account_id": account_id}, query=period)


@dataclass(slots=True)
class _Desk:
    stage: Stage
    record: Statements
    other: str
    booked: list[str] = field(default_factory=list)
    """The booking times of what was acknowledged."""
    over: bool = False

    async def write(self) -> None:
        """Request transfers both ways, and book entries while they are under way."""
        session, random = self.stage.session("writer"), self.stage.random
        for number in range(ROUNDS):
            self.stage.progress(number, ROUNDS)
            pair = (self.record.account_id, self.other)
            await session.transfer(*(pair if number % 2 else pair[::-1]), 1 + number)
            await self._book(session, "CASH_DEPOSIT", random.randint(1, AMOUNT_MINOR_MAX))
            await self._book(session, "CASH_WITHDRAWAL", random.randint(1, AMOUNT_MINOR_MAX))
            await self.stage.wait(PAUSE_SECONDS)
        self.over = True

    async def _book(self, session: Session, code: str, amount: int) -> None:
        day = datetime.now(UTC).date() - timedelta(self.stage.random.randint(0, DAYS_BACK))
        account = self.record.account_id
        posted = await session.post(account, code, amount, value_date=str(day))
        if posted.ok:
            self.booked.append(read(posted, Entry).booking_time)

    async def read_on(self, number: int) -> None:
        """Ask for periods that have just been closed, while others are being written."""
        while not self.over:
            if len(self.booked) > 1:
                first = self.stage.random.choice(self.booked[:-1])
                period = (first, told(instant(self.booked[-1]) + number * TICK))
                if instant(first) < instant(period[1]):
                    await self.ask(period, "meanwhile")
            await self.stage.wait(PAUSE_SECONDS)

    async def ask(self, period: Period, when: str) -> None:
        path = {"account_id": self.record.account_id}
        query = {"from": period[0], "to": period[1]}
        session = self.stage.session(f"reader {when}")
        answer = await ask(self.stage, session, "getStatement", path, query)
        self.record.asked.append(Asked(period, when, answer))


def _periods(stage: Stage, entries: list[Entry]) -> list[Period]:
    """Cut the history into adjacent periods, at booking times and between them."""
    times = [entry.booking_time for entry in entries]
    inner = [stage.random.choice((one, between(one, two))) for one, two in pairwise(times[1:])]
    cuts = stage.random.sample(inner, min(PERIODS - 1, len(inner)))
    start, end = told(instant(times[0]) - timedelta(seconds=1)), told(instant(times[-1]) + TICK)
    ordered = sorted({instant(cut): cut for cut in [start, *cuts, end]}.items())
    return list(pairwise(cut for _, cut in ordered))
