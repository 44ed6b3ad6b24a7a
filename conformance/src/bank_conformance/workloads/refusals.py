"""Commands that must be refused, while others look at everything in which they might show.

One account gets deposits of one minor unit and commands that it can never afford, another sends
transfers that fail after they were accepted. Every refused command moves an amount of its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from itertools import count

from bank_conformance.bank.session import Session
from bank_conformance.bank.shapes import EventPage, read
from bank_conformance.history import History

from .rest import FEED_SECONDS_MAX, scan, settle
from .stage import Stage, gather

CLIENTS, COMMANDS, DEPOSITS, FAILING = 3, 50, 50, 12
FUNDS_MINOR, TOO_MUCH_MINOR = 1_000, 5_000_000
PAUSE_SECONDS = 0.005


@dataclass(slots=True)
class Refusals:
    """Everything that was seen meanwhile; `poor` is the account of refused commands."""

    history: History
    poor: str
    payer: str
    funds_minor: int = FUNDS_MINOR


@dataclass(slots=True)
class _Scene:
    stage: Stage
    poor: str
    payer: str
    icy: str
    feed_from: str | None
    over: bool = False
    amounts: Iterator[int] = field(default_factory=lambda: count(TOO_MUCH_MINOR))


async def refusals(stage: Stage) -> Refusals:
    """Send what must be refused and look, both as fast as it goes."""
    scene = await _set_up(stage)
    record = Refusals(stage.history, scene.poor, scene.payer)
    readers = [_look_at_accounts(scene), _look_at_histories(scene), _look_at_the_feed(scene)]
    await gather([_send_all(scene), *readers])
    await settle(stage)
    await scan(stage, [scene.poor, scene.payer, scene.icy])
    return record


async def _set_up(stage: Stage) -> _Scene:
    customer = await stage.customer()
    poor = await stage.account(customer, funds=FUNDS_MINOR)
    payer = await stage.account(customer, funds=100 * TOO_MUCH_MINOR)
    icy = await stage.account(customer)
    if stage.capabilities.freezes:
        await stage.staff.freeze(icy, "CREDIT")
    feed_from = stage.feed_from
    if feed_from is not None:
        _, feed_from = await stage.staff.events(feed_from, seconds=FEED_SECONDS_MAX)
    return _Scene(stage, poor, payer, icy, feed_from)


async def _send_all(scene: _Scene) -> None:
    senders = [_refused(scene, f"client {number}") for number in range(CLIENTS)]
    if scene.stage.capabilities.freezes:
        senders.append(_failing(scene))
    try:
        await gather([_deposits(scene), *senders])
    finally:
        scene.over = True


async def _refused(scene: _Scene, name: str) -> None:
    """Ask for more than there is, in every way that money can be asked for."""
    session = scene.stage.session(name)
    ways: list[Callable[[Session, _Scene], Awaitable[object]]] = [_withdraw, _transfer]
    ways += [_hold] if scene.stage.capabilities.holds else []
    for number in range(COMMANDS):
        scene.stage.progress(number, COMMANDS)
        await ways[number % len(ways)](session, scene)


async def _withdraw(session: Session, scene: _Scene) -> None:
    await session.post(scene.poor, "CASH_WITHDRAWAL", next(scene.amounts))


async def _transfer(session: Session, scene: _Scene) -> None:
    await session.transfer(scene.poor, scene.payer, next(scene.amounts))


async def _hold(session: Session, scene: _Scene) -> None:
    await session.hold(scene.poor, next(scene.amounts))


async def _failing(scene: _Scene) -> None:
    """Send to an account that is frozen for credits: accepted, and failed later."""
    session = scene.stage.session("payer")
    for _ in range(FAILING):
        await session.transfer(scene.payer, scene.icy, next(scene.amounts), wait=2)


async def _deposits(scene: _Scene) -> None:
    session = scene.stage.session("depositor")
    for _ in range(DEPOSITS):
        await session.post(scene.poor, "CASH_DEPOSIT", 1)


async def _look_at_accounts(scene: _Scene) -> None:
    session = scene.stage.session("reader of accounts")
    while not scene.over:
        await session.account(scene.poor)
        await scene.stage.wait(PAUSE_SECONDS)


async def _look_at_histories(scene: _Scene) -> None:
    session = scene.stage.session("reader of histories")
    while not scene.over:
        for account_id in (scene.poor, scene.icy, scene.payer):
            await session.entry_page(account_id, order="desc", limit=20)
        await scene.stage.wait(PAUSE_SECONDS)


async def _look_at_the_feed(scene: _Scene) -> None:
    session, after = scene.stage.session("reader of the feed"), scene.feed_from
    while after is not None and not scene.over:
        page = await session.call("readEvents", query={"after": after, "limit": 1000})
        after = read(page, EventPage).next
        await scene.stage.wait(PAUSE_SECONDS)
