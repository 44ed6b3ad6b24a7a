"""The bank's storage is forged while it is stopped; then the bank is asked whether it notices.

Checkpoints are held from before. Around each forgery stands a control: the same verification of the
log that nobody touched, before it and after it was undone from a back-up.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from bank_conformance.bank.shapes import FeedEvent, RefusedError, ShapeError
from bank_conformance.history import History, Operation
from bank_conformance.hooks import HookError

from .evidence import Feed, Growth, covering, growths, heads, jws_of, signing_keys, size_of, verify
from .power import until_served
from .rest import settle
from .stage import Stage, gather

ACCOUNTS, FUNDS_MINOR, POSTINGS = 4, 10_000, 16
MONEY_EVENTS = {"FundsCredited", "FundsDebited"}


class Aim(NamedTuple):
    """What is done to the log, and where."""

    kind: str
    partition: int
    position: int

    def __str__(self) -> str:
        """Put it on one line."""
        return f"{self.kind} at partition {self.partition}, position {self.position}"


@dataclass(slots=True)
class Forgery:
    """A forgery, and what became of it."""

    aim: Aim
    before: Operation
    """The bank's verification before it."""
    refused: str = ""
    """Why the bank did not start on the forged log; empty where it did."""
    after: Operation | None = None
    """The bank's verification of the forged log, with the checkpoints that the suite holds."""
    growth: Growth | None = None
    """The proof asked for that the forged log extends the held checkpoint."""
    undone: Operation | None = None
    """The bank's verification once the forgery was undone."""


@dataclass(slots=True)
class Tampering:
    """All forgeries of one kind of requirement."""

    history: History
    keys: Operation
    forgeries: list[Forgery] = field(default_factory=list)


class Log(NamedTuple):
    """A partition with events of ours, all of them sealed."""

    partition: int
    money: list[int]
    """Positions of entries."""
    head: int


async def altered(stage: Stage) -> Tampering:
    """One byte of an event, in the middle and near the end."""
    return await _tamper(stage, ("alter", 1), ("alter", 3))


async def rearranged(stage: Stage) -> Tampering:
    """An event is taken away, put in a second time, exchanged with the next one."""
    return await _tamper(stage, ("remove", 2), ("insert", 2), ("reorder", 2))


async def truncated(stage: Stage) -> Tampering:
    """The tail is cut off, then everything."""
    return await _tamper(stage, ("truncate", 3), ("truncate", 0))


async def rewritten(stage: Stage) -> Tampering:
    """An event is altered, and all that storage alone lets one compute is computed anew."""
    return await _tamper(stage, ("rewrite", 2))


async def _tamper(stage: Stage, *plan: tuple[str, int]) -> Tampering:
    """Forge by the plan: the kind, and the quarter of our entries where it is done; 0 is the very
    beginning of the partition.
    """
    record, feed = Tampering(stage.history, await signing_keys(stage)), await Feed.at_its_end(stage)
    await _play(stage)
    events = await feed.read()
    held = await covering(stage, heads(events))
    log = _busiest(events)
    if size_of(held[log.partition]) < log.head:
        raise RefusedError("needed, and not done: a checkpoint of what was just recorded")
    with tempfile.TemporaryDirectory(prefix="bank-conformance-") as folder:
        backup = str(Path(folder) / "backup")
        await stage.hooks.run("backup", folder=backup)
        sound = await verify(stage, jws_of(held.values()))
        for number, (kind, quarter) in enumerate(plan):
            stage.progress(number, len(plan))
            forgery = Forgery(_aim(log, kind, quarter), sound)
            record.forgeries.append(forgery)
            await _forge(stage, forgery, held)
            await _undo(stage, backup)
            forgery.undone = sound = await verify(stage, jws_of(held.values()))
    return record


async def _play(stage: Stage) -> None:
    """Give the log something to be forged."""
    accounts = await stage.accounts(await stage.customer(), ACCOUNTS, funds=FUNDS_MINOR)
    await gather(
        stage.staff.post(accounts[number % ACCOUNTS], "CASH_DEPOSIT", 100 + number)
        for number in range(POSTINGS)
    )
    await gather(stage.staff.transfer(one, accounts[0], 7) for one in accounts[1:])
    await settle(stage)


def _busiest(events: Iterable[FeedEvent]) -> Log:
    """Return the partition with most entries of ours."""
    ours: dict[int, list[int]] = {}
    for event in events:
        if event.type in MONEY_EVENTS:
            ours.setdefault(event.partition, []).append(event.position)
    if not ours:
        raise RefusedError("needed, and not done: the feed shows no entries to be forged")
    partition = max(ours, key=lambda one: len(ours[one]))
    return Log(partition, ours[partition], heads(events)[partition])


def _aim(log: Log, kind: str, quarter: int) -> Aim:
    place = log.money[len(log.money) * quarter // 4] if quarter else 1
    return Aim(kind, log.partition, min(place, log.head - 1))


async def _forge(stage: Stage, forgery: Forgery, held: dict[int, Operation]) -> None:
    """Forge the log of the stopped bank, start it, and ask for all evidence."""
    kind, partition, position = forgery.aim
    await stage.hooks.run("stop")
    place = {"partition": str(partition), "position": str(position)}
    await stage.hooks.run("mutate", kind=kind, **place)
    try:
        await _start(stage)
    except HookError as error:
        forgery.refused = str(error)
        return
    forgery.after = await verify(stage, jws_of(held.values()))
    with suppress(RefusedError, ShapeError):
        latest = {partition: await stage.staff.checkpoint(partition)}
        forgery.growth = (await growths(stage.staff, [held, latest]))[0]


async def _undo(stage: Stage, backup: str) -> None:
    """Put the bank back to where it was before the forgery."""
    with suppress(HookError):  # it may have refused to start
        await stage.hooks.run("stop")
    await stage.hooks.run("restore", folder=backup)
    await _start(stage)


async def _start(stage: Stage) -> None:
    await stage.hooks.run("start")
    await until_served(stage)
