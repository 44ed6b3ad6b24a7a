"""The deciders of the conformance suite on a simulated history: one implementation, two users.

They come with the distribution `bank-conformance`; without it, only the checks of this package are
made. What clients were told here, in the application's own words, is put into the suite's.
"""

from collections.abc import Iterable, Iterator, Sequence
from math import inf
from typing import Any

import msgspec
from bank_conformance.bank.shapes import Entry, FeedEvent
from bank_conformance.deciders.claimed_order import replay
from bank_conformance.deciders.folding import Folded
from bank_conformance.deciders.multiplicity import Intent, miscounts
from bank_conformance.deciders.prefix_sums import imbalances
from bank_conformance.deciders.sessions import setbacks
from bank_conformance.deciders.state_machine import Sighting, illegal_moves
from bank_conformance.history import Outcome
from bank_conformance.model import Kind, Observation, Reading

from ourbank.application.request import RejectedError
from ourbank.application.transfers import TransferView
from ourbank.domain.account import Account
from ourbank.domain.hold import HoldExpired
from ourbank.eventsourcing.event import Recorded
from ourbank.http import events, views

from .client import Operation
from .workloads import Stage
from .workloads.accounts import CODES

KINDS = {
    "open": Kind.OPEN,
    "deposit": Kind.CREDIT,
    "withdrawal": Kind.DEBIT,
    "fee": Kind.DEBIT,
    "hold": Kind.HOLD,
    "capture": Kind.CAPTURE,
    "release": Kind.RELEASE,
    "freeze": Kind.FREEZE,
    "unfreeze": Kind.UNFREEZE,
    "credit line": Kind.CREDIT_LINE,
    "read": Kind.READ,
}


def decided(stage: Stage, log: Sequence[Recorded]) -> list[str]:
    """Everything that the suite's deciders find wrong with the history and the log."""
    feed = [_shape(FeedEvent, events.shown(recorded)) for recorded in log]
    found = [f"CON-1: {one}" for one in imbalances(feed)]
    found += [f"CON-3: {one}" for one in _lives(stage)]
    found += [f"CON-4: {one}" for one in _rows(stage, feed)]
    found += [f"IDEM: {one.mark}: {one}" for one in _counts(stage, log)]
    ended = _ends(stage)
    for account_id in stage.accounts:
        seen = [*_observations(stage, account_id, ended, log)]
        entries = _entries(stage, account_id)
        if entries is not None:
            found += [f"ORD-3 on {account_id}: {one.text}" for one in replay(entries, seen)]
        told = [(stage.history[one.operation].session, one) for one in seen if one.operation >= 0]
        found += [f"ORD-4 on {account_id}: {one}" for one in setbacks(told)]
    return found


def _shape(shape: Any, members: dict[str, Any]) -> Any:
    """As it would come over HTTP."""
    return msgspec.json.decode(msgspec.json.encode(members), type=shape)


def _observations(
    stage: Stage, account_id: str, ended: dict[str, float], log: Iterable[Recorded]
) -> Iterator[Observation]:
    """What clients were told of an account; and the holds that ended by themselves."""
    told: set[str] = set()
    for operation in stage.history:
        if operation.what in ("transfer", "reverse"):
            if operation.subject not in told and _source(stage, operation) == account_id:
                yield _transfer(stage, operation, ended)
                told |= {operation.subject} - {""}
        elif account_id in (operation.about, operation.subject) and _says_something(operation):
            yield _observation(operation)
    for recorded in log:
        if recorded.stream_id == account_id and isinstance(recorded.event, HoldExpired):
            hold_id, version = recorded.event.hold_id, recorded.version
            yield Observation(-1, Kind.RELEASE, 0.0, inf, Outcome.OK, version, 0, hold_id)


def _says_something(operation: Operation) -> bool:
    """Not a read without an answer, nor a hold that has ended, for some end by the clock."""
    unread = operation.what == "read" and not operation.ok
    return operation.what in KINDS and not unread and operation.code != "hold-ended"


