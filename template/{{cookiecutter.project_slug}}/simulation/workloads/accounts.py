"""Accounts: entries, holds, freezes, credit lines, rivals for a version, strong reads."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import Any

from ourbank.application.accounts import EntryOrder
from ourbank.application.bank import Bank
from ourbank.application.request import Request
from ourbank.domain.ledger import TransactionCode
from ourbank.domain.lifecycle import (
    FreezeAccount,
    FreezeScope,
    LifecycleCommand,
    SetCreditLine,
    UnfreezeAccount,
)
from ourbank.eventsourcing.command import Result

from ..client import Operation, Outcome, Session
from . import Stage

WEIGHT = 5
NEEDS = ("customers",)
CURRENCY = "EUR"
OPENING = 500
WAIT_SECONDS = 2.0
NARRATIVE = "rent of Ada Example"
"""Nowhere in the log may this stand in the clear."""
CREDITS = {"deposit": TransactionCode.CASH_DEPOSIT}
DEBITS = {"withdrawal": TransactionCode.CASH_WITHDRAWAL, "fee": TransactionCode.FEE}
CODES = CREDITS | DEBITS
CHOICES = (
    *("deposit", "deposit", "withdrawal", "withdrawal", "fee", "read", "read", "hold", "hold"),
    *("capture", "release", "freeze", "unfreeze", "credit line", "open"),
    *("rivals", "history", "reuse"),
)


async def set_up(stage: Stage, session: Session) -> None:
    """Open an account or two a customer, with money on it."""
    for customer_id in stage.customers:
        for _ in range(session.dice.choice((1, 1, 2))):
            account_id = await _open(stage, session, customer_id)
            if account_id is not None:
                await _post(stage, session, account_id, "deposit", stage.amount(OPENING))


async def act(stage: Stage, session: Session) -> None:
    """One command on one account; few accounts, so that commands meet."""
    dice = session.dice
    account_id = dice.choice(stage.accounts)
    match what := dice.choice(CHOICES):
        case "deposit" | "withdrawal" | "fee":
            await _post(stage, session, account_id, what, stage.amount(dice.choice((1, 50, 400))))
        case "read":
            await session.read("read", account_id, lambda bank: bank.accounts.get(account_id))
        case "hold":
            await _hold(stage, session, account_id)
        case "capture" | "release" if stage.holds:
            await _end_hold(stage, session, what)
        case "freeze" | "unfreeze" | "credit line":
            await _change(stage, session, account_id, what)
        case "open" if stage.customers:
            await _open(stage, session, dice.choice(stage.customers))
        case "reuse":
            await _reuse(stage, session, account_id)
        case "rivals":
            await _rivals(stage, session, account_id)
        case "history":
            await _post(stage, session, account_id, "deposit", stage.amount(1))
            await _history(stage, session, account_id)


async def _open(stage: Stage, session: Session, customer_id: str) -> str | None:
    line = session.dice.choice((0, 0, 100_000))
    done = await session.command(
        "open",
        customer_id,
        line,
        lambda bank, asked: bank.accounts.open(customer_id, CURRENCY, line, asked),
    )
    if not done.ok:
        return None
    result: Result = done.answer
    account_id = result.events[0].stream_id
    done.subject = account_id
    stage.accounts.append(account_id)
    return account_id


async def _post(
    stage: Stage,
    session: Session,
    account_id: str,
    what: str,
    amount: int,
    if_version: int | None = None,
    key: str | None = None,
) -> Operation:
    narrative = session.dice.choice((None, NARRATIVE))
    order = EntryOrder(CODES[what], amount, CURRENCY, narrative=narrative)
    done = await session.command(
        what,
        account_id,
        amount,
        lambda bank, asked: bank.accounts.post(account_id, order, asked),
        if_version=if_version,
        key=key,
    )
    if done.ok:
        stage.saw(session, account_id, done.answer.position)
    return done


async def _rivals(stage: Stage, session: Session, account_id: str) -> None:
    """Several commands rest on the version that was just read: at most one of them is done."""
    seen = await session.read("read", account_id, lambda bank: bank.accounts.get(account_id))
    if not seen.ok:
        return
    rivals = [
        _post(stage, session, account_id, "deposit", stage.amount(3), seen.answer.version)
        for _ in range(3)
    ]
    done = [one for one in await asyncio.gather(*rivals) if one.ok]
    if len(done) > 1:
        stage.world.violate(f"{len(done)} commands were done on one version of {account_id}")


async def _reuse(stage: Stage, session: Session, account_id: str) -> None:
    """One key is good for one request of one client; another client's is another key."""
    key = session.new_key()
    first = await _post(stage, session, account_id, "deposit", stage.amount(4), key=key)
    again = await _post(stage, session, account_id, "deposit", stage.amount(4), key=key)
    if first.ok and again.ok:
        stage.world.violate(f"one key is good for two requests: {again}")
    other = Session(session.world, f"{session.name}'", session.dice, session.history)
    theirs = await _post(stage, other, account_id, "deposit", stage.amount(4), key=key)
    if theirs.code == "idempotency-key-reused":
        stage.world.violate(f"a key is refused because another client used it: {theirs}")


