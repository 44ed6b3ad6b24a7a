"""The transfer saga: a table of what follows what.

    requested, amount held   (one append: a transfer lives beside its debtor's account)
        → [claim the reversed transfer]  → credit the target  → settle and complete  (one append)

    a refusal, the deadline or the payer:
        void the credit  → compensation started  → [void, abandon the claim]  → release and end
        (one append)

Exactly one of *credit* and *void the credit* wins, because both are the same key of the target's
partition: who comes second is answered with what the first one did. So the way back and the way
forward may be taken at the same time, by several workers, and still lead to one end. The outcome
under the key says why, so it is no matter who goes on with it; and compensation starts only when
nothing can complete the transfer any more.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from functools import partial
from hashlib import blake2b
from typing import Any

from ..domain import account as accounts
from ..domain import transfer as transfers
from ..domain.account import Account
from ..domain.entry import PostEntry
from ..domain.hold import CaptureHold, PlaceHold, ReleaseHold
from ..domain.ledger import TransactionCode
from ..domain.rejection import Rejection
from ..domain.transfer import RequestTransfer, Transfer, TransferCode, TransferStatus
from ..domain.value import value
from ..eventsourcing.command import Decision, Result
from ..eventsourcing.event import Recorded
from ..eventsourcing.follower import Milestone
from ..eventsourcing.saga import Process, StepCommand

META = '{"actor":"saga:transfer"}'


class StepName(StrEnum):
    """The steps; the names of those with a key are part of the key, so never rename them."""

    CLAIM = "claim"
    CREDIT = "credit"
    SETTLE = "settle"
    COMPENSATE = "compensate"
    VOID_CREDIT = "void-credit"
    VOID_CLAIM = "void-claim"
    ABANDON_CLAIM = "abandon-claim"
    RELEASE = "release"


@value
class Step:
    """A step. When the way leads back, `code` says why, and `by` who wanted it, if somebody did:
    what is recorded beside the events.
    """

    name: StepName
    code: str = ""
    by: str = ""


CREDIT = Step(StepName.CREDIT)
SETTLE = Step(StepName.SETTLE)
RELEASE = Step(StepName.RELEASE)

_CREDITOR_CODES = {
    "account-not-found": "creditor-account-not-found",
    "account-closed": "creditor-account-closed",
}
_DEBTOR_CODES = {
    "account-not-found": "debtor-account-not-found",
    "account-closed": "debtor-account-closed",
}
_VOIDED = Rejection("claim-voided")


def first_step(transfer: Transfer) -> Step | None:
    """Where to go on with a transfer that is found in this state; None when it has ended."""
    match transfer.status:
        case TransferStatus.RESERVED if transfer.reverses:
            return Step(StepName.CLAIM)
        case TransferStatus.RESERVED:
            return CREDIT
        case TransferStatus.COMPENSATING:
            return _back(transfer)
        case _:
            return None


def cancelled_by(meta: str) -> Step:
    """Where the way back begins for a payer; the outcome of the void keeps who it was."""
    return Step(StepName.VOID_CREDIT, TransferCode.CANCELLED, meta)


def _back(transfer: Transfer) -> Step:
    """What comes after compensation has started."""
    return Step(StepName.VOID_CLAIM) if transfer.reverses else RELEASE


def milestone(recorded: Recorded) -> Milestone | None:
    """Where a transfer begins to need driving, and where it stops."""
    match recorded.event:
        case transfers.TransferRequested(reserved=True):
            return Milestone.BEGAN
        case (
            transfers.TransferCompleted()
            | transfers.TransferFailed()
            | transfers.TransferCancelled()
            | transfers.TransferExpired()
        ):
            return Milestone.ENDED
        case _:
            return None


def step_key(transfer_id: str, step: StepName) -> str:
    """The key of a step's outcome."""
    return blake2b(f"{transfer_id}/{step}".encode(), digest_size=16).hexdigest()


