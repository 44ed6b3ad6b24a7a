"""The list of accounts agrees with the accounts themselves, after every event."""

import pytest
from hypothesis import given, settings

from ourbank.domain import account as domain
from ourbank.domain.account import Command, Event, Status
from ourbank.domain.hold import HoldExpired, HoldReleased
from ourbank.domain.lifecycle import (
    AccountClosed,
    AccountFrozen,
    AccountMarkedDormant,
    AccountReactivated,
    AccountUnfrozen,
    CreditLineSet,
    FreezeScope,
)
from ourbank.readmodels.accounts import ACCOUNTS, AccountRow

from tests.domain.samples import ACCOUNT, CUSTOMER, EUR, NOW, debited, funded, held, opened
from tests.domain.strategies import events_of, histories
from tests.readmodels.story import recorded, recorded_at, rows


def row(*events: Event) -> AccountRow:
    """The one row these events lead to."""
    found = rows(ACCOUNTS, recorded(ACCOUNT, events))
    assert list(found) == [(ACCOUNT,)]
    account: AccountRow = found[ACCOUNT,]
    return account


def test_an_opened_account_stands_in_the_list() -> None:
    assert row(opened(50)) == AccountRow(
        account_id=ACCOUNT,
        customer_id=CUSTOMER,
        currency=EUR,
        status="ACTIVE",
        freeze_scope=None,
        booked_minor=0,
        held_minor=0,
        credit_line_minor=50,
        version=1,
        sequence=0,
        as_of=recorded_at(1),
    )


def test_it_tells_how_far_it_has_seen_the_account() -> None:
    seen = row(*funded(100), held("hld_1", 40))
    assert (seen.version, seen.as_of, seen.sequence) == (3, recorded_at(3), 1)


PLACED = held("hld_1", 40)
TAKEN = debited(25, 2, 75, hold_id="hld_1")


@pytest.mark.parametrize(
    ("events", "booked_minor", "held_minor"),
    [
        ((), 100, 0),
        ((PLACED,), 100, 40),
        ((debited(30, 2, 70),), 70, 0),
        ((PLACED, TAKEN), 75, 15),
        ((PLACED, TAKEN, HoldReleased("hld_1", 15, NOW)), 75, 0),
        ((PLACED, HoldReleased("hld_1", 40, NOW)), 100, 0),
        ((PLACED, HoldExpired("hld_1", 40, NOW)), 100, 0),
    ],
)
def test_balances(events: tuple[Event, ...], booked_minor: int, held_minor: int) -> None:
    found = row(*funded(100), *events)
    assert (found.booked_minor, found.held_minor) == (booked_minor, held_minor)


FROZEN = AccountFrozen(FreezeScope.CREDIT, NOW)
ASLEEP = AccountMarkedDormant(NOW)


@pytest.mark.parametrize(
    ("events", "status", "freeze_scope"),
    [
        ((FROZEN,), "FROZEN", "CREDIT"),
        ((FROZEN, AccountUnfrozen(NOW)), "ACTIVE", None),
        ((ASLEEP,), "DORMANT", None),
        ((ASLEEP, AccountReactivated(NOW)), "ACTIVE", None),
        ((AccountClosed(NOW),), "CLOSED", None),
    ],
)
def test_states(events: tuple[Event, ...], status: str, freeze_scope: str | None) -> None:
    found = row(opened(), *events)
    assert (found.status, found.freeze_scope) == (status, freeze_scope)


def test_a_credit_line_that_was_moved() -> None:
    assert row(opened(50), CreditLineSet(80, NOW)).credit_line_minor == 80


def test_an_event_before_the_opening_is_an_error_that_parks_the_account() -> None:
    with pytest.raises(ValueError, match="HoldPlaced before AccountOpened"):
        rows(ACCOUNTS, recorded(ACCOUNT, [PLACED]))


@settings(deadline=None)
@given(histories())
def test_the_row_says_what_the_account_says(history: list[Command]) -> None:
    events = events_of(history)
    account = domain.initial
    for count, event in enumerate(events, 1):
        account = domain.evolve(account, event)
        assert row(*events[:count]) == shown(account, count)


def shown(account: domain.Account, version: int) -> AccountRow:
    return AccountRow(
        account_id=account.account_id,
        customer_id=account.customer_id,
        currency=account.currency,
        status=Status(account.status),
        freeze_scope=account.freeze_scope,
        booked_minor=account.booked_minor,
        held_minor=account.held_minor,
        credit_line_minor=account.credit_line_minor,
        version=version,
        sequence=account.sequence,
        as_of=recorded_at(version),
    )