async def _history(stage: Stage, session: Session, account_id: str) -> None:
    """A list read with what the session has seen: never older than that, or refused."""
    seen = stage.seen.get((session.name, account_id), 0)

    async def look(bank: Any) -> Any:
        partition = bank.engine.partition_of(account_id)
        read = partial(bank.queries.history, account_id)
        return seen, await bank.freshness.read("entries", {partition: seen}, WAIT_SECONDS, read)

    await session.read("history", account_id, look)


async def _hold(stage: Stage, session: Session, account_id: str) -> None:
    amount, seconds = stage.amount(20), session.dice.choice((1, 3, 3600))
    done = await session.command(
        "hold",
        account_id,
        amount,
        lambda bank, asked: bank.accounts.hold(account_id, amount, CURRENCY, seconds, asked),
    )
    if done.ok:
        done.subject = done.answer.events[0].event.hold_id
        stage.holds.append((account_id, done.subject))


async def _end_hold(stage: Stage, session: Session, what: str) -> None:
    account_id, hold_id = session.dice.choice(stage.holds)
    amount = stage.amount(2) if what == "capture" else 0

    async def end(bank: Bank, asked: Request) -> Result:
        if what == "release":
            return await bank.accounts.release(account_id, hold_id, asked)
        capture = bank.accounts.capture
        return await capture(account_id, hold_id, amount, CURRENCY, asked, final=True)

    done = await session.command(what, account_id, amount, end)
    done.subject = hold_id


async def _change(stage: Stage, session: Session, account_id: str, what: str) -> None:
    amount = stage.amount(session.dice.choice((0, 200))) if what == "credit line" else 0
    scope = session.dice.choice(list(FreezeScope))
    commands: dict[str, Callable[[datetime], LifecycleCommand]] = {
        "freeze": partial(FreezeAccount, scope),
        "unfreeze": UnfreezeAccount,
        "credit line": partial(SetCreditLine, amount),
    }
    command = commands[what]
    done = await session.command(
        what,
        account_id,
        amount,
        lambda bank, asked: bank.accounts.change(account_id, command, asked),
    )
    done.subject = scope if what == "freeze" else ""


def check(stage: Stage) -> Iterator[str]:
    """An acknowledged entry is booked, a refused one is not; a history shows what was seen."""
    entries = stage.world.books.entries
    yield from _old(stage)
    for operation in stage.history:
        if operation.what in CODES:
            yield from _counted(operation, entries[CODES[operation.what], operation.amount])
        elif operation.what == "capture":
            yield from _counted(operation, entries[TransactionCode.CAPTURE, operation.amount])


def _old(stage: Stage) -> Iterator[str]:
    """Histories that lack what the session had seen, or show what is not in the log."""
    for operation in stage.history:
        if operation.what != "history" or not operation.ok:
            continue
        seen, rows = operation.answer
        booked = stage.world.books.places[operation.about]
        due = sum(position <= seen for position in booked)
        shown = [row.sequence for row in rows]
        stopped = stage.world.is_parked("entries", operation.about)
        if not stopped and (shown != list(range(1, len(rows) + 1)) or not due <= len(rows)):
            yield f"{operation.session} saw {due} entries and is shown {shown}: {operation.about}"


def _counted(operation: Operation, booked: int) -> Iterator[str]:
    allowed = {Outcome.OK: (1,), Outcome.FAIL: (0,), Outcome.INFO: (0, 1)}[operation.outcome]
    if booked not in allowed:
        yield f"{operation.what} of {operation.amount} is booked {booked} times: {operation}"
