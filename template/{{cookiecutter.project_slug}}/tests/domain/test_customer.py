"""A customer is registered once, forgotten once, and nothing more is recorded afterwards."""

from datetime import timedelta

import pytest

from ourbank.domain import customer as domain
from ourbank.domain.customer import (
    Customer,
    CustomerRegistered,
    CustomerStatus,
    ErasePersonalData,
    LegalHoldLifted,
    LegalHoldSet,
    LiftLegalHold,
    PersonalDataErased,
    RegisterCustomer,
    SetLegalHold,
)

from tests.bdd import Decider
from tests.domain.samples import NOW, at

customer = Decider(domain.decide, domain.evolve)
REGISTERED = CustomerRegistered("cus_1", "sealed", NOW)
ERASED = PersonalDataErased("receipt", at(90))
TODAY = NOW.date()
TOMORROW, LATER = TODAY + timedelta(days=1), TODAY + timedelta(days=30)
HELD = LegalHoldSet(LATER, NOW)


def test_a_customer_is_registered_with_what_is_sealed() -> None:
    after = customer.given().when(RegisterCustomer("cus_1", "sealed", NOW)).then(REGISTERED)
    assert after == Customer("cus_1", CustomerStatus.ACTIVE, "sealed", NOW)


def test_an_erasure_leaves_the_receipt_and_nothing_personal() -> None:
    after = customer.given(REGISTERED).when(ErasePersonalData("receipt", at(90))).then(ERASED)
    assert after == Customer("cus_1", CustomerStatus.ERASED, "", NOW, at(90), "receipt")


def test_a_second_erasure_records_nothing() -> None:
    customer.given(REGISTERED, ERASED).when(ErasePersonalData("other", at(99))).then_nothing()


def test_a_hold_is_set_for_longer_or_shorter_and_lifted() -> None:
    shorter = SetLegalHold(TOMORROW, NOW)
    after = customer.given(REGISTERED, HELD).when(shorter).then(LegalHoldSet(TOMORROW, NOW))
    assert after is not None
    assert after.held_until == TOMORROW
    lifted = customer.given(REGISTERED, HELD).when(LiftLegalHold(NOW)).then(LegalHoldLifted(NOW))
    assert lifted is not None
    assert lifted.held_until is None


@pytest.mark.parametrize(
    ("history", "command"),
    [
        ((REGISTERED, HELD), SetLegalHold(LATER, at(5))),
        ((REGISTERED,), LiftLegalHold(NOW)),
        ((REGISTERED, HELD, ERASED), LiftLegalHold(NOW)),
    ],
)
def test_a_hold_that_is_as_asked_is_not_recorded_again(
    history: tuple[domain.Event, ...], command: domain.Command
) -> None:
    customer.given(*history).when(command).then_nothing()


REJECTIONS: list[tuple[tuple[domain.Event, ...], domain.Command, str]] = [
    ((REGISTERED,), RegisterCustomer("cus_1", "sealed", NOW), "customer-exists"),
    ((REGISTERED, ERASED), RegisterCustomer("cus_1", "sealed", NOW), "customer-exists"),
    ((), ErasePersonalData("receipt", NOW), "customer-not-found"),
    ((), LiftLegalHold(NOW), "customer-not-found"),
    ((REGISTERED, ERASED), SetLegalHold(TODAY, NOW), "customer-erased"),
    ((REGISTERED, HELD), SetLegalHold(TODAY, NOW), "legal-hold-over"),
]


@pytest.mark.parametrize(("history", "command", "code"), REJECTIONS)
def test_refused(history: tuple[domain.Event, ...], command: domain.Command, code: str) -> None:
    customer.given(*history).when(command).then_rejected(code)


@pytest.mark.parametrize("stream", [(ERASED,), (REGISTERED, REGISTERED)])
def test_a_stream_begins_with_one_registration(stream: tuple[domain.Event, ...]) -> None:
    with pytest.raises(ValueError, match="does not apply"):
        customer.fold(stream)
