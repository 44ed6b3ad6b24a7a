"""Commands, and the bank's evidence of every one of them, asked for by several auditors.

After each round of commands the latest checkpoints are awaited, and the auditors, each with several
calls at once and at every address of the bank, ask for the checkpoints of those sizes: every one
must be the same. At the end an inclusion proof is asked for every event, and a consistency proof
between every two checkpoints.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from bank_conformance.bank.routes import Scope
from bank_conformance.bank.session import Session
from bank_conformance.bank.shapes import FeedEvent
from bank_conformance.history import History, Operation
from bank_conformance.tokens import Principal

from .evidence import (
    PARALLEL_MAX,
    Feed,
    Growth,
    Proof,
    covering,
    growths,
    heads,
    jws_of,
    prove,
    signing_keys,
    size_of,
    verify,
)
from .rest import settle
from .stage import Stage, gather, gather_bounded

ACCOUNTS, FUNDS_MINOR = 6, 100_000
ROUNDS, POSTINGS, TRANSFERS, AUDITORS, CALLS = 3, 12, 6, 3, 4


class Round(NamedTuple):
    """What happened in a round, and the checkpoints that were there for it, by partition."""

    events: list[FeedEvent]
    checkpoints: dict[int, Operation]


class View(NamedTuple):
    """A checkpoint as one auditor was shown it."""

    who: str
    operation: Operation


@dataclass(slots=True)
class Proving:
    """The commands, and all evidence of them."""

    history: History
    keys: Operation
    rounds: list[Round] = field(default_factory=list)
    views: list[View] = field(default_factory=list)
    proofs: list[Proof] = field(default_factory=list)
    growths: list[Growth] = field(default_factory=list)
    verification: Operation | None = None


async def proving(stage: Stage) -> Proving:
    """Play the rounds, and ask for everything."""
    record, feed = Proving(stage.history, await signing_keys(stage)), await Feed.at_its_end(stage)
    accounts = await stage.accounts(await stage.customer(), ACCOUNTS, funds=FUNDS_MINOR)
    auditors, positions = _auditors(stage), dict[int, int]()
    async with stage.replicas() as replicas:
        for number in range(ROUNDS):
            stage.progress(number, ROUNDS + 1)
            await _command(stage, accounts)
            await settle(stage)
            events = await feed.read()
            positions |= heads(events)
            record.rounds.append(Round(events, await covering(stage, positions)))
            everybody = [*auditors, stage.staff, *replicas]
            record.views += await _look(everybody, record.rounds[-1].checkpoints)
    for played in record.rounds:
        record.proofs += await prove(stage, played.events, record.rounds[-1].checkpoints)
    checkpoints = [played.checkpoints for played in record.rounds]
    record.growths = await growths(auditors[0], checkpoints)
    held = [jws for one in checkpoints for jws in jws_of(one.values())]
    record.verification = await verify(stage, held)
    return record


def _auditors(stage: Stage) -> list[Session]:
    """Return sessions of staff who may read evidence and nothing else."""
    subject = stage.target.staff_subject
    people = [
        Principal(f"auditor {number}", f"{subject}-auditor-{number}", Scope.AUDIT_READ)
        for number in range(1, AUDITORS)
    ]
    return [stage.session(who.label, who) for who in people]


async def _command(stage: Stage, accounts: list[str]) -> None:
    """Send commands of every kind at once."""
    staff, pick = stage.staff, stage.random.sample
    codes = ("CASH_DEPOSIT", "CASH_WITHDRAWAL")
    sent = [
        staff.post(pick(accounts, 1)[0], codes[number % 2], 10 + number)
        for number in range(POSTINGS)
    ]
    pairs = [pick(accounts, 2) for _ in range(TRANSFERS)]
    sent += [staff.transfer(source, target, 20) for source, target in pairs]
    sent += [staff.set_credit_line(one, 100 + stage.random.randrange(99)) for one in accounts[:2]]
    if stage.capabilities.holds:
        sent += [staff.hold(one, 5) for one in accounts[2:]]
    await gather([*sent, staff.register(stage.personal())])


async def _look(everybody: list[Session], seen: Mapping[int, Operation]) -> list[View]:
    """Let everybody ask for each checkpoint, several times at once."""

    async def look(session: Session, partition: int, size: int) -> View:
        return View(session.name, await session.checkpoint(partition, size))

    asks = [
        partial(look, session, partition, size_of(one))
        for partition, one in seen.items()
        for _ in range(CALLS)
        for session in everybody
    ]
    return await gather_bounded(asks, PARALLEL_MAX)
