"""Customers: registration, reading, legal holds, erasure."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta

from ourbank.application.customers import PersonalData
from ourbank.eventsourcing.command import Result
from ourbank.privacy.erasure import Erasure, ErasureState, state_of

from ..client import Session
from ..ends import End
from . import Stage

WEIGHT = 2
CUSTOMERS = 3
CHOICES = ("register", "look", "look", "look", "hold", "hold", "lift", "erase", "erase")
ERASE_TRIES_MAX = (1, 1, 30)
"""Who asks but once leaves it to the bank."""


async def set_up(stage: Stage, session: Session) -> None:
    """Register the first ones."""
    for _ in range(CUSTOMERS):
        await _register(stage, session)


async def act(stage: Stage, session: Session) -> None:
    """Mostly look, sometimes register, now and then hold or erase."""
    dice = session.dice
    if not stage.customers:
        await _register(stage, session)
        return
    customer_id = dice.choice(stage.customers)
    match dice.choice(CHOICES):
        case "register":
            await _race(stage, session)
        case "look":
            await session.read("look", customer_id, lambda bank: bank.customers.get(customer_id))
        case "hold":
            until = (stage.world.now() + timedelta(days=dice.choice((1, 30)))).date()
            await session.command(
                "legal hold",
                customer_id,
                0,
                lambda bank, asked: bank.legal_holds.set(customer_id, until, asked),
                tries_max=3,
            )
        case "lift":
            await session.command(
                "lift",
                customer_id,
                0,
                lambda bank, asked: bank.legal_holds.lift(customer_id, asked),
                tries_max=3,
            )
        case "erase":
            await _erase(stage, session, customer_id)


async def _race(stage: Stage, session: Session) -> None:
    """The same person several times at once, in whatever partition: one customer."""
    key = session.new_key()
    told = await asyncio.gather(*(_register(stage, session, key) for _ in range(3)))
    if len({one for one in told if one}) > 1:
        stage.world.violate(f"one key, several customers: {told}")


async def _register(stage: Stage, session: Session, key: str | None = None) -> str:
    personal = PersonalData("Ada Example", "ada@example.org", "+420 000 000 000")
    done = await session.command(
        "register", "", 0, lambda bank, asked: bank.customers.register(personal, asked), key=key
    )
    if not done.ok:
        return ""
    result: Result = done.answer
    customer_id = result.events[0].stream_id
    if customer_id not in stage.customers:
        stage.customers.append(customer_id)
    return customer_id


async def _erase(stage: Stage, session: Session, customer_id: str) -> None:
    done = await session.command(
        "erase",
        customer_id,
        0,
        lambda bank, _: bank.eraser.erase(customer_id),
        tries_max=session.dice.choice(ERASE_TRIES_MAX),
    )
    erasure: Erasure | None = done.answer if done.ok else None
    if erasure is not None and erasure.state is ErasureState.ERASED:
        stage.erased.add(customer_id)
    if erasure is None and await _is_half_done(stage, customer_id):
        stage.half_erased.add(customer_id)


async def _is_half_done(stage: Stage, customer_id: str) -> bool:
    """Whether an erasure was begun whose client has gone, and is not at its end."""
    record = await stage.world.key_service.vault.find(customer_id)
    return record is not None and state_of(record).state is ErasureState.REQUESTED


def check(stage: Stage) -> Iterator[str]:
    """Whoever was told ERASED is: no key, and the log says so."""
    vault, books = stage.world.key_service.vault, stage.world.books
    books.ends[End.CARRIED_ON] += len(stage.half_erased & books.erased)
    for customer_id in sorted(stage.erased):
        if vault.has_key(customer_id):
            yield f"{customer_id} was erased, and there is a key for it"
        if customer_id not in books.erased:
            yield f"{customer_id} was told erased, and the log does not say so"
    yield from _unheeded(stage)


def _unheeded(stage: Stage) -> Iterator[str]:
    """Customers who were erased although a hold was confirmed that nobody asked to lift."""
    lifted = {one.about for one in stage.history if one.what == "lift"}
    for one in stage.history:
        if one.what == "legal hold" and one.ok and one.about in stage.erased - lifted:
            yield f"{one.about} was erased in spite of a legal hold: {one}"
