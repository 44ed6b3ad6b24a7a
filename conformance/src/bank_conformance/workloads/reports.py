"""The reports of a few days before and after a known activity, with the bank at rest each time.

The activity books entries of many kinds, today and on a day far in the past, and sends transfers
of which some are reversed. Reports are read twice each time: if they move by themselves, somebody
else is using the bank, and a difference says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, timedelta
from functools import partial

from bank_conformance.bank.past import DailyReport
from bank_conformance.bank.shapes import Account, Entry, Hold, Transfer, demand, instant, read
from bank_conformance.history import History, Operation

from .past import ask
from .rest import scan, settle
from .stage import SETUP_PARALLEL_MAX, Stage, gather_bounded

CODES = ("CASH_DEPOSIT", "INTEREST", "FEE", "CASH_WITHDRAWAL", "PENALTY_INTEREST")
ROUNDS, TRANSFERS, REVERSED = 3, 8, 4
FUNDS_MINOR, AMOUNT_MINOR_MAX = 1_000_000, 5_000
DAYS_BACK = (400, 3_000)
PAUSE_SECONDS, WAIT_SECONDS = 0.3, 2

Day = tuple[str, str]
"""A date and the basis, BOOKING or VALUE."""


@dataclass(slots=True)
class Reading:
    """The reports of all days, read twice with a pause in between."""

    first: dict[Day, DailyReport] = field(default_factory=dict)
    second: dict[Day, DailyReport] = field(default_factory=dict)
    operations: dict[Day, Operation] = field(default_factory=dict)

    @property
    def at_rest(self) -> bool:
        """Whether the second time showed what the first did."""
        return self.first == self.second


@dataclass(slots=True)
class Reports:
    """The reports before and after, and everything that was booked in between."""

    history: History
    currency: str
    before: Reading = field(default_factory=Reading)
    after: Reading = field(default_factory=Reading)
    entries: list[Entry] = field(default_factory=list)
    reversed_transfers: list[str] = field(default_factory=list)


async def reports(stage: Stage) -> Reports:
    """Read the reports, book, and read them again."""
    record = Reports(stage.history, stage.target.currency)
    customer = await stage.customer()
    opened = [await stage.staff.open(customer) for _ in range(2)]
    accounts = [read(one, Account).account_id for one in opened]
    today = _day_of(opened[-1])
    past = today - timedelta(stage.random.randint(*DAYS_BACK))
    days = list(_days(today, past))
    record.before = await _reading(stage, days)
    await _book(stage, accounts, past)
    await _send(stage, record, accounts)
    await settle(stage)
    booked = (await scan(stage, accounts)).entries.values()
    record.entries = [entry for entries in booked for entry in entries]
    record.after = await _reading(stage, days)
    return record


def _day_of(opened: Operation) -> date:
    """Return the bank's own day: the suite's clock may show another."""
    body = opened.answer.body if opened.answer else {}
    return instant(str(body["as_of"])).astimezone(UTC).date()


def _days(today: date, past: date) -> Iterator[Day]:
    """Return the days that may be touched, each with the one before it.

    Midnight may pass meanwhile, and the business date may be another than the day of the clock.
    """
    for day in (past - timedelta(1), past):
        yield str(day), "VALUE"
        yield str(day), "BOOKING"
    for days in (-2, -1, 0, 1):
        yield str(today + timedelta(days)), "VALUE"
        yield str(today + timedelta(days)), "BOOKING"


async def _reading(stage: Stage, days: Sequence[Day]) -> Reading:
    found = Reading()
    for reports_ in (found.first, found.second):
        asked = await gather_bounded(
            [partial(_report, stage, day) for day in days], SETUP_PARALLEL_MAX
        )
        found.operations = dict(zip(days, asked, strict=True))
        reports_ |= {day: read(one, DailyReport) for day, one in found.operations.items()}
        await stage.wait(PAUSE_SECONDS)
    return found


async def _report(stage: Stage, day: Day) -> Operation:
    query = {"date": day[0], "basis": day[1]}
    return await ask(stage, stage.staff, "getDailyReport", {}, query)


async def _book(stage: Stage, accounts: Sequence[str], past: date) -> None:
    """Book entries of every code, today and with a value date in the past, on each account."""
    staff, random = stage.staff, stage.random
    for account in accounts:
        demand(await staff.post(account, "CASH_DEPOSIT", FUNDS_MINOR))
        for number in range(ROUNDS):
            for code in CODES:
                amount, day = random.randint(1, AMOUNT_MINOR_MAX), str(past) if number else None
                demand(await staff.post(account, code, amount, value_date=day))
        if stage.capabilities.holds:
            amount = random.randint(1, AMOUNT_MINOR_MAX)
            hold = read(await staff.hold(account, amount), Hold)
            demand(await staff.capture(account, hold.hold_id, amount))


async def _send(stage: Stage, record: Reports, accounts: Sequence[str]) -> None:
    """Send transfers, and reverse some of them."""
    staff, sent = stage.staff, list[str]()
    for number in range(TRANSFERS):
        stage.progress(number, TRANSFERS)
        amount = stage.random.randint(1, AMOUNT_MINOR_MAX)
        transfer = await staff.transfer(accounts[0], accounts[1], amount, wait=WAIT_SECONDS)
        sent.append(read(transfer, Transfer).transfer_id)
    await settle(stage)
    for transfer_id in sent[:REVERSED]:
        headers = {"Prefer": f"wait={WAIT_SECONDS}"}
        path = {"transfer_id": transfer_id}
        demand(await staff.call("reverseTransfer", path, headers=headers))
        record.reversed_transfers.append(transfer_id)
