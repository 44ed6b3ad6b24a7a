"""How things end. An end that no seed ever came to has proved nothing, as with the faults.

Ends are counted by name, with the code where there is one; those here must be among them.
"""

from datetime import timedelta
from enum import StrEnum

from ourbank.domain.customer import PersonalDataErased
from ourbank.domain.entry import FundsDebited
from ourbank.domain.hold import HoldExpired, HoldReleased
from ourbank.domain.ledger import TransactionCode
from ourbank.domain.transfer import (
    TransferCancelled,
    TransferCompleted,
    TransferExpired,
    TransferFailed,
    TransferRejected,
    TransferRequested,
    TransferReversalAbandoned,
)
from ourbank.eventsourcing.event import Recorded
from ourbank.eventsourcing.saga import DEADLINE_SECONDS


class End(StrEnum):
    """The ends that a campaign must have seen."""

    COMPLETED = "transfer completed"
    LATE = "transfer completed after its deadline"
    REVERSED = "transfer reversed"
    UNFUNDED = "transfer rejected: insufficient-funds"
    DEBTOR_BLOCKED = "transfer rejected: account-blocked"
    CREDITOR_BLOCKED = "transfer failed: account-blocked"
    ALREADY_REVERSED = "transfer failed: transfer-reversed"
    CANCELLED = "transfer cancelled"
    EXPIRED = "transfer out of time"
    REVERSAL_ABANDONED = "reversal abandoned after its claim"
    HOLD_CAPTURED = "hold captured"
    HOLD_RELEASED = "hold released"
    HOLD_EXPIRED = "hold expired"
    ERASED = "personal data erased"
    CARRIED_ON = "erasure carried on without its client"


def end_of(recorded: Recorded, request: TransferRequested | None) -> str | None:
    """What an event ends, if it does; `request` is that of the transfer whose stream it is on."""
    match recorded.event:
        case TransferCompleted() if request is not None and request.reverses:
            return End.REVERSED
        case TransferCompleted() if request is not None and _is_late(recorded, request):
            return End.LATE
        case TransferRejected(code=code):
            return f"transfer rejected: {code}"
        case TransferFailed(code=code):
            return f"transfer failed: {code}"
        case FundsDebited(code=TransactionCode.CAPTURE):
            return End.HOLD_CAPTURED
        case HoldReleased(hold_id=hold_id) if hold_id.startswith("trf_"):
            return None  # of a transfer, whose own end is counted
        case event:
            return _ENDS.get(type(event))


def _is_late(recorded: Recorded, request: TransferRequested) -> bool:
    took = recorded.event.completed_at - request.requested_at
    return bool(took > timedelta(seconds=DEADLINE_SECONDS))


_ENDS = {
    TransferCompleted: End.COMPLETED,
    TransferCancelled: End.CANCELLED,
    TransferExpired: End.EXPIRED,
    TransferReversalAbandoned: End.REVERSAL_ABANDONED,
    HoldReleased: End.HOLD_RELEASED,
    HoldExpired: End.HOLD_EXPIRED,
    PersonalDataErased: End.ERASED,
}
