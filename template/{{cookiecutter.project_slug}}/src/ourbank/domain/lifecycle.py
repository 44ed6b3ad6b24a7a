"""The vocabulary of an account's life: opened, frozen, dormant, closed, and its credit line.

The decisions are the account's (account.py).
"""

from datetime import datetime
from enum import StrEnum

from .value import value


class FreezeScope(StrEnum):
    """Which direction a freeze blocks."""

    DEBIT = "DEBIT"
    CREDIT = "CREDIT"
    ALL = "ALL"


# Commands


@value
class OpenAccount:
    account_id: str
    customer_id: str
    currency: str
    credit_line_minor: int
    now: datetime


@value
class SetCreditLine:
    credit_line_minor: int
    now: datetime


@value
class FreezeAccount:
    scope: FreezeScope
    now: datetime


@value
class UnfreezeAccount:
    now: datetime


@value
class MarkAccountDormant:
    now: datetime


@value
class ReactivateAccount:
    now: datetime


@value
class CloseAccount:
    now: datetime


LifecycleCommand = (
    OpenAccount
    | SetCreditLine
    | FreezeAccount
    | UnfreezeAccount
    | MarkAccountDormant
    | ReactivateAccount
    | CloseAccount
)

# Events. These names and fields are the storage format: never rename, add with a default, change
# with an upcaster (eventsourcing/upcasting.py).


@value
class AccountOpened:
    account_id: str
    customer_id: str
    currency: str
    credit_line_minor: int
    opened_at: datetime


@value
class CreditLineSet:
    credit_line_minor: int
    set_at: datetime


@value
class AccountFrozen:
    scope: FreezeScope
    frozen_at: datetime


@value
class AccountUnfrozen:
    unfrozen_at: datetime


@value
class AccountMarkedDormant:
    marked_at: datetime


@value
class AccountReactivated:
    reactivated_at: datetime


@value
class AccountClosed:
    closed_at: datetime


LifecycleEvent = (
    AccountOpened
    | CreditLineSet
    | AccountFrozen
    | AccountUnfrozen
    | AccountMarkedDormant
    | AccountReactivated
    | AccountClosed
)
