"""The vocabulary of an account's life: opened, frozen, dormant, closed, and its credit line.

The decisions are the account's (account.py).
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class FreezeScope(StrEnum):
    """Which direction a freeze blocks."""

    DEBIT = "DEBIT"
    CREDIT = "CREDIT"
    ALL = "ALL"


# Commands


@dataclass(frozen=True, slots=True)
class OpenAccount:
    account_id: str
    customer_id: str
    currency: str
    credit_line_minor: int
    now: datetime


@dataclass(frozen=True, slots=True)
class SetCreditLine:
    credit_line_minor: int
    now: datetime


@dataclass(frozen=True, slots=True)
class FreezeAccount:
    scope: FreezeScope
    now: datetime


@dataclass(frozen=True, slots=True)
class UnfreezeAccount:
    now: datetime


@dataclass(frozen=True, slots=True)
class MarkAccountDormant:
    now: datetime


@dataclass(frozen=True, slots=True)
class ReactivateAccount:
    now: datetime


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class AccountOpened:
    account_id: str
    customer_id: str
    currency: str
    credit_line_minor: int
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class CreditLineSet:
    credit_line_minor: int
    set_at: datetime


@dataclass(frozen=True, slots=True)
class AccountFrozen:
    scope: FreezeScope
    frozen_at: datetime


@dataclass(frozen=True, slots=True)
class AccountUnfrozen:
    unfrozen_at: datetime


@dataclass(frozen=True, slots=True)
class AccountMarkedDormant:
    marked_at: datetime


@dataclass(frozen=True, slots=True)
class AccountReactivated:
    reactivated_at: datetime


@dataclass(frozen=True, slots=True)
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
