"""Waiting for rest, and reading everything once it is reached."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from bank_conformance.bank.observe import traces
from bank_conformance.bank.shapes import Account, Entry, FeedEvent, Transfer, read
from bank_conformance.history import now

from .stage import SETUP_PARALLEL_MAX, Stage, gather_bounded

LOOK_SECONDS = 0.05
FEED_SECONDS_MAX = 20.0


@dataclass(slots=True)
class Scan:
    """Everything the bank shows of some accounts at one time."""

    entries: dict[str, list[Entry]] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    events: list[FeedEvent] | None = None
    """The feed since the run began; None where it was not read."""


async def settle(stage: Stage) -> None:
    """Wait until every accepted transfer ended, at most the target's settle time for all of
    them.
    """
    deadline = _deadline(stage)
    waiting = [trace.transfer_id for trace in traces(stage.history).values() if not trace.ended]
    others = _named_in_problems(stage) + _named_in_batches(stage)
    watches = [partial(_watch, stage, one, deadline) for one in waiting + others]
    await gather_bounded(watches, SETUP_PARALLEL_MAX)


def _deadline(stage: Stage) -> float:
    return now() + stage.limits.settle_seconds * stage.limits.time_scale


def _named_in_problems(stage: Stage) -> list[str]:
    """Return the transfers that were refused with an id: they exist, and have a state to show."""
    named: dict[str | None, None] = {}
    for operation in stage.history:
        body = operation.answer.body if operation.answer and not operation.ok else None
        if operation.call.route == "requestTransfer" and isinstance(body, dict):
            named[body.get("transfer_id")] = None
    return [str(transfer_id) for transfer_id in named if transfer_id]


def _named_in_batches(stage: Stage) -> list[str]:
    """Return the transfers that batches began: each goes on by itself after the batch's answer."""
    named: dict[str, None] = {}
    for operation in stage.history:
        body = operation.answer.body if operation.answer and operation.ok else None
        if operation.call.route == "requestTransfers" and isinstance(body, dict):
            named |= dict.fromkeys(_begun(body.get("outcomes")))
    return list(named)


def _begun(outcomes: Any) -> Iterator[str]:
    """The transfers of a batch's outcomes; what is malformed is for others to find."""
    for outcome in outcomes if isinstance(outcomes, list) else ():
        transfer = outcome.get("transfer") if isinstance(outcome, dict) else None
        if isinstance(transfer, dict) and isinstance(transfer.get("transfer_id"), str):
            yield transfer["transfer_id"]


async def _watch(stage: Stage, transfer_id: str, deadline: float) -> None:
    """Look at a transfer until it ended; at least once, however late."""
    session = stage.session(f"watch {transfer_id[-6:]}")
    while True:
        operation = await session.transfer_state(transfer_id)
        ended = operation.ok and read(operation, Transfer).terminal
        if ended or now() > deadline:
            return
        await stage.wait(LOOK_SECONDS)


async def scan(stage: Stage, account_ids: Sequence[str]) -> Scan:
    """Read the accounts and their whole histories, once the read model caught up."""
    found, deadline = Scan(), _deadline(stage)
    reads = [partial(_scan_account, stage, one, found, deadline) for one in account_ids]
    await gather_bounded(reads, SETUP_PARALLEL_MAX)
    return found


async def scan_with_feed(stage: Stage, account_ids: Sequence[str]) -> Scan:
    """Read the accounts, their histories, and the feed since the run began if there is one."""
    found = await scan(stage, account_ids)
    if stage.feed_from is not None:
        found.events, _ = await stage.staff.events(stage.feed_from, seconds=FEED_SECONDS_MAX)
    return found


async def _scan_account(stage: Stage, account_id: str, found: Scan, deadline: float) -> None:
    session = stage.session(f"scan {account_id[-6:]}")
    while True:
        account = read(await session.account(account_id), Account)
        entries = await session.entries(account_id, limit=100)
        if len(entries) >= (account.sequence or 0) or now() > deadline:
            break
        await stage.wait(LOOK_SECONDS)
    found.accounts[account_id], found.entries[account_id] = account, entries
