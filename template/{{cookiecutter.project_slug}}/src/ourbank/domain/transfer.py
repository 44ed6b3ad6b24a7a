"""The transfer: one payment order between two accounts of the bank, and how it ends.

Kept invariant here: a transfer ends exactly once, in COMPLETED, REJECTED, FAILED, CANCELLED or
EXPIRED; it is REJECTED only when no money was ever held; once compensation has started it never
completes; a transfer is reversed at most once at a time, by another transfer, and stays COMPLETED
itself.

The money itself moves on the accounts; the saga in application/transfers.py drives both.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from enum import StrEnum
from typing import get_args

from .rejection import Rejection
from .value import value


class TransferStatus(StrEnum):
    """The states, with their ISO 20022 payment status beside them in `ISO_STATUS`."""

    ACCEPTED = "ACCEPTED"
    RESERVED = "RESERVED"
    COMPLETED = "COMPLETED"
    REJECTED = "REJECTED"
    COMPENSATING = "COMPENSATING"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"


ISO_STATUS = {
    TransferStatus.ACCEPTED: "RCVD",
    TransferStatus.RESERVED: "ACFC",
    TransferStatus.COMPLETED: "ACCC",
    TransferStatus.REJECTED: "RJCT",
    TransferStatus.FAILED: "RJCT",
    TransferStatus.CANCELLED: "CANC",
}

TERMINAL = frozenset(
    {
        TransferStatus.COMPLETED,
        TransferStatus.REJECTED,
        TransferStatus.FAILED,
        TransferStatus.CANCELLED,
        TransferStatus.EXPIRED,
    }
)


TOO_LATE = Rejection("transfer-settled", "the transfer can no longer be cancelled")


class TransferCode(StrEnum):
    """Why a transfer turns back, when it was not a rule of an account."""

    CANCELLED = "cancelled"
    TIMED_OUT = "settlement-timeout"


# Commands


@value
class RequestTransfer:
    """`refusal` is what the debtor's account answered when the amount was to be held, None when it
    is held.
    """

    transfer_id: str
    source_account_id: str
    target_account_id: str
    amount_minor: int
    currency: str
    value_date: date
    now: datetime
    payer_narrative: str | None = None
    payee_narrative: str | None = None
    reverses: str | None = None
    refusal: Rejection | None = None


@value
class CompleteTransfer:
    now: datetime


@value
class CancelTransfer:
    """Only whether it is not too late: who turns back first wins on the target's side."""


@value
class CompensateTransfer:
    """Turn back: the credit was refused, the deadline passed, or the payer cancelled."""

    code: str
    now: datetime


@value
class EndCompensation:
    """Nothing was credited and nothing is held any more."""

    now: datetime


@value
class ClaimReversal:
    """Make `reversed_by` the one transfer that reverses this one."""

    reversed_by: str
    now: datetime


@value
class AbandonReversal:
    """The reversing transfer did not complete; another may."""

    reversed_by: str
    now: datetime


Command = (
    RequestTransfer
    | CompleteTransfer
    | CancelTransfer
    | CompensateTransfer
    | EndCompensation
    | ClaimReversal
    | AbandonReversal
)

# Events. These names and fields are the storage format: never rename, add with a default, change
# with an upcaster (eventsourcing/upcasting.py).


@value
class TransferRequested:
    """`reserved` says that the amount is held on the source account since this very append."""

    transfer_id: str
    source_account_id: str
    target_account_id: str
    amount_minor: int
    currency: str
    value_date: date
    requested_at: datetime
    reserved: bool
    payer_narrative: str | None = None
    payee_narrative: str | None = None
    reverses: str | None = None


@value
class TransferCompleted:
    completed_at: datetime


@value
class TransferRejected:
    code: str
    detail: str
    rejected_at: datetime


@value
class TransferCompensationStarted:
    code: str
    started_at: datetime


@value
class TransferFailed:
    code: str
    failed_at: datetime


@value
class TransferCancelled:
    cancelled_at: datetime


@value
class TransferExpired:
    expired_at: datetime


@value
class TransferReversed:
    reversed_by: str
    reversed_at: datetime


@value
class TransferReversalAbandoned:
    reversed_by: str
    abandoned_at: datetime


Event = (
    TransferRequested
    | TransferCompleted
    | TransferRejected
    | TransferCompensationStarted
    | TransferFailed
    | TransferCancelled
    | TransferExpired
    | TransferReversed
    | TransferReversalAbandoned
)
EVENTS: tuple[type[Event], ...] = get_args(Event)


# State


@value
class Transfer:
    transfer_id: str
    source_account_id: str
    target_account_id: str
    amount_minor: int
    currency: str
    value_date: date
    requested_at: datetime
    status: TransferStatus
    payer_narrative: str | None
    payee_narrative: str | None
    reverses: str | None
    reversed_by: str | None = None
    code: str | None = None
    ended_at: datetime | None = None

    @property
    def has_ended(self) -> bool:
        """Whether the state is terminal."""
        return self.status in TERMINAL


initial: Transfer | None = None


