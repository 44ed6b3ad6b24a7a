"""Snapshots of a closed group of accounts, while money goes round among them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from bank_conformance.history import History, Operation

from .past import ask
from .rest import Scan, scan, settle
from .stage import Stage, gather

ACCOUNTS, SENDERS, READERS = 6, 4, 3
TRANSFERS, TRANSFERS_MAX, SNAPSHOTS = 22, 200, 100
"""Each sender goes on until it has sent so many and so many snapshots were taken."""

FUNDS_MINOR, AMOUNT_MINOR_MAX = 100_000, 900
PAUSE_SECONDS = 0.002


@dataclass(slots=True)
class Snapshots:
    """Every snapshot, and the accounts at rest."""

    history: History
    accounts: list[str]
    total_minor: int
    taken: list[Operation] = field(default_factory=list)
    last: Operation | None = None
    rest: Scan = field(default_factory=Scan)


async def snapshots(stage: Stage) -> Snapshots:
    """Send round and look at all accounts at once, on and on; then look once more at rest."""
    accounts = await stage.accounts(await stage.customer(), ACCOUNTS, funds=FUNDS_MINOR)
    record = Snapshots(stage.history, accounts, ACCOUNTS * FUNDS_MINOR)
    over = asyncio.Event()
    readers = [_read_on(stage, record, f"reader {number}", over) for number in range(READERS)]
    await gather([_send_all(stage, record, over), *readers])
    await settle(stage)
    record.rest = await scan(stage, accounts)
    record.last = await _look(stage, "reader at rest", accounts)
    return record


async def _send_all(stage: Stage, record: Snapshots, over: asyncio.Event) -> None:
    try:
        await gather(_send(stage, record, number) for number in range(SENDERS))
    finally:
        over.set()


async def _send(stage: Stage, record: Snapshots, number: int) -> None:
    """Send from each account to the next, all the way round."""
    session, accounts = stage.session(f"sender {number}"), record.accounts
    for step in range(TRANSFERS_MAX):
        if step >= TRANSFERS and len(record.taken) >= SNAPSHOTS:
            return
        stage.progress(len(record.taken), SNAPSHOTS)
        place = (number + step) % ACCOUNTS
        amount = stage.random.randint(1, AMOUNT_MINOR_MAX)
        await session.transfer(accounts[place], accounts[(place + 1) % ACCOUNTS], amount)
        await stage.wait(PAUSE_SECONDS)


async def _read_on(stage: Stage, record: Snapshots, name: str, over: asyncio.Event) -> None:
    while not over.is_set():
        order = stage.random.sample(record.accounts, ACCOUNTS)
        record.taken.append(await _look(stage, name, order))
        await stage.wait(PAUSE_SECONDS)


async def _look(stage: Stage, name: str, accounts: list[str]) -> Operation:
    return await ask(stage, stage.session(name), "listBalances", {}, {"account_id": accounts})