def _observation(operation: Operation) -> Observation:
    return Observation(
        operation.number,
        KINDS[operation.what],
        operation.invoked,
        operation.completed,
        Outcome(operation.outcome),
        _version(operation),
        operation.amount,
        "" if operation.what == "open" else operation.subject,
        operation.code,
        _reading(operation.answer.state) if operation.what == "read" else None,
    )


def _version(operation: Operation) -> int | None:
    """The account's version that an answer names; of a capture that of its entry, after which the
    rest of the hold may have been given back.
    """
    if operation.answer is None:
        return None
    if operation.what == "capture" and operation.ok:
        return int(operation.answer.events[0].version)
    version: int | None = operation.answer.version
    return version


def _reading(account: Account) -> Reading:
    return Reading(
        account.booked_minor,
        account.held_minor,
        account.available_minor,
        account.credit_line_minor,
        account.freeze_scope,
        account.sequence,
    )


def _transfer(stage: Stage, operation: Operation, ended: dict[str, float]) -> Observation:
    return Observation(
        operation.number,
        Kind.TRANSFER,
        operation.invoked,
        operation.completed,
        Outcome(operation.outcome),
        amount=_amount(stage, operation),
        subject=operation.subject,
        code=operation.code,
        ended=ended.get(operation.subject),
    )


def _source(stage: Stage, operation: Operation) -> str:
    """Whose money a transfer takes; a reversal takes that of the original's target."""
    if operation.what == "transfer":
        return operation.about
    leg = stage.world.books.transfers.get(operation.about)
    return leg.request.target_account_id if leg else ""


def _amount(stage: Stage, operation: Operation) -> int:
    if operation.what == "transfer":
        return operation.amount
    return stage.world.books.transfers[operation.about].request.amount_minor


def _entries(stage: Stage, account_id: str) -> list[Entry] | None:
    """An account's history at rest; None where a poison has stopped some of it."""
    world = stage.world
    if world.is_parked("entries", account_id):
        return None
    rows = world.rows.of("entries").values()
    mine = sorted((r for r in rows if r.account_id == account_id), key=lambda row: row.sequence)
    return [_shape(Entry, views.entry(row)) for row in mine]


def _rows(stage: Stage, feed: list[FeedEvent]) -> Iterator[str]:
    folded = Folded.of(feed)
    for account_id in stage.accounts:
        entries = _entries(stage, account_id)
        if entries is not None:
            yield from folded.entries_differ(account_id, entries)


def _ends(stage: Stage) -> dict[str, float]:
    """When a client first saw that a transfer had ended."""
    ends: dict[str, float] = {}
    for operation in stage.history:
        for transfer_id, has_ended in _seen(operation):
            if has_ended:
                ends[transfer_id] = min(ends.get(transfer_id, inf), operation.completed)
    return ends


def _lives(stage: Stage) -> Iterator[str]:
    """Transfers whose sightings no single life explains."""
    sightings: dict[str, list[Sighting]] = {}
    for operation in stage.history:
        match operation.answer:
            case TransferView(transfer=transfer, version=version):
                sight = Sighting(
                    operation.invoked,
                    operation.completed,
                    transfer.status,
                    version,
                    operation.number,
                )
                sightings.setdefault(transfer.transfer_id, []).append(sight)
    for transfer_id, seen in sightings.items():
        yield from (f"{transfer_id}: {one}" for one in illegal_moves(seen))


def _seen(operation: Operation) -> Iterator[tuple[str, bool]]:
    """The transfers an answer shows, and whether they had ended."""
    match operation.answer:
        case TransferView(transfer=transfer):
            yield transfer.transfer_id, transfer.has_ended
        case RejectedError(transfer_id=str(transfer_id)):
            yield transfer_id, True


def _counts(stage: Stage, log: Iterable[Recorded]) -> list[Any]:
    """Entries against the commands that asked for them, each recognised by its amount."""
    intents = [
        Intent((CODES[o.what], o.amount), (Outcome(o.outcome),))
        for o in stage.history
        if o.what in CODES
    ]
    codes = set(CODES.values())
    booked = [
        (recorded.event.code, recorded.event.amount_minor)
        for recorded in log
        if getattr(recorded.event, "code", None) in codes
    ]
    wrong: list[Any] = miscounts(intents, booked)
    return wrong
