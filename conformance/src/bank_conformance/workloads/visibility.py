"""Open-loop transfers, watched in both accounts' histories until they show, and beyond.

Arrivals are drawn before the first is sent (Poisson), and each is timed from when it was meant to
start, not from when the bank was ready for it: a stall is paid by everyone who arrives during it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import accumulate

from bank_conformance.bank.shapes import Transfer, read
from bank_conformance.history import History, now

from .observer import LOOK_SECONDS, Observer, Watched
from .stage import Stage, gather

ACCOUNTS, FUNDS_MINOR = 6, 100_000_000
GIVE_UP_SECONDS = 4.0
"""Twice the bound: what does not show by then violates it beyond doubt."""

LEAD_SECONDS = 0.2
TRIES_MAX = 3


@dataclass(slots=True)
class Visibility:
    """Every transfer of the run."""

    history: History
    watched: list[Watched]


async def visibility(stage: Stage) -> Visibility:
    """Send transfers at a steady rate of independent arrivals, and watch each."""
    customer = await stage.customer()
    accounts = await stage.accounts(customer, ACCOUNTS, funds=FUNDS_MINOR)
    count, rate = stage.limits.visibility_transfers, stage.limits.visibility_rate
    gaps = (stage.random.expovariate(rate) for _ in range(count))
    start = now() + LEAD_SECONDS
    record = Visibility(stage.history, [Watched(start + at) for at in accumulate(gaps)])
    observers = {one: Observer(stage, one) for one in accounts}
    watching = asyncio.gather(*(observer.watch() for observer in observers.values()))
    await _dispatch(stage, record, observers)
    for observer in observers.values():
        observer.stopping = True
    await watching
    await gather(observer.look_at_all() for observer in observers.values())
    return record


async def _dispatch(stage: Stage, record: Visibility, observers: dict[str, Observer]) -> None:
    """Start each transfer at its time and wait for none; in the end, wait until all show."""
    accounts = list(observers)
    async with asyncio.TaskGroup() as running:
        for number, watched in enumerate(record.watched):
            await asyncio.sleep(max(0.0, watched.intended - now()))
            source, target = stage.random.sample(accounts, 2)
            pair = (observers[source], observers[target])
            running.create_task(_transfer(stage, watched, *pair))
            stage.progress(number + 1, len(record.watched))
    while any(_awaited(one) for one in record.watched):  # noqa: ASYNC110  time ends it, too
        await asyncio.sleep(LOOK_SECONDS)


def _awaited(watched: Watched) -> bool:
    """Say whether a transfer may still show in time to matter."""
    young = now() - watched.intended < GIVE_UP_SECONDS
    return young and bool(watched.transfer_id) and not watched.shown


async def _transfer(stage: Stage, watched: Watched, source: Observer, target: Observer) -> None:
    """Send a transfer, again under its key if there is no clear answer."""
    session = stage.session(f"{source.account_id[-4:]} to {target.account_id[-4:]}")
    watched.sent, key = now(), stage.client.fresh_key()
    horizons = {one: one.newest for one in (source, target)}
    for _ in range(TRIES_MAX):
        asked = await session.transfer(source.account_id, target.account_id, 1, key=key)
        watched.tries.append(asked)
        if asked.ok:
            watched.transfer_id = read(asked, Transfer).transfer_id
            for observer, horizon in horizons.items():
                observer.expect(watched, horizon)
        if 200 <= asked.status < 500:  # noqa: PLR2004  answered: trying again changes nothing
            return