def evolve(transfer: Transfer | None, event: Event) -> Transfer:
    """The transfer after one more event."""
    match transfer, event:
        case None, TransferRequested():
            return _requested(event)
        case None, _:
            msg = f"{type(event).__name__} before TransferRequested"
            raise ValueError(msg)
        case _, TransferCompleted(completed_at=at):
            return _moved(transfer, TransferStatus.COMPLETED, None, at)
        case _, TransferRejected(code=code, rejected_at=at):
            return _moved(transfer, TransferStatus.REJECTED, code, at)
        case _, TransferCompensationStarted(code=code):
            return _moved(transfer, TransferStatus.COMPENSATING, code, None)
        case _, TransferFailed(code=code, failed_at=at):
            return _moved(transfer, TransferStatus.FAILED, code, at)
        case _, TransferCancelled(cancelled_at=at):
            return _moved(transfer, TransferStatus.CANCELLED, transfer.code, at)
        case _, TransferExpired(expired_at=at):
            return _moved(transfer, TransferStatus.EXPIRED, transfer.code, at)
        case _, TransferReversed(reversed_by=reversed_by):
            return replace(transfer, reversed_by=reversed_by)
        case _, TransferReversalAbandoned():
            return replace(transfer, reversed_by=None)
        case _:
            msg = f"{type(event).__name__} does not apply to a transfer"
            raise ValueError(msg)


def _requested(event: TransferRequested) -> Transfer:
    status = TransferStatus.RESERVED if event.reserved else TransferStatus.ACCEPTED
    return Transfer(
        transfer_id=event.transfer_id,
        source_account_id=event.source_account_id,
        target_account_id=event.target_account_id,
        amount_minor=event.amount_minor,
        currency=event.currency,
        value_date=event.value_date,
        requested_at=event.requested_at,
        status=status,
        payer_narrative=event.payer_narrative,
        payee_narrative=event.payee_narrative,
        reverses=event.reverses,
    )


def _moved(
    transfer: Transfer, status: TransferStatus, code: str | None, ended_at: datetime | None
) -> Transfer:
    """Written out: every transfer is folded three times, and `replace` takes four times as long."""
    return Transfer(
        transfer.transfer_id,
        transfer.source_account_id,
        transfer.target_account_id,
        transfer.amount_minor,
        transfer.currency,
        transfer.value_date,
        transfer.requested_at,
        status,
        transfer.payer_narrative,
        transfer.payee_narrative,
        transfer.reverses,
        transfer.reversed_by,
        code,
        ended_at,
    )


def decide(command: Command, transfer: Transfer | None) -> Sequence[Event] | Rejection:
    """What the command leads to; the first arm that fits, in descending precedence."""
    match command, transfer:
        case RequestTransfer(), None:
            return _request(command)
        case RequestTransfer(), _:
            return Rejection("transfer-exists", "the transfer was requested already")
        case _, None:
            return Rejection("transfer-not-found", "there is no such transfer")
        case ClaimReversal(), _:
            return _claim_reversal(command, transfer)
        case AbandonReversal(reversed_by=reversed_by), _:
            if transfer.reversed_by != reversed_by:
                return []
            return [TransferReversalAbandoned(reversed_by, command.now)]
        case CancelTransfer(), Transfer(has_ended=True):
            return [] if transfer.status is TransferStatus.CANCELLED else TOO_LATE
        case CompensateTransfer(code=code), Transfer(status=TransferStatus.RESERVED):
            return [TransferCompensationStarted(code, command.now)]
        case CompleteTransfer(), Transfer(status=TransferStatus.RESERVED):
            return [TransferCompleted(command.now)]
        case EndCompensation(), Transfer(status=TransferStatus.COMPENSATING):
            return [_compensated(transfer.code or TransferCode.TIMED_OUT, command.now)]
        case _:  # it ended, or is being compensated: nothing is left to do
            return []


def _request(command: RequestTransfer) -> Sequence[Event]:
    requested = TransferRequested(
        transfer_id=command.transfer_id,
        source_account_id=command.source_account_id,
        target_account_id=command.target_account_id,
        amount_minor=command.amount_minor,
        currency=command.currency,
        value_date=command.value_date,
        requested_at=command.now,
        reserved=command.refusal is None,
        payer_narrative=command.payer_narrative,
        payee_narrative=command.payee_narrative,
        reverses=command.reverses,
    )
    if command.refusal is None:
        return [requested]
    return [requested, TransferRejected(command.refusal.code, command.refusal.detail, command.now)]


def _claim_reversal(command: ClaimReversal, transfer: Transfer) -> Sequence[Event] | Rejection:
    if transfer.reversed_by == command.reversed_by:
        return []
    if transfer.reversed_by is not None:
        return Rejection("transfer-reversed", "the transfer is reversed already")
    if transfer.status is not TransferStatus.COMPLETED:
        return Rejection("transfer-not-completed", "only a completed transfer can be reversed")
    return [TransferReversed(command.reversed_by, command.now)]


def _compensated(code: str, now: datetime) -> TransferFailed | TransferCancelled | TransferExpired:
    match code:
        case TransferCode.CANCELLED:
            return TransferCancelled(now)
        case TransferCode.TIMED_OUT:
            return TransferExpired(now)
        case _:
            return TransferFailed(code, now)
