"""The ways a transfer can go: forward, refused, back, reversed."""

from typing import Any

import pytest

from ourbank.application.saga import (
    Step,
    StepName,
    cancelled_by,
    first_step,
    milestone,
    request,
)
from ourbank.domain import transfer as transfers
from ourbank.domain.entry import FundsCredited, FundsDebited
from ourbank.domain.hold import HoldPlaced, HoldReleased
from ourbank.domain.ledger import TransactionCode
from ourbank.domain.lifecycle import (
    AccountClosed,
    AccountFrozen,
    FreezeScope,
)
from ourbank.domain.rejection import Rejection
from ourbank.domain.transfer import (
    TransferCompensationStarted,
    TransferCompleted,
    TransferReversed,
    TransferStatus,
)
from ourbank.eventsourcing.event import Recorded
from ourbank.eventsourcing.follower import Milestone

from tests.application.world import Driver, World, driven, found, order, requested
from tests.domain.samples import NOW, TODAY, funded, opened

OPENED = World().recorded(
    *(("acc_1", e) for e in funded(100)), ("acc_2", opened(account_id="acc_2"))
)
CANCEL = cancelled_by("the payer")
ORDER = order("trf_1", "acc_1", "acc_2", 40, payer_narrative="p", payee_narrative="q")
REQUESTED = requested(OPENED, ORDER)
DONE = driven(REQUESTED, found(REQUESTED, "trf_1"))
REVERSED = requested(DONE, order("trf_2", "acc_2", "acc_1", 40, reverses="trf_1"))


def test_a_transfer_holds_credits_captures_and_completes() -> None:
    assert REQUESTED.streams["acc_1"][-1] == HoldPlaced("trf_1", 40, "EUR", None, NOW)
    assert DONE.streams["trf_1"][1:] == (TransferCompleted(NOW),)
    credit, debit = DONE.streams["acc_2"][-1], DONE.streams["acc_1"][-1]
    assert credit == FundsCredited(
        account_id="acc_2",
        sequence=1,
        code=TransactionCode.TRANSFER_IN,
        amount_minor=40,
        currency="EUR",
        balance_after_minor=40,
        booking_time=NOW,
        value_date=TODAY,
        transfer_id="trf_1",
        counterparty="acc_1",
        narrative="q",
    )
    assert debit == FundsDebited(
        account_id="acc_1",
        sequence=2,
        code=TransactionCode.TRANSFER_OUT,
        amount_minor=40,
        currency="EUR",
        balance_after_minor=60,
        booking_time=NOW,
        value_date=TODAY,
        transfer_id="trf_1",
        hold_id="trf_1",
        counterparty="acc_2",
        narrative="p",
    )


REFUSED = [
    ("insufficient-funds", OPENED, order("trf_1", "acc_1", "acc_2", 101)),
    ("debtor-account-not-found", OPENED, order("trf_1", "acc_9", "acc_2", 40)),
    (
        "debtor-account-closed",
        World().recorded(("acc_1", opened()), ("acc_1", AccountClosed(NOW))),
        order("trf_1", "acc_1", "acc_2", 40),
    ),
    (
        "account-blocked",
        OPENED.recorded(("acc_1", AccountFrozen(FreezeScope.DEBIT, NOW))),
        order("trf_1", "acc_1", "acc_2", 40),
    ),
]


@pytest.mark.parametrize(("code", "world", "command"), REFUSED, ids=[row[0] for row in REFUSED])
def test_what_cannot_be_held_is_rejected_at_once_and_no_money_moves(
    code: str, world: World, command: transfers.RequestTransfer
) -> None:
    after = requested(world, command)
    transfer = after.transfer("trf_1")
    assert (transfer.status, transfer.code) == (TransferStatus.REJECTED, code)
    assert first_step(transfer) is None
    assert {**after.streams, "trf_1": None} == {**world.streams, "trf_1": None}


def test_a_transfer_that_exists_is_not_requested_again() -> None:
    again = request(ORDER, REQUESTED.state("trf_1"), REQUESTED.state("acc_1"))
    assert again == Rejection("transfer-exists", "the transfer was requested already")


FAILING = [
    ("creditor-account-closed", REQUESTED.recorded(("acc_2", AccountClosed(NOW)))),
    (
        "account-blocked",
        REQUESTED.recorded(("acc_2", AccountFrozen(FreezeScope.CREDIT, NOW))),
    ),
    ("creditor-account-not-found", requested(OPENED, order("trf_1", "acc_1", "acc_9", 40))),
]


@pytest.mark.parametrize(("code", "world"), FAILING, ids=[row[0] for row in FAILING])
def test_what_cannot_be_credited_fails_and_gives_the_hold_back(code: str, world: World) -> None:
    after = driven(world, found(world, "trf_1"))
    transfer = after.transfer("trf_1")
    assert (transfer.status, transfer.code) == (TransferStatus.FAILED, code)
    assert after.streams["acc_1"][-1] == HoldReleased("trf_1", 40, NOW)
    assert after.account("acc_1").available_minor == 100


