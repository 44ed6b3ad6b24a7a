"""Balances asked for under both clocks, while entries are booked whose value dates lie all over.

Each question names a booking time that has passed, so that its answer is final: it is asked when
little has been booked after it, and again when all is over.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from bank_conformance.bank.session import Session
from bank_conformance.bank.shapes import Entry, instant, read
from bank_conformance.history import History, Operation

from .past import TICK, ask, between, told
from .rest import Scan, scan, settle
from .stage import Stage, gather

ACCOUNTS, ENTRIES, QUESTIONS_EACH, TRANSFER_EVERY = 3, 18, 3, 5
DAYS_BACK, DAYS_AHEAD = 40, 10
FUNDS_MINOR, AMOUNT_MINOR_MAX = 1_000_000, 900
CODES = ("CASH_DEPOSIT", "CASH_WITHDRAWAL", "FEE", "INTEREST")


@dataclass(frozen=True, slots=True)
class Question:
    """A balance that was asked for; what is None was left out."""

    account_id: str
    as_of: str | None
    known_at: str | None
    operation: Operation


@dataclass(slots=True)
class Temporal:
    """Every question in the order asked, and the histories once all is over."""

    history: History
    questions: list[Question] = field(default_factory=list)
    final: Scan = field(default_factory=Scan)


async def temporal(stage: Stage) -> Temporal:
    """Book and ask on several accounts at once; then ask everything again at rest."""
    record, customer = Temporal(stage.history), await stage.customer()
    accounts = await stage.accounts(customer, ACCOUNTS, funds=FUNDS_MINOR)
    desks = [
        _Desk(stage, record, one, accounts[number - 1], Random(stage.random.random()))  # noqa: S311
        for number, one in enumerate(accounts)
    ]
    await gather(desk.play() for desk in desks)
    await settle(stage)
    record.final = await scan(stage, accounts)
    await gather(desk.ask_again() for desk in desks)
    return record


@dataclass(slots=True)
class _Desk:
    stage: Stage
    record: Temporal
    account: str
    other: str
    random: Random
    known: list[Entry] = field(default_factory=list)

    @property
    def session(self) -> Session:
        return self.stage.session(f"desk {self.account[-6:]}")

    async def play(self) -> None:
        """Book one entry after the other, and ask about what was booked so far."""
        for number in range(ENTRIES):
            self.stage.progress(number, ENTRIES)
            if number % TRANSFER_EVERY == 0:
                await self.session.transfer(self.account, self.other, 1 + number)
            await self._book()
            for _ in range(QUESTIONS_EACH if self.known else 0):
                await self._ask(self._day(self.known), self._moment(self.known))

    async def _book(self) -> None:
        days = self.random.randint(-DAYS_BACK, DAYS_AHEAD)
        today = instant(self.known[0].booking_time).date() if self.known else None
        value_date = str(today + timedelta(days)) if today and self.random.random() < 3 / 4 else ""
        code, amount = self.random.choice(CODES), self.random.randint(1, AMOUNT_MINOR_MAX)
        posted = await self.session.post(self.account, code, amount, value_date=value_date or None)
        if posted.ok:
            self.known.append(read(posted, Entry))

    async def ask_again(self) -> None:
        """Ask every question once more, and some that leave out a clock or both."""
        ours = [one for one in self.record.questions if one.account_id == self.account]
        for one in ours:
            await self._ask(one.as_of, one.known_at)
        entries = self.record.final.entries[self.account]
        await self._ask(None, None)
        for _ in range(ENTRIES):
            await self._ask(self._day(entries), None)
            await self._ask(None, self._moment(entries))
            await self._ask(self._day(entries), self._moment(entries))

    async def _ask(self, as_of: str | None, known_at: str | None) -> None:
        path, query = {"account_id": self.account}, {"as_of": as_of, "known_at": known_at}
        answer = await ask(self.stage, self.session, "getBalance", path, query)
        self.record.questions.append(Question(self.account, as_of, known_at, answer))

    def _day(self, entries: list[Entry]) -> str:
        """Return the value date of some entry, or the day before or after it."""
        some = date.fromisoformat(self.random.choice(entries).value_date)
        return str(some + timedelta(self.random.choice((-1, 0, 0, 1))))

    def _moment(self, entries: list[Entry]) -> str:
        """Return the booking time of some entry, or one just before it or on the way to the
        next.
        """
        place = self.random.randrange(len(entries))
        here = entries[place].booking_time
        following = entries[min(place + 1, len(entries) - 1)].booking_time
        just_before = told(instant(here) - TICK)
        return self.random.choice((here, here, just_before, between(here, following)))