class TransferSaga:
    """The table; `process.subject` is the transfer as it was requested."""

    def command(self, process: Process, step: Step, now: datetime) -> StepCommand:
        """The command a step is."""
        transfer: Transfer = process.subject
        own, source, target = process.id, transfer.source_account_id, transfer.target_account_id
        original = transfer.reverses or ""
        match step.name:
            case StepName.CREDIT:
                decide = partial(_credit, transfer, now)
                return StepCommand((target,), decide, META, step_key(own, StepName.CREDIT))
            case StepName.SETTLE:
                return StepCommand((own, source), partial(_settle, now), META)
            case StepName.COMPENSATE:
                turn_back = transfers.CompensateTransfer(step.code, now)
                decide = partial(on_transfer, own, turn_back)
                return StepCommand((own,), decide, step.by or META)
            case StepName.VOID_CREDIT:
                decide = partial(_void, Rejection(step.code, step.by))
                return StepCommand((target,), decide, META, step_key(own, StepName.CREDIT))
            case StepName.RELEASE:
                return StepCommand((own, source), partial(_release, now), META)
            case StepName.CLAIM:
                claim = transfers.ClaimReversal(own, now)
                decide = partial(on_transfer, original, claim)
                return StepCommand((original,), decide, META, step_key(own, StepName.CLAIM))
            case StepName.VOID_CLAIM:
                decide = partial(_void, _VOIDED)
                return StepCommand((original,), decide, META, step_key(own, StepName.CLAIM))
            case StepName.ABANDON_CLAIM:
                abandon = transfers.AbandonReversal(own, now)
                return StepCommand((original,), partial(on_transfer, original, abandon), META)

    def following(self, process: Process, step: Step, result: Result) -> Step | None:
        """The step after this one had that result, None at the end."""
        match step.name, result.rejection:
            case StepName.CLAIM, None:
                return CREDIT
            case StepName.CLAIM, Rejection(code=code):
                return Step(StepName.VOID_CREDIT, code)
            case ((StepName.CREDIT | StepName.VOID_CREDIT), None):  # of a void: it came too late
                return SETTLE
            case ((StepName.CREDIT | StepName.VOID_CREDIT), Rejection(code=code, detail=detail)):
                by = detail if code == TransferCode.CANCELLED else ""
                return Step(StepName.COMPENSATE, _CREDITOR_CODES.get(code, code), by)
            case StepName.COMPENSATE, _:
                return _back(process.subject)
            case StepName.VOID_CLAIM, None:
                return Step(StepName.ABANDON_CLAIM)
            case ((StepName.VOID_CLAIM | StepName.ABANDON_CLAIM), _):
                return RELEASE
            case _:
                return None

    def overdue(self, process: Process, step: Step) -> Step:
        """Turn back while the target may not have been credited; after that only forward."""
        del process
        if step.name in (StepName.CLAIM, StepName.CREDIT):
            return Step(StepName.VOID_CREDIT, TransferCode.TIMED_OUT)
        return step


# What the steps decide, composed of the aggregates' own deciders


def request(
    command: RequestTransfer, transfer: Transfer | None, debtor: Account | None
) -> Decision:
    """Hold the amount and accept the transfer, or reject it: in one append either way."""
    hold = PlaceHold(
        hold_id=command.transfer_id,
        amount_minor=command.amount_minor,
        currency=command.currency,
        expires_at=None,
        now=command.now,
    )
    held = accounts.decide(hold, debtor)
    if isinstance(held, Rejection):
        code = _DEBTOR_CODES.get(held.code, held.code)
        command = replace(command, refusal=Rejection(code, held.detail))
        held = []
    requested = transfers.decide(command, transfer)
    if isinstance(requested, Rejection):
        return requested
    return _on(command.transfer_id, requested) + _on(command.source_account_id, held)


def _credit(transfer: Transfer, now: datetime, target: Account | None) -> Decision:
    entry = PostEntry(
        code=TransactionCode.TRANSFER_IN,
        amount_minor=transfer.amount_minor,
        currency=transfer.currency,
        value_date=transfer.value_date,
        now=now,
        transfer_id=transfer.transfer_id,
        counterparty=transfer.source_account_id,
        narrative=transfer.payee_narrative,
    )
    credited = accounts.decide(entry, target)
    if isinstance(credited, Rejection):
        return credited
    return _on(transfer.target_account_id, credited)


def _settle(now: datetime, transfer: Transfer | None, debtor: Account | None) -> Decision:
    if transfer is None or transfer.status is not TransferStatus.RESERVED:
        return []
    capture = CaptureHold(
        hold_id=transfer.transfer_id,
        amount_minor=transfer.amount_minor,
        currency=transfer.currency,
        value_date=transfer.value_date,
        now=now,
        code=TransactionCode.TRANSFER_OUT,
        transfer_id=transfer.transfer_id,
        counterparty=transfer.target_account_id,
        narrative=transfer.payer_narrative,
    )
    debited = accounts.decide(capture, debtor)
    completed = transfers.decide(transfers.CompleteTransfer(now), transfer)
    return _both(transfer, completed, debited)


def _release(now: datetime, transfer: Transfer | None, debtor: Account | None) -> Decision:
    if transfer is None or transfer.status is not TransferStatus.COMPENSATING:
        return []
    released = accounts.decide(ReleaseHold(transfer.transfer_id, now), debtor)
    ended = transfers.decide(transfers.EndCompensation(now), transfer)
    return _both(transfer, ended, released)


def _both(
    transfer: Transfer, own: Sequence[Any] | Rejection, account: Sequence[Any] | Rejection
) -> Decision:
    """The transfer's events and its debtor's, together or not at all."""
    if isinstance(own, Rejection):
        return own
    if isinstance(account, Rejection):
        return account
    return _on(transfer.source_account_id, account) + _on(transfer.transfer_id, own)


def on_transfer(stream: str, command: transfers.Command, transfer: Transfer | None) -> Decision:
    """What a command to one transfer leads to, on that transfer's stream."""
    decision = transfers.decide(command, transfer)
    return decision if isinstance(decision, Rejection) else _on(stream, decision)


def _void(why: Rejection, state: Any) -> Decision:
    del state
    return why


def _on(stream: str, events: Sequence[Any]) -> list[tuple[str, Any]]:
    return [(stream, event) for event in events]
