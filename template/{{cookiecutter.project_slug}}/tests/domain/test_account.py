"""What an account records when it is asked for something it may do."""

from datetime import date
from typing import Any

import pytest

from ourbank.domain import account as domain
from ourbank.domain.account import Status
from ourbank.domain.entry import FundsCredited, PostEntry
from ourbank.domain.ledger import TransactionCode
from ourbank.domain.lifecycle import (
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
    MarkAccountDormant,
    OpenAccount,
    ReactivateAccount,
    SetCreditLine,
    UnfreezeAccount,
)

from tests.bdd import Decider
from tests.domain.samples import (
    ACCOUNT,
    CUSTOMER,
    EIGHT,
    EUR,
    NOW,
    at,
    capture,
    credited,
    debited,
    deposit,
    funded,
    held,
    hold,
    opened,
    withdraw,
)

account = Decider(domain.decide, domain.evolve)
CAPTURE = TransactionCode.CAPTURE


# Opening and closing


def test_an_account_opens_empty_and_active() -> None:
    command = OpenAccount(ACCOUNT, CUSTOMER, EUR, 50, NOW)
    after = account.given().when(command).then(AccountOpened(ACCOUNT, CUSTOMER, EUR, 50, NOW))
    assert after is not None
    assert (after.status, after.freeze_scope, after.holds) == (Status.ACTIVE, None, {})
    assert (after.booked_minor, after.held_minor, after.sequence) == (0, 0, 0)


def test_an_empty_account_closes_and_a_second_closing_changes_nothing() -> None:
    after = account.given(opened()).when(CloseAccount(NOW)).then(AccountClosed(NOW))
    assert after is not None
    assert after.status is Status.CLOSED
    account.given(opened(), AccountClosed(NOW)).when(CloseAccount(at(99))).then_nothing()


@pytest.mark.parametrize(
    "before", [AccountFrozen(FreezeScope.ALL, EIGHT), AccountMarkedDormant(EIGHT)]
)
def test_a_frozen_or_dormant_account_can_be_closed(before: domain.Event) -> None:
    account.given(opened(), before).when(CloseAccount(NOW)).then(AccountClosed(NOW))


# Entries


def test_a_credit_raises_the_balance_and_says_so() -> None:
    command = PostEntry(
        code=TransactionCode.INCOMING_PAYMENT,
        amount_minor=30,
        currency=EUR,
        value_date=date(2026, 2, 27),
        now=at(70),
        transfer_id="trf_1",
        counterparty="DE02120300000000202051",
        counterparty_bank="BYLADEM1001",
        narrative="sealed",
        reference="ent_1",
    )
    entry = FundsCredited(
        account_id=ACCOUNT,
        sequence=2,
        code=TransactionCode.INCOMING_PAYMENT,
        amount_minor=30,
        currency=EUR,
        balance_after_minor=130,
        booking_time=at(70),
        value_date=date(2026, 2, 27),
        transfer_id="trf_1",
        counterparty="DE02120300000000202051",
        counterparty_bank="BYLADEM1001",
        narrative="sealed",
        reference="ent_1",
    )
    account.given(*funded(100)).when(command).then(entry)


def test_a_debit_lowers_the_balance_and_says_so() -> None:
    rest: dict[str, Any] = {"counterparty": "them", "narrative": "sealed", "reference": "ent_1"}
    account.given(*funded(100)).when(withdraw(30, **rest)).then(debited(30, 2, 70, **rest))


def test_the_whole_available_balance_can_be_spent_but_nothing_that_is_held() -> None:
    with_hold = account.given(*funded(100), held("h1", 40))
    with_hold.when(withdraw(60)).then(debited(60, 2, 40))
    with_hold.when(withdraw(61)).then_rejected("insufficient-funds")


def test_the_credit_line_can_be_spent_to_the_last_cent() -> None:
    with_line = account.given(opened(credit_line_minor=50))
    with_line.when(withdraw(50)).then(debited(50, 1, -50))
    with_line.when(withdraw(51)).then_rejected("insufficient-funds")


def test_booking_time_never_runs_back_and_the_value_date_stays_as_asked() -> None:
    early = account.given(opened(), credited(10, 1, 10, booking_time=at(90)))
    early.when(deposit(5, now=at(80))).then(credited(5, 2, 15, booking_time=at(90)))
    early.when(deposit(5, now=at(91))).then(credited(5, 2, 15, booking_time=at(91)))


def test_a_capture_does_not_book_before_the_last_entry_either() -> None:
    late = account.given(opened(), credited(10, 1, 10, booking_time=at(90)), held("h1", 10))
    booked = debited(10, 2, 0, code=CAPTURE, hold_id="h1", booking_time=at(90))
    late.when(capture("h1", 10, now=at(80))).then(booked)


