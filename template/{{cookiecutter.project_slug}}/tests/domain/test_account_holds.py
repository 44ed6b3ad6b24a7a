"""A hold sets an amount aside, and ends exactly once: captured, released or expired."""

import pytest

from ourbank.domain import account as domain
from ourbank.domain.hold import (
    CaptureHold,
    ExpireHold,
    Hold,
    HoldExpired,
    HoldReleased,
    ReleaseHold,
)
from ourbank.domain.ledger import TransactionCode

from tests.bdd import Decider
from tests.domain.samples import (
    EUR,
    NOW,
    TODAY,
    at,
    capture,
    debited,
    funded,
    held,
    hold,
)

account = Decider(domain.decide, domain.evolve)
CAPTURE = TransactionCode.CAPTURE


def test_a_hold_takes_from_what_is_available_and_not_from_what_is_booked() -> None:
    command = hold("h1", 40, expires_at=at(120))
    after = account.given(*funded(100)).when(command).then(held("h1", 40, at(120)))
    assert after is not None
    assert (after.booked_minor, after.held_minor, after.available_minor) == (100, 40, 60)


def test_the_same_hold_twice_is_one_hold_whatever_else_is_asked_the_second_time() -> None:
    account.given(*funded(100), held("h1", 40)).when(hold("h1", 9_999)).then_nothing()


def test_a_final_capture_gives_back_what_it_leaves_of_the_hold() -> None:
    after = (
        account.given(*funded(100), held("h1", 40))
        .when(capture("h1", 25))
        .then(debited(25, 2, 75, code=CAPTURE, hold_id="h1"), HoldReleased("h1", 15, NOW))
    )
    assert after is not None
    assert (after.booked_minor, after.held_minor, after.holds) == (75, 0, {})


def test_a_capture_that_is_not_final_leaves_the_rest_held() -> None:
    after = (
        account.given(*funded(100), held("h1", 40, at(120)))
        .when(capture("h1", 25, final=False))
        .then(debited(25, 2, 75, code=CAPTURE, hold_id="h1"))
    )
    assert after is not None
    assert (after.booked_minor, after.held_minor, after.available_minor) == (75, 15, 60)
    assert after.holds == {"h1": Hold(15, at(120))}


@pytest.mark.parametrize("final", [True, False])
def test_what_captures_take_together_ends_the_hold(final: bool) -> None:
    first = debited(25, 2, 75, code=CAPTURE, hold_id="h1")
    second = account.given(*funded(100), held("h1", 40), first)
    after = second.when(capture("h1", 15, final=final)).then(
        debited(15, 3, 60, code=CAPTURE, hold_id="h1")
    )
    assert after is not None
    assert (after.held_minor, after.holds) == (0, {})


def test_a_capture_carries_what_it_settles() -> None:
    command = CaptureHold(
        "h1",
        40,
        EUR,
        TODAY,
        NOW,
        code=TransactionCode.TRANSFER_OUT,
        transfer_id="trf_1",
        counterparty="acc_2",
        narrative="sealed",
    )
    entry = debited(
        40,
        2,
        60,
        code=TransactionCode.TRANSFER_OUT,
        hold_id="h1",
        transfer_id="trf_1",
        counterparty="acc_2",
        narrative="sealed",
    )
    account.given(*funded(100), held("h1", 40)).when(command).then(entry)


def test_a_released_hold_is_available_again_and_cannot_be_used() -> None:
    history = (*funded(100), held("h1", 40))
    after = account.given(*history).when(ReleaseHold("h1", NOW)).then(HoldReleased("h1", 40, NOW))
    assert after is not None
    assert after.available_minor == 100
    released = account.given(*history, HoldReleased("h1", 40, NOW))
    released.when(capture("h1", 40)).then_rejected("hold-ended")
    released.when(ReleaseHold("h1", NOW)).then_rejected("hold-ended")


def test_a_release_gives_back_only_what_captures_have_left() -> None:
    taken = debited(25, 2, 75, code=CAPTURE, hold_id="h1")
    partly = account.given(*funded(100), held("h1", 40), taken)
    partly.when(ReleaseHold("h1", NOW)).then(HoldReleased("h1", 15, NOW))


def test_a_hold_can_be_captured_before_the_moment_it_expires_and_expires_at_that_moment() -> None:
    lasting = account.given(*funded(100), held("h1", 40, expires_at=at(90)))
    just_before, then = at(89), at(90)
    lasting.when(capture("h1", 40, now=just_before)).then(
        debited(40, 2, 60, code=CAPTURE, hold_id="h1", booking_time=just_before)
    )
    lasting.when(ExpireHold("h1", just_before)).then_rejected("hold-not-due")
    lasting.when(capture("h1", 40, now=then)).then_rejected("hold-ended")
    lasting.when(ExpireHold("h1", then)).then(HoldExpired("h1", 40, then))


def test_an_expired_hold_that_nobody_swept_yet_can_still_be_released() -> None:
    swept_late = account.given(*funded(100), held("h1", 40, expires_at=at(90)))
    swept_late.when(ReleaseHold("h1", at(99))).then(HoldReleased("h1", 40, at(99)))
