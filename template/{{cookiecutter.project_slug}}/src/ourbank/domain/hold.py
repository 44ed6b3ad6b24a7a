"""The vocabulary of holds: an amount set aside on an account until it is captured, released or
expires.

A capture has no event of its own: it is the debit that names the hold (entry.FundsDebited). The
decisions are the account's (account.py), because they need its balances.
"""

from datetime import date, datetime

from .ledger import TransactionCode
from .value import value

# Commands


@value
class PlaceHold:
    hold_id: str
    amount_minor: int
    currency: str
    expires_at: datetime | None
    now: datetime


@value
class CaptureHold:
    """Debit the account against a hold; `final` gives back what the capture leaves of it."""

    hold_id: str
    amount_minor: int
    currency: str
    value_date: date
    now: datetime
    final: bool = True
    code: TransactionCode = TransactionCode.CAPTURE
    transfer_id: str | None = None
    counterparty: str | None = None
    narrative: str | None = None


@value
class ReleaseHold:
    hold_id: str
    now: datetime


@value
class ExpireHold:
    hold_id: str
    now: datetime


HoldCommand = PlaceHold | CaptureHold | ReleaseHold | ExpireHold

# Events. These names and fields are the storage format: never rename, add with a default, change
# with an upcaster (eventsourcing/upcasting.py).


@value
class HoldPlaced:
    hold_id: str
    amount_minor: int
    currency: str
    expires_at: datetime | None
    placed_at: datetime


@value
class HoldReleased:
    """`amount_minor` is what was still held."""

    hold_id: str
    amount_minor: int
    released_at: datetime


@value
class HoldExpired:
    hold_id: str
    amount_minor: int
    expired_at: datetime


HoldEvent = HoldPlaced | HoldReleased | HoldExpired


# State


@value
class Hold:
    """An active hold and what is left of it."""

    remaining_minor: int
    expires_at: datetime | None