def test_no_entry_is_booked_before_the_account_was_opened() -> None:
    entry = credited(5, 1, 5, booking_time=EIGHT)
    account.given(opened()).when(deposit(5, now=at(-1))).then(entry)


def test_the_balance_can_reach_the_maximum() -> None:
    top = domain.BALANCE_MINOR_MAX
    almost = account.given(opened(), credited(1, 1, top - 7))
    almost.when(deposit(7)).then(credited(7, 2, top))
    almost.when(deposit(8)).then_rejected("above-maximum")


# Freezing, dormancy


@pytest.mark.parametrize("scope", FreezeScope)
def test_a_freeze_is_recorded_once_and_lifted_once(scope: FreezeScope) -> None:
    frozen = AccountFrozen(scope, NOW)
    account.given(opened()).when(FreezeAccount(scope, NOW)).then(frozen)
    account.given(opened(), frozen).when(FreezeAccount(scope, at(99))).then_nothing()
    after = account.given(opened(), frozen).when(UnfreezeAccount(NOW)).then(AccountUnfrozen(NOW))
    assert after is not None
    assert (after.status, after.freeze_scope) == (Status.ACTIVE, None)
    account.given(opened()).when(UnfreezeAccount(NOW)).then_nothing()


def test_a_freeze_can_change_its_scope() -> None:
    frozen = account.given(opened(), AccountFrozen(FreezeScope.DEBIT, EIGHT))
    frozen.when(FreezeAccount(FreezeScope.ALL, NOW)).then(AccountFrozen(FreezeScope.ALL, NOW))


@pytest.mark.parametrize(
    ("scope", "credit_passes", "debit_passes"),
    [
        (FreezeScope.DEBIT, True, False),
        (FreezeScope.CREDIT, False, True),
        (FreezeScope.ALL, False, False),
    ],
)
def test_a_freeze_blocks_its_direction_only(
    scope: FreezeScope, credit_passes: bool, debit_passes: bool
) -> None:
    frozen = account.given(*funded(100), AccountFrozen(scope, NOW))
    asked: list[domain.Command] = [deposit(1), withdraw(1), hold("h1", 1)]
    passed = [isinstance(frozen.when(command).decision, list) for command in asked]
    assert passed == [credit_passes, debit_passes, debit_passes]


@pytest.mark.parametrize(
    "before", [*(AccountFrozen(scope, NOW) for scope in FreezeScope), AccountMarkedDormant(NOW)]
)
def test_a_capture_goes_through_a_freeze_because_it_was_owed_before(before: domain.Event) -> None:
    blocked = account.given(*funded(100), held("h1", 40), before)
    blocked.when(capture("h1", 40)).then(debited(40, 2, 60, code=CAPTURE, hold_id="h1"))


def test_dormancy_is_recorded_once_and_ended_once() -> None:
    asleep = AccountMarkedDormant(NOW)
    account.given(opened()).when(MarkAccountDormant(NOW)).then(asleep)
    account.given(opened(), asleep).when(MarkAccountDormant(at(99))).then_nothing()
    dormant = account.given(opened(), asleep)
    after = dormant.when(ReactivateAccount(NOW)).then(AccountReactivated(NOW))
    assert after is not None
    assert after.status is Status.ACTIVE
    account.given(opened()).when(ReactivateAccount(NOW)).then_nothing()


def test_a_dormant_account_takes_credits_and_gives_nothing() -> None:
    dormant = account.given(*funded(100), AccountMarkedDormant(NOW))
    dormant.when(deposit(1)).then(credited(1, 2, 101))
    dormant.when(withdraw(1)).then_rejected("account-blocked")


# The credit line


def test_the_credit_line_moves_and_the_same_line_again_changes_nothing() -> None:
    line = account.given(opened(credit_line_minor=50))
    after = line.when(SetCreditLine(80, NOW)).then(CreditLineSet(80, NOW))
    assert after is not None
    assert after.available_minor == 80
    line.when(SetCreditLine(50, NOW)).then_nothing()


def test_the_credit_line_can_be_lowered_to_what_is_in_use() -> None:
    in_use = account.given(opened(50), debited(20, 1, -20), held("h1", 10))
    in_use.when(SetCreditLine(30, NOW)).then(CreditLineSet(30, NOW))
    in_use.when(SetCreditLine(29, NOW)).then_rejected("credit-line-in-use")


# What can never be in a stream


def test_a_stream_that_does_not_begin_with_the_opening_is_refused() -> None:
    with pytest.raises(ValueError, match="CreditLineSet before AccountOpened"):
        domain.evolve(None, CreditLineSet(1, NOW))


def test_a_second_opening_in_a_stream_is_refused() -> None:
    with pytest.raises(ValueError, match="AccountOpened does not apply"):
        domain.evolve(account.fold([opened()]), opened())
