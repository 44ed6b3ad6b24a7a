"""Transfers: requests in rings and stars, under racing keys; cancellations, reversals, reads."""

import asyncio
from collections.abc import Iterator

from ourbank.application.request import RejectedError
from ourbank.application.transfers import (
    TransferOrder,
    TransferView,
)
from ourbank.domain.lifecycle import FreezeScope

from ..client import Operation, Outcome, Session
from . import Stage
from .accounts import CURRENCY, NARRATIVE

WEIGHT = 9
NEEDS = ("accounts",)
WAIT_SECONDS = (0, 0, 2)
_NO_DEBIT = (FreezeScope.DEBIT, FreezeScope.ALL)
_NO_CREDIT = (FreezeScope.CREDIT, FreezeScope.ALL)
REGRET_SECONDS = (0.0, 0.0, 0.0, 0.5, 1.4, 1.6)
"""From being told of a transfer to cancelling it: at once, or when its time is nearly up."""
CHOICES = ("one", "one", "one", "star", "race", "cancel", "reverse", "read", "regret", "regret")


async def act(stage: Stage, session: Session) -> None:
    """Mostly a transfer; sometimes several at once, or something about an earlier one."""
    dice = session.dice
    match dice.choice(CHOICES):
        case "one":
            await request(stage, session)
        case "star":
            await asyncio.gather(*(request(stage, session) for _ in range(dice.randint(2, 5))))
        case "regret":
            await _regret(stage, session)
        case "race":
            await _race(stage, session)
        case "cancel" if stage.transfers:
            await _cancel(stage, session, dice.choice(stage.transfers))
        case "reverse" if stage.transfers:
            await _reverse(stage, session, dice.choice(stage.transfers))
        case "read" if stage.transfers:
            transfer_id = dice.choice(stage.transfers)
            await session.read("look", transfer_id, lambda bank: bank.transfers.get(transfer_id))


async def request(stage: Stage, session: Session, *, in_haste: bool = False) -> Operation:
    """A transfer of money from one known account to another."""
    source, target = pair(stage, session)
    amount = stage.amount(session.dice.choice((1, 60, 450)))
    return await send(stage, session, source, target, amount, in_haste=in_haste)


def pair(stage: Stage, session: Session) -> tuple[str, str]:
    """Two accounts; now and then the same twice."""
    source, target = session.dice.choices(stage.accounts, k=2)
    if source == target:
        target = session.dice.choice(stage.accounts)
    return source, target


async def send(
    stage: Stage,
    session: Session,
    source: str,
    target: str,
    amount: int,
    key: str | None = None,
    *,
    in_haste: bool = False,
) -> Operation:
    """Ask for this transfer, and remember its id; who is in haste does not wait for its end."""
    wait = 0 if in_haste else session.dice.choice(WAIT_SECONDS)
    order = TransferOrder(source, target, amount, CURRENCY, narrative=NARRATIVE)
    done = await session.command(
        "transfer",
        source,
        amount,
        lambda bank, asked: bank.transfers.request(order, asked, wait),
        key=key,
    )
    done.subject = _id(done)
    if done.subject:
        stage.transfers.append(done.subject)
    return done


def refusals(stage: Stage, source: str, target: str, amount: int) -> set[str]:
    """Why a transfer of so much would be refused now, by the books and the keys there are."""
    books, vault = stage.world.books, stage.world.key_service.vault
    payer, payee = books.accounts[source], books.accounts[target]
    why = set()
    if source == target:
        why.add("same-account")
    if not (vault.has_key(payer.customer_id) and vault.has_key(payee.customer_id)):
        why.add("customer-erased")
    if payer.frozen in _NO_DEBIT or payee.frozen in _NO_CREDIT:
        why.add("account-blocked")
    if payer.available < amount:
        why.add("insufficient-funds")
    return why


async def _race(stage: Stage, session: Session) -> None:
    """The same intent several times at once: one effect, one answer."""
    key, amount = session.new_key(), stage.amount(30)
    source, target = pair(stage, session)
    racing = (send(stage, session, source, target, amount, key) for _ in range(3))
    done = await asyncio.gather(*racing)
    told = {one.subject for one in done if one.outcome is not Outcome.INFO}
    if len(told) > 1:
        stage.world.violate(f"one key, several transfers: {sorted(told)}")


async def _regret(stage: Stage, session: Session) -> None:
    """Turn back what has just begun, or turns back by itself: a transfer, or the reversal of one.

    Who is impatient asks twice, and may be heard by two processes.
    """
    dice = session.dice
    if stage.transfers and dice.random() < 0.5:  # noqa: PLR2004
        done = await _reverse(stage, session, dice.choice(stage.transfers), in_haste=True)
    else:
        done = await request(stage, session, in_haste=True)
    if not done.subject:
        return
    await asyncio.sleep(dice.choice(REGRET_SECONDS))
    await asyncio.gather(
        *(_cancel(stage, session, done.subject) for _ in range(dice.randint(1, 2)))
    )


async def _cancel(stage: Stage, session: Session, transfer_id: str) -> None:
    del stage
    await session.command(
        "cancel",
        transfer_id,
        0,
        lambda bank, asked: bank.transfers.cancel(transfer_id, asked),
        tries_max=5,
    )


async def _reverse(
    stage: Stage, session: Session, transfer_id: str, *, in_haste: bool = False
) -> Operation:
    wait = 0 if in_haste else session.dice.choice(WAIT_SECONDS)
    done = await session.command(
        "reverse",
        transfer_id,
        0,
        lambda bank, asked: bank.transfers.reverse(transfer_id, asked, wait),
        tries_max=5,
    )
    done.subject = _id(done)
    if done.subject:
        stage.transfers.append(done.subject)
    return done


def _id(done: Operation) -> str:
    """The transfer that an answer is about; none when it was refused outright."""
    match done.answer:
        case TransferView(transfer=transfer):
            return str(transfer.transfer_id)
        case RejectedError(transfer_id=str(transfer_id)):
            return transfer_id
    return ""


def _is_true(stage: Stage, told: Operation) -> bool:
    """Whether what a client was told of a transfer's end is how it ended."""
    subject = told.about if told.what == "cancel" else told.subject
    leg = stage.world.books.transfers.get(subject)
    if leg is None or told.outcome is Outcome.INFO:
        return True
    if told.what == "cancel":
        return told.ok == (leg.end == "TransferCancelled")
    if told.ok:
        return not told.answer.transfer.has_ended or leg.end == "TransferCompleted"
    return leg.end != "TransferCompleted"


def check(stage: Stage) -> Iterator[str]:
    """Every transfer that anybody was told of exists, and has ended; what was refused never was."""
    legs = stage.world.books.transfers
    for transfer_id in stage.transfers:
        if transfer_id not in legs:
            yield f"{transfer_id} was acknowledged, and the log does not know it"
    for transfer_id, leg in legs.items():
        if not leg.end:
            yield f"{transfer_id} is in limbo: {leg}"
    for operation in stage.history:
        if operation.what in ("transfer", "reverse", "cancel") and not _is_true(stage, operation):
            yield f"{operation} was told, and is not so"
    amounts = [leg.request.amount_minor for leg in legs.values() if not leg.request.reverses]
    for operation in stage.history:
        if operation.what == "transfer":
            count = amounts.count(operation.amount)
            if count > 1 or (operation.outcome is Outcome.OK and count == 0):
                yield f"a transfer of {operation.amount} exists {count} times: {operation}"
