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
    feed_end: str | None = None
    """Where the feed goes on."""
    doubt: str = ""
    """Why this is no reading of one moment; empty when it is."""


async def settle(stage: Stage) -> None:
    """Wait until every accepted transfer ended, at most the target's settle time for all of
    them.
    """
    until = deadline(stage)
    waiting = [trace.transfer_id for trace in traces(stage.history).values() if not trace.ended]
    others = _named_in_problems(stage) + _named_in_batches(stage)
    watches = [partial(_watch, stage, one, until) for one in waiting + others]
    await gather_bounded(watches, SETUP_PARALLEL_MAX)


def deadline(stage: Stage) -> float:
    """Return until when the bank may take to come to rest, from now on."""
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


async def _watch(stage: Stage, transfer_id: str, until: float) -> None:
    """Look at a transfer until it ended; at least once, however late."""
    session = stage.session(f"watch {transfer_id[-6:]}")
    while True:
        operation = await session.transfer_state(transfer_id)
        ended = operation.ok and read(operation, Transfer).terminal
        if ended or now() > until:
            return
        await stage.wait(LOOK_SECONDS)


async def scan(stage: Stage, account_ids: Sequence[str]) -> Scan:
    """Read the accounts and their whole histories, once the read model caught up."""
    found, until = Scan(), deadline(stage)
    reads = [partial(_scan_account, stage, one, found, until) for one in account_ids]
    await gather_bounded(reads, SETUP_PARALLEL_MAX)
    return found


async def scan_with_feed(
    stage: Stage, account_ids: Sequence[str], earlier: Scan | None = None
) -> Scan:
    """Read the accounts, their histories, and the feed since the run began if there is one, until
    nothing changes while they are read: a transfer may go on whose request got no answer.

    With an `earlier` scan the feed is read from its end on.
    """
    until = deadline(stage)
    while True:
        found = await scan(stage, account_ids)
        if stage.feed_from is not None:
            await _follow_feed(stage, found, earlier)
        if found.doubt or await _is_quiet(stage, found):
            return found
        earlier = found
        if now() > until:
            found.doubt = "the accounts still change after the target's settle time"
            return found


async def _follow_feed(stage: Stage, found: Scan, earlier: Scan | None) -> None:
    """Read the feed until it holds every entry that the accounts claim; it may lag behind them."""
    until, after, found.events = deadline(stage), stage.feed_from, []
    if earlier and earlier.events and earlier.feed_end:
        after, found.events = earlier.feed_end, list(earlier.events)
    while True:
        events, after = await stage.staff.events(after, seconds=FEED_SECONDS_MAX)
        found.events += events
        if after is None:
            found.doubt = f"the feed did not end within {FEED_SECONDS_MAX:.0f} s"
            return
        found.feed_end = after
        if not (behind := _behind(found)):
            return
        if now() > until:
            found.doubt = f"the feed lacks the last entries of {', '.join(behind)}"
            return
        await stage.wait(LOOK_SECONDS)


def _behind(found: Scan) -> list[str]:
    """Return the accounts whose last entry is not in the feed yet."""
    held: dict[str, int] = {}
    for event in found.events or ():
        number = event.data.get("sequence")
        if isinstance(number, int):
            held[event.stream_id] = max(number, held.get(event.stream_id, 0))
    return [
        one
        for one, account in found.accounts.items()
        if held.get(one, 0) < (account.sequence or len(found.entries[one]))
    ]


async def _is_quiet(stage: Stage, found: Scan) -> bool:
    """Say whether the accounts are still as they were read first."""
    for account_id, account in found.accounts.items():
        if read(await stage.staff.account(account_id), Account) != account:
            return False
    return True


async def _scan_account(stage: Stage, account_id: str, found: Scan, until: float) -> None:
    session = stage.session(f"scan {account_id[-6:]}")
    while True:
        account = read(await session.account(account_id), Account)
        entries = await session.entries(account_id, limit=100)
        if len(entries) >= (account.sequence or 0) or now() > until:
            break
        await stage.wait(LOOK_SECONDS)
    found.accounts[account_id], found.entries[account_id] = account, entries
