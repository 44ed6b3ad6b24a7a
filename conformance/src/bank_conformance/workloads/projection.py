"""Read models are read while they are written, through kills where the target has the hooks, and
at rest together with the log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from bank_conformance.bank.observe import traces
from bank_conformance.bank.session import Session
from bank_conformance.bank.shapes import FeedEvent
from bank_conformance.deciders.folding import Folded
from bank_conformance.history import History, Operation, Outcome, now

from .power import Outage, crash
from .rest import LOOK_SECONDS, Scan, deadline, scan_with_feed, settle
from .stage import Stage, ending, gather

ACCOUNTS, ROUNDS, WRITERS = 4, 3, 6
STORM_SECONDS, COMMANDS_MAX = 0.4, 60
FUNDS_MINOR, READ_SECONDS = 1_000_000, 0.03
NARRATIVES = ("rent", "Café Zoë", "naïve, 10 %", 'say "hello" \\ n', "Ω≈ç√")
"""What a projector could stumble over."""


@dataclass(slots=True)
class Projection:
    """What read models showed meanwhile and at rest, and the log."""

    history: History
    accounts: Sequence[str]
    lists: list[Operation] = field(default_factory=list)
    """Every answer of a list while there were writers, in the order in which they came."""
    rest: Scan = field(default_factory=Scan)
    at_rest: list[Operation] = field(default_factory=list)
    """The lists at rest."""
    outages: list[Outage] = field(default_factory=list)

    @property
    def events(self) -> list[FeedEvent]:
        """The log, since before the first entry."""
        return self.rest.events or []

    def folded(self) -> Folded:
        """Return the log by what its read models are about."""
        return Folded.of(self.events, traces(self.history).values())

    def unlike(self, folded: Folded, page: Operation) -> list[str]:
        """Say how a list at rest is not what the log comes to."""
        return [*folded.page_differs(page), *folded.page_lags(page, self.rest.accounts)]


async def projection(stage: Stage) -> Projection:
    """Write, read and, where that is possible, kill; then read everything at rest."""
    customer = await stage.customer()
    accounts = await stage.accounts(customer, ACCOUNTS, funds=FUNDS_MINOR)
    record = Projection(stage.history, accounts)
    kills = {"kill", "start"} <= stage.hooks.names
    for number in range(ROUNDS):
        stage.progress(number, ROUNDS)
        await _round(stage, record, customer, kills=kills)
    await settle(stage)
    await _read_at_rest(stage, record, customer)
    return record


async def _read_at_rest(stage: Stage, record: Projection, customer: str) -> None:
    """Read the lists, and after them what they must show, until they do; at most as long as the
    bank may take.
    """
    session = stage.session("reader at rest")
    record.rest = await scan_with_feed(stage, record.accounts)
    until = deadline(stage)
    while True:
        record.at_rest = await _lists(session, record.accounts, customer)
        record.rest = await scan_with_feed(stage, record.accounts, record.rest)
        folded = record.folded()
        caught_up = all(one.ok and not record.unlike(folded, one) for one in record.at_rest)
        if caught_up or now() > until:
            return
        await stage.wait(LOOK_SECONDS)


async def _round(stage: Stage, record: Projection, customer: str, *, kills: bool) -> None:
    over = asyncio.Event()
    writers = [
        asyncio.create_task(_write(stage, record.accounts, number, over))
        for number in range(WRITERS)
    ]
    tasks = [*writers, asyncio.create_task(_read(stage, record, customer, over))]
    with ending(tasks):
        await asyncio.sleep(STORM_SECONDS)
        if kills:
            record.outages.append(await crash(stage))
        over.set()
        await asyncio.gather(*tasks)


async def _write(stage: Stage, accounts: Sequence[str], number: int, over: asyncio.Event) -> None:
    """Send one command after the other until the round is over or the bank is gone."""
    session, die = stage.session(f"writer {number}"), stage.random
    for _ in range(COMMANDS_MAX):
        one, other = die.sample(list(accounts), 2)
        amount, narrative = die.randint(1, 500), die.choice(NARRATIVES)
        if die.random() < 0.5:  # noqa: PLR2004  half of them
            done = await session.transfer(one, other, amount, narrative)
        else:
            code = die.choice(["CASH_DEPOSIT", "CASH_WITHDRAWAL", "FEE", "INTEREST"])
            done = await session.post(one, code, amount, narrative)
        if over.is_set() or done.outcome is Outcome.INFO:
            return


async def _read(stage: Stage, record: Projection, customer: str, over: asyncio.Event) -> None:
    session = stage.session("reader")
    while not over.is_set():
        record.lists += await _lists(session, record.accounts, customer)
        await asyncio.sleep(READ_SECONDS)


async def _lists(session: Session, accounts: Sequence[str], customer: str) -> list[Operation]:
    """Read the lists that are read models; one that meets a dead bank has no answer."""
    newest = [session.entry_page(one, limit=1000, order="desc") for one in accounts]
    ours = session.call("listAccounts", query={"customer_id": customer, "limit": 1000})
    theirs = [
        session.call("listTransfers", query={"account_id": one, "limit": 1000})
        for one in accounts
    ]  # fmt: skip
    return await gather([*newest, ours, *theirs])