def cancelled(world: World) -> World:
    return driven(world, Driver("trf_1", CANCEL))


def test_a_transfer_cancelled_before_the_credit_gives_the_hold_back() -> None:
    after = cancelled(REQUESTED)
    assert after.transfer("trf_1").status is TransferStatus.CANCELLED
    assert after.account("acc_1").available_minor == 100
    assert after.account("acc_2").booked_minor == 0


def test_a_transfer_cancelled_after_the_credit_completes() -> None:
    credited, _ = found(REQUESTED, "trf_1").go_on(REQUESTED)
    after = cancelled(credited)
    assert after.transfer("trf_1").status is TransferStatus.COMPLETED
    assert after.account("acc_1").booked_minor == 60
    assert cancelled(DONE) == DONE


def test_a_transfer_that_takes_too_long_expires() -> None:
    driver = found(REQUESTED, "trf_1").turn_back(REQUESTED)
    assert driven(REQUESTED, driver).transfer("trf_1").status is TransferStatus.EXPIRED


def test_a_reversal_claims_the_original_and_sends_the_money_back() -> None:
    after = driven(REVERSED, found(REVERSED, "trf_2"))
    assert after.transfer("trf_2").status is TransferStatus.COMPLETED
    original = after.transfer("trf_1")
    assert (original.status, original.reversed_by) == (TransferStatus.COMPLETED, "trf_2")
    assert [after.account(a).booked_minor for a in ("acc_1", "acc_2")] == [100, 0]


def test_a_reversal_that_comes_second_fails_and_leaves_the_claim_of_the_first() -> None:
    world = REVERSED.recorded(("trf_1", TransferReversed("trf_0", NOW)))
    after = driven(world, found(world, "trf_2"))
    transfer = after.transfer("trf_2")
    assert (transfer.status, transfer.code) == (TransferStatus.FAILED, "transfer-reversed")
    assert after.transfer("trf_1").reversed_by == "trf_0"
    assert after.account("acc_2").available_minor == 40


def test_a_reversal_that_fails_abandons_its_claim_so_that_another_may_try() -> None:
    frozen = REVERSED.recorded(("acc_1", AccountFrozen(FreezeScope.CREDIT, NOW)))
    after = driven(frozen, found(frozen, "trf_2"))
    assert after.transfer("trf_2").status is TransferStatus.FAILED
    assert after.transfer("trf_1").reversed_by is None
    assert [type(e).__name__ for e in after.streams["trf_1"][-2:]] == [
        "TransferReversed",
        "TransferReversalAbandoned",
    ]


# Steps at the wrong time


@pytest.mark.parametrize("name", [StepName.SETTLE, StepName.COMPENSATE, StepName.RELEASE])
def test_a_step_that_comes_too_late_changes_nothing_and_is_not_refused(name: StepName) -> None:
    for ended in (DONE, cancelled(REQUESTED)):
        after, result = Driver("trf_1", Step(name, "settlement-timeout")).send(ended)
        assert (after, result.rejection) == (ended, None)


def test_a_hold_is_not_released_before_compensation_has_started() -> None:
    after, _ = Driver("trf_1", Step(StepName.RELEASE)).send(REQUESTED)
    assert after == REQUESTED


# Where it is taken up again


@pytest.mark.parametrize(
    ("world", "transfer_id", "step"),
    [
        (REQUESTED, "trf_1", "credit"),
        (REVERSED, "trf_2", "claim"),
        (DONE, "trf_1", None),
        (
            REQUESTED.recorded(("trf_1", TransferCompensationStarted("cancelled", NOW))),
            "trf_1",
            "release",
        ),
    ],
    ids=["reserved", "reserved reversal", "ended", "compensating"],
)
def test_a_transfer_that_is_found_goes_on(world: World, transfer_id: str, step: str | None) -> None:
    assert first_step(world.transfer(transfer_id)) == (step and Step(StepName(step)))


def test_it_needs_driving_from_the_reservation_to_the_end() -> None:
    def of(event: Any) -> Milestone | None:
        return milestone(Recorded(0, 1, "trf_1", 1, "", 1, NOW, "", "", event))

    begun, completed = DONE.streams["trf_1"]
    assert of(begun) is Milestone.BEGAN
    refused = requested(OPENED, order("trf_3", "acc_1", "acc_2", 101))
    assert [of(event) for event in refused.streams["trf_3"]] == [None, None]
    assert of(completed) is Milestone.ENDED
    ends = [transfers.TransferFailed("x", NOW), transfers.TransferCancelled(NOW)]
    assert {of(end) for end in [*ends, transfers.TransferExpired(NOW)]} == {Milestone.ENDED}
    assert of(TransferReversed("trf_2", NOW)) is None
