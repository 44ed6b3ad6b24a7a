"""The account: what is booked, what is held, what is available.

Kept invariant here, for every order in which commands may arrive: `available` (booked - held +
credit line) never falls below zero through a debit or a hold; `sequence` counts the entries
without gaps and every entry carries the balance after it; what is captured from a hold never
exceeds it, and a hold ends exactly once; booking times never run backwards on one account; a
closed account stays closed.

Changing an account to what it is already yields no event, not an error; a hold ends once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import get_args

from .entry import EntryEvent, FundsCredited, FundsDebited, PostEntry
from .hold import (
    CaptureHold,
    ExpireHold,
    Hold,
    HoldCommand,
    HoldEvent,
    HoldExpired,
    HoldPlaced,
    HoldReleased,
    PlaceHold,
    ReleaseHold,
)
from .ledger import BOOKINGS, Direction
from .lifecycle import (
    AccountClosed,
    AccountFrozen,
    AccountMarkedDormant,
    AccountOpened,
    AccountReactivated,
    AccountUnfrozen,
    CloseAccount,
    CreditLineSet,
    FreezeAccount,
    FreezeScope,
    LifecycleCommand,
    LifecycleEvent,
    MarkAccountDormant,
    OpenAccount,
    ReactivateAccount,
    SetCreditLine,
    UnfreezeAccount,
)
from .rejection import Rejection
from .value import value

AMOUNT_MINOR_MAX = 10**15
"""The largest single amount, in minor units."""
BALANCE_MINOR_MAX = 9 * 10**18
"""No balance may leave ± this: it must fit a 64-bit integer wherever it is stored."""
HOLDS_MAX = 10_000
"""Holds that may be active on one account at a time."""


class Status(StrEnum):
    """The states of an account. CLOSED is final."""

    ACTIVE = "ACTIVE"
    FROZEN = "FROZEN"
    DORMANT = "DORMANT"
    CLOSED = "CLOSED"


Command = LifecycleCommand | PostEntry | HoldCommand
Event = LifecycleEvent | EntryEvent | HoldEvent
EVENTS: tuple[type[Event], ...] = get_args(Event)


# State


@value
class Account:
    account_id: str
    customer_id: str
    currency: str
    status: Status
    freeze_scope: FreezeScope | None
    booked_minor: int
    held_minor: int
    credit_line_minor: int
    sequence: int
    last_booking_time: datetime
    holds: Mapping[str, Hold]

    @property
    def available_minor(self) -> int:
        """What may still be debited or held."""
        return self.booked_minor - self.held_minor + self.credit_line_minor


initial: Account | None = None


def evolve(account: Account | None, event: Event) -> Account:
    """The account after one more of its events."""
    match account, event:
        case None, AccountOpened():
            return _opened(event)
        case None, _:
            msg = f"{type(event).__name__} before AccountOpened"
            raise ValueError(msg)
        case _, HoldPlaced():
            hold = Hold(event.amount_minor, event.expires_at)
            holds: Mapping[str, Hold] = {**account.holds, event.hold_id: hold}
            return _held(account, account.held_minor + event.amount_minor, holds)
        case _, FundsCredited() | FundsDebited():
            return _booked(account, event)
        case _, HoldReleased() | HoldExpired():
            holds = _without(account.holds, event.hold_id, event.amount_minor)
            return _held(account, account.held_minor - event.amount_minor, holds)
        case _, CreditLineSet(credit_line_minor=credit_line_minor):
            return replace(account, credit_line_minor=credit_line_minor)
        case _, AccountFrozen(scope=scope):
            return replace(account, status=Status.FROZEN, freeze_scope=scope)
        case _, AccountUnfrozen() | AccountReactivated():
            return replace(account, status=Status.ACTIVE, freeze_scope=None)
        case _, AccountMarkedDormant():
            return replace(account, status=Status.DORMANT)
        case _, AccountClosed():
            return replace(account, status=Status.CLOSED)
        case _:
            msg = f"{type(event).__name__} does not apply to an account"
            raise ValueError(msg)


def _opened(event: AccountOpened) -> Account:
    return Account(
        account_id=event.account_id,
        customer_id=event.customer_id,
        currency=event.currency,
        status=Status.ACTIVE,
        freeze_scope=None,
        booked_minor=0,
        held_minor=0,
        credit_line_minor=event.credit_line_minor,
        sequence=0,
        last_booking_time=event.opened_at,
        holds={},
    )


def _without(holds: Mapping[str, Hold], hold_id: str, amount_minor: int) -> Mapping[str, Hold]:
    """The holds after `amount_minor` of one of them ended; the hold goes when nothing is left of
    it.
    """
    rest = dict(holds)
    hold = rest.pop(hold_id)
    if hold.remaining_minor > amount_minor:
        rest[hold_id] = Hold(hold.remaining_minor - amount_minor, hold.expires_at)
    return rest


def _held(account: Account, held_minor: int, holds: Mapping[str, Hold]) -> Account:
    at = account.last_booking_time
    return _moved(account, account.booked_minor, held_minor, account.sequence, at, holds)


def _booked(account: Account, event: EntryEvent) -> Account:
    """The account after an entry; a debit that names a hold takes its amount from the hold."""
    held_minor, holds = account.held_minor, account.holds
    if isinstance(event, FundsDebited) and event.hold_id is not None:
        held_minor -= event.amount_minor
        holds = _without(holds, event.hold_id, event.amount_minor)
    booked_minor, at = event.balance_after_minor, event.booking_time
    return _moved(account, booked_minor, held_minor, event.sequence, at, holds)


def _moved(
    account: Account,
    booked_minor: int,
    held_minor: int,
    sequence: int,
    last_booking_time: datetime,
    holds: Mapping[str, Hold],
) -> Account:
    """Written out: it runs for every event that moves money, and `replace` takes four times as
    long.
    """
    return Account(
        account.account_id,
        account.customer_id,
        account.currency,
        account.status,
        account.freeze_scope,
        booked_minor,
        held_minor,
        account.credit_line_minor,
        sequence,
        last_booking_time,
        holds,
    )


def decide(command: Command, account: Account | None) -> Sequence[Event] | Rejection:
    """What the command leads to; the first arm that fits, in descending precedence."""
    match command, account:
        case OpenAccount(), None:
            who, line_minor = command.customer_id, command.credit_line_minor
            account_id, currency = command.account_id, command.currency
            return [AccountOpened(account_id, who, currency, line_minor, command.now)]
        case OpenAccount(), _:
            return Rejection("account-exists", "the account is open already")
        case _, None:
            return Rejection("account-not-found", "there is no such account")
        case ReleaseHold() | ExpireHold(), _:
            return _end_hold(command, account)
        case CloseAccount(), Account(status=Status.CLOSED):
            return []
        case _, Account(status=Status.CLOSED):
            return Rejection("account-closed", "the account is closed")
        case PostEntry() | PlaceHold() | CaptureHold(), _:
            return _money(command, account)
        case CloseAccount(), _:
            return _close(command, account)
        case SetCreditLine(), _:
            return _set_credit_line(command, account)
        case _:
            return _change_status(command, account)


def _money(
    command: PostEntry | PlaceHold | CaptureHold, account: Account
) -> Sequence[Event] | Rejection:
    """Entries and holds: first what forbids the amount, then what blocks the account, then the
    funds.
    """
    if refused := _amount_refused(command, account) or _blocked(command, account):
        return refused
    match command:
        case PlaceHold():
            return _place_hold(command, account)
        case CaptureHold():
            return _capture_hold(command, account)
        case PostEntry():
            return _post_entry(command, account)


def _amount_refused(
    command: PostEntry | PlaceHold | CaptureHold, account: Account
) -> Rejection | None:
    if command.amount_minor <= 0:
        return Rejection("invalid-amount", "the amount must be positive")
    if command.amount_minor > AMOUNT_MINOR_MAX:
        return Rejection("above-maximum", f"the amount is above {AMOUNT_MINOR_MAX}")
    if command.currency != account.currency:
        return Rejection("currency-mismatch", f"the account is kept in {account.currency}")
    return None


def _blocked(command: PostEntry | PlaceHold | CaptureHold, account: Account) -> Rejection | None:
    """A freeze stops what is new; what was reserved before it is still owed, so a capture goes
    through.
    """
    if account.status is Status.ACTIVE or isinstance(command, CaptureHold):
        return None
    is_credit = (
        isinstance(command, PostEntry) and BOOKINGS[command.code].direction is Direction.CREDIT
    )
    blocking = FreezeScope.CREDIT if is_credit else FreezeScope.DEBIT
    if account.status is Status.DORMANT and not is_credit:
        return Rejection("account-blocked", "the account is dormant")
    if account.status is Status.FROZEN and account.freeze_scope in (blocking, FreezeScope.ALL):
        return Rejection("account-blocked", "the account is frozen")
    return None


def _place_hold(command: PlaceHold, account: Account) -> Sequence[Event] | Rejection:
    if command.hold_id in account.holds:
        return []
    if len(account.holds) >= HOLDS_MAX:
        return Rejection("limit-exceeded", f"at most {HOLDS_MAX} holds at a time")
    if command.amount_minor > account.available_minor:
        return _insufficient_funds()
    hold_id, amount_minor, currency = command.hold_id, command.amount_minor, command.currency
    return [HoldPlaced(hold_id, amount_minor, currency, command.expires_at, command.now)]


def _capture_hold(command: CaptureHold, account: Account) -> Sequence[Event] | Rejection:
    hold = account.holds.get(command.hold_id)
    if hold is None or (hold.expires_at is not None and hold.expires_at <= command.now):
        return Rejection("hold-ended", "the hold is not active")
    if command.amount_minor > hold.remaining_minor:
        return Rejection("capture-exceeds-hold", "the capture is more than what is held")
    debited = FundsDebited(
        account_id=account.account_id,
        sequence=account.sequence + 1,
        code=command.code,
        amount_minor=command.amount_minor,
        currency=command.currency,
        balance_after_minor=account.booked_minor - command.amount_minor,
        booking_time=max(command.now, account.last_booking_time),
        value_date=command.value_date,
        transfer_id=command.transfer_id,
        hold_id=command.hold_id,
        counterparty=command.counterparty,
        narrative=command.narrative,
    )
    rest_minor = hold.remaining_minor - command.amount_minor
    if rest_minor and command.final:
        return [debited, HoldReleased(command.hold_id, rest_minor, command.now)]
    return [debited]


def _post_entry(command: PostEntry, account: Account) -> Sequence[Event] | Rejection:
    is_credit = BOOKINGS[command.code].direction is Direction.CREDIT
    if not is_credit and command.amount_minor > account.available_minor:
        return _insufficient_funds()
    signed_minor = command.amount_minor if is_credit else -command.amount_minor
    balance_after_minor = account.booked_minor + signed_minor
    if balance_after_minor > BALANCE_MINOR_MAX:
        return Rejection("above-maximum", "the balance would be too large to be kept")
    entry = FundsCredited if is_credit else FundsDebited
    return [
        entry(
            account_id=account.account_id,
            sequence=account.sequence + 1,
            code=command.code,
            amount_minor=command.amount_minor,
            currency=command.currency,
            balance_after_minor=balance_after_minor,
            booking_time=max(command.now, account.last_booking_time),
            value_date=command.value_date,
            transfer_id=command.transfer_id,
            counterparty=command.counterparty,
            counterparty_bank=command.counterparty_bank,
            narrative=command.narrative,
            reference=command.reference,
        )
    ]


def _end_hold(command: ReleaseHold | ExpireHold, account: Account) -> Sequence[Event] | Rejection:
    hold = account.holds.get(command.hold_id)
    if hold is None:
        return Rejection("hold-ended", "the hold is not active")
    if isinstance(command, ReleaseHold):
        return [HoldReleased(command.hold_id, hold.remaining_minor, command.now)]
    if hold.expires_at is None or hold.expires_at > command.now:
        return Rejection("hold-not-due", "the hold has not expired yet")
    return [HoldExpired(command.hold_id, hold.remaining_minor, command.now)]


def _close(command: CloseAccount, account: Account) -> Sequence[Event] | Rejection:
    if account.holds:
        return Rejection("holds-active", "something is still held on the account")
    if account.booked_minor:
        return Rejection("balance-not-zero", "the balance must be zero to close the account")
    return [AccountClosed(command.now)]


def _set_credit_line(command: SetCreditLine, account: Account) -> Sequence[Event] | Rejection:
    if command.credit_line_minor == account.credit_line_minor:
        return []
    lowered_minor = account.credit_line_minor - command.credit_line_minor
    if lowered_minor > account.available_minor:
        return Rejection("credit-line-in-use", "more than the new credit line is in use")
    return [CreditLineSet(command.credit_line_minor, command.now)]


def _change_status(
    command: FreezeAccount | UnfreezeAccount | MarkAccountDormant | ReactivateAccount,
    account: Account,
) -> Sequence[Event] | Rejection:
    match command, account.status:
        case FreezeAccount(scope=scope), Status.FROZEN if scope == account.freeze_scope:
            return []
        case FreezeAccount(scope=scope), Status.ACTIVE | Status.FROZEN:
            return [AccountFrozen(scope, command.now)]
        case UnfreezeAccount(), Status.FROZEN:
            return [AccountUnfrozen(command.now)]
        case MarkAccountDormant(), Status.ACTIVE:
            return [AccountMarkedDormant(command.now)]
        case ReactivateAccount(), Status.DORMANT:
            return [AccountReactivated(command.now)]
        case UnfreezeAccount() | ReactivateAccount(), Status.ACTIVE:
            return []
        case MarkAccountDormant(), Status.DORMANT:
            return []
        case _:
            return Rejection("account-blocked", f"not while the account is {account.status}")


def _insufficient_funds() -> Rejection:
    return Rejection("insufficient-funds", "the available balance does not cover the amount")
