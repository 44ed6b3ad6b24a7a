"""The vocabulary of entries: what is booked on an account, and what is left as evidence.

`sequence` counts an account's entries without gaps; every entry carries the balance after it, the
time it was booked and the day it counts from (value date). `reference` is the bank's own name for
an entry that is not part of a transfer. The decisions are the account's (account.py).
"""

from datetime import date, datetime

from .ledger import TransactionCode
from .value import value

# Commands


@value
class PostEntry:
    """Credit or debit the account; the code says which. `narrative` is sealed already, bound to
    `reference`.
    """

    code: TransactionCode
    amount_minor: int
    currency: str
    value_date: date
    now: datetime
    transfer_id: str | None = None
    counterparty: str | None = None
    counterparty_bank: str | None = None
    narrative: str | None = None
    reference: str | None = None


# Events. These names and fields are the storage format: never rename, add with a default, change
# with an upcaster (eventsourcing/upcasting.py).


@value
class FundsCredited:
    account_id: str
    sequence: int
    code: TransactionCode
    amount_minor: int
    currency: str
    balance_after_minor: int
    booking_time: datetime
    value_date: date
    transfer_id: str | None = None
    counterparty: str | None = None
    counterparty_bank: str | None = None
    narrative: str | None = None
    reference: str | None = None


@value
class FundsDebited:
    """A debit; one that names a hold captures it by its amount."""

    account_id: str
    sequence: int
    code: TransactionCode
    amount_minor: int
    currency: str
    balance_after_minor: int
    booking_time: datetime
    value_date: date
    transfer_id: str | None = None
    hold_id: str | None = None
    counterparty: str | None = None
    counterparty_bank: str | None = None
    narrative: str | None = None
    reference: str | None = None


EntryEvent = FundsCredited | FundsDebited
