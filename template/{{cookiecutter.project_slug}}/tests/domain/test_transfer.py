"""What a transfer records, what it refuses, and that it ends once."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st

from ourbank.domain import transfer as domain
from ourbank.domain.rejection import Rejection
from ourbank.domain.transfer import (
    ISO_STATUS,
    TERMINAL,
    AbandonReversal,
    CancelTransfer,
    ClaimReversal,
    CompensateTransfer,
    CompleteTransfer,
    EndCompensation,
    RequestTransfer,
    TransferCancelled,
    TransferCode,
    TransferCompensationStarted,
    TransferCompleted,
    TransferExpired,
    TransferFailed,
    TransferRejected,
    TransferRequested,
    TransferReversalAbandoned,
    TransferReversed,
    TransferStatus,
)

from tests.bdd import Decider
from tests.domain.samples import EUR, NOW, TODAY, at

transfer = Decider(domain.decide, domain.evolve)
REFUSAL = Rejection("insufficient-funds", "not enough")
REQUEST = RequestTransfer(
    transfer_id="trf_1",
    source_account_id="acc_1",
    target_account_id="acc_2",
    amount_minor=40,
    currency=EUR,
    value_date=TODAY,
    now=NOW,
    payer_narrative="sealed for the payer",
    payee_narrative="sealed for the payee",
    reverses="trf_0",
)
REQUESTED = TransferRequested(
    transfer_id="trf_1",
    source_account_id="acc_1",
    target_account_id="acc_2",
    amount_minor=40,
    currency=EUR,
    value_date=TODAY,
    requested_at=NOW,
    reserved=True,
    payer_narrative="sealed for the payer",
    payee_narrative="sealed for the payee",
    reverses="trf_0",
)
COMPLETED = TransferCompleted(NOW)
LATER = at(99)

HISTORIES: dict[TransferStatus, tuple[domain.Event, ...]] = {
    TransferStatus.ACCEPTED: (replace(REQUESTED, reserved=False),),
    TransferStatus.RESERVED: (REQUESTED,),
    TransferStatus.COMPENSATING: (REQUESTED, TransferCompensationStarted("account-closed", NOW)),
    TransferStatus.COMPLETED: (REQUESTED, COMPLETED),
    TransferStatus.REJECTED: (
        replace(REQUESTED, reserved=False),
        TransferRejected("insufficient-funds", "not enough", NOW),
    ),
    TransferStatus.FAILED: (REQUESTED, TransferFailed("account-closed", NOW)),
    TransferStatus.CANCELLED: (REQUESTED, TransferCancelled(NOW)),
    TransferStatus.EXPIRED: (REQUESTED, TransferExpired(NOW)),
}


@pytest.mark.parametrize("status", TransferStatus)
def test_every_status_is_told_by_the_events(status: TransferStatus) -> None:
    found = transfer.given(*HISTORIES[status]).state
    assert found is not None
    assert found.status is status
    assert found.has_ended == (status in TERMINAL)
    assert (found.ended_at is not None) == found.has_ended


# Requesting


def test_a_request_whose_amount_is_held_is_reserved_from_the_first_event() -> None:
    after = transfer.given().when(REQUEST).then(REQUESTED)
    assert after is not None
    assert after.status is TransferStatus.RESERVED


def test_a_request_whose_amount_is_refused_is_rejected_in_the_same_breath() -> None:
    after = (
        transfer.given()
        .when(replace(REQUEST, refusal=REFUSAL))
        .then(
            replace(REQUESTED, reserved=False),
            TransferRejected("insufficient-funds", "not enough", NOW),
        )
    )
    assert after is not None
    assert (after.status, after.code) == (TransferStatus.REJECTED, "insufficient-funds")


def test_what_was_asked_is_kept_as_it_was_asked() -> None:
    state = transfer.given(replace(REQUESTED, value_date=date(2026, 2, 27))).state
    assert state == domain.Transfer(
        transfer_id="trf_1",
        source_account_id="acc_1",
        target_account_id="acc_2",
        amount_minor=40,
        currency=EUR,
        value_date=date(2026, 2, 27),
        requested_at=NOW,
        status=TransferStatus.RESERVED,
        payer_narrative="sealed for the payer",
        payee_narrative="sealed for the payee",
        reverses="trf_0",
    )


# Going forward and turning back


def test_a_reserved_transfer_completes() -> None:
    after = transfer.given(REQUESTED).when(CompleteTransfer(LATER)).then(TransferCompleted(LATER))
    assert after is not None
    assert (after.status, after.code, after.ended_at) == (TransferStatus.COMPLETED, None, LATER)


def test_one_that_is_being_compensated_never_completes() -> None:
    turning = transfer.given(*HISTORIES[TransferStatus.COMPENSATING])
    turning.when(CompleteTransfer(LATER)).then_nothing()


@pytest.mark.parametrize("status", TransferStatus)
def test_it_can_be_cancelled_until_it_ended_and_again_when_it_was(status: TransferStatus) -> None:
    asked = transfer.given(*HISTORIES[status]).when(CancelTransfer())
    if status in TERMINAL - {TransferStatus.CANCELLED}:
        asked.then_rejected("transfer-settled")
    else:
        asked.then_nothing()


def test_turning_back_is_recorded_with_its_first_reason_only() -> None:
    started = TransferCompensationStarted("account-closed", NOW)
    transfer.given(REQUESTED).when(CompensateTransfer("account-closed", NOW)).then(started)
    again = CompensateTransfer(TransferCode.CANCELLED, LATER)
    transfer.given(REQUESTED, started).when(again).then_nothing()


@pytest.mark.parametrize(
    ("code", "ended"),
    [
        (TransferCode.CANCELLED, TransferCancelled(LATER)),
        (TransferCode.TIMED_OUT, TransferExpired(LATER)),
        ("account-closed", TransferFailed("account-closed", LATER)),
        ("transfer-voided", TransferFailed("transfer-voided", LATER)),
    ],
)
def test_the_reason_for_turning_back_decides_how_it_ends(code: str, ended: domain.Event) -> None:
    turning = transfer.given(REQUESTED, TransferCompensationStarted(code, NOW))
    after = turning.when(EndCompensation(LATER)).then(ended)
    assert after is not None
    assert after.code == code
    assert after.ended_at == LATER


def test_compensation_that_never_started_cannot_end() -> None:
    transfer.given(REQUESTED).when(EndCompensation(LATER)).then_nothing()


@pytest.mark.parametrize("status", sorted(TERMINAL))
@pytest.mark.parametrize(
    "command",
    [
        CompleteTransfer(LATER),
        CompensateTransfer(TransferCode.CANCELLED, LATER),
        EndCompensation(LATER),
    ],
    ids=lambda command: type(command).__name__,
)
def test_what_has_ended_stays_as_it_ended(status: TransferStatus, command: domain.Command) -> None:
    transfer.given(*HISTORIES[status]).when(command).then_nothing()


# Reversals


def test_a_completed_transfer_is_claimed_by_one_reversal_and_stays_completed() -> None:
    claimed = TransferReversed("trf_2", NOW)
    done = HISTORIES[TransferStatus.COMPLETED]
    after = transfer.given(*done).when(ClaimReversal("trf_2", NOW)).then(claimed)
    assert after is not None
    assert (after.status, after.reversed_by) == (TransferStatus.COMPLETED, "trf_2")
    transfer.given(*done, claimed).when(ClaimReversal("trf_2", LATER)).then_nothing()
    other = transfer.given(*done, claimed).when(ClaimReversal("trf_3", LATER))
    other.then_rejected("transfer-reversed")


def test_an_abandoned_claim_leaves_room_for_another_reversal() -> None:
    claimed, left = TransferReversed("trf_2", NOW), TransferReversalAbandoned("trf_2", NOW)
    done = (*HISTORIES[TransferStatus.COMPLETED], claimed)
    transfer.given(*done).when(AbandonReversal("trf_2", NOW)).then(left)
    after = transfer.given(*done, left).when(ClaimReversal("trf_3", NOW))
    after.then(TransferReversed("trf_3", NOW))


def test_nobody_can_abandon_the_claim_of_another() -> None:
    claimed = (*HISTORIES[TransferStatus.COMPLETED], TransferReversed("trf_2", NOW))
    transfer.given(*claimed).when(AbandonReversal("trf_3", NOW)).then_nothing()
    unclaimed = HISTORIES[TransferStatus.COMPLETED]
    transfer.given(*unclaimed).when(AbandonReversal("trf_3", NOW)).then_nothing()


REJECTIONS: list[tuple[tuple[domain.Event, ...], domain.Command, str]] = [
    ((REQUESTED,), REQUEST, "transfer-exists"),
    ((), CompleteTransfer(NOW), "transfer-not-found"),
    ((), CompensateTransfer("x", NOW), "transfer-not-found"),
    ((), EndCompensation(NOW), "transfer-not-found"),
    ((), ClaimReversal("trf_2", NOW), "transfer-not-found"),
    ((), AbandonReversal("trf_2", NOW), "transfer-not-found"),
    *(
        (history, ClaimReversal("trf_2", NOW), "transfer-not-completed")
        for status, history in HISTORIES.items()
        if status is not TransferStatus.COMPLETED
    ),
]


@pytest.mark.parametrize(("history", "command", "code"), REJECTIONS)
def test_refused(history: tuple[domain.Event, ...], command: domain.Command, code: str) -> None:
    transfer.given(*history).when(command).then_rejected(code)


# Whatever is asked


names = st.sampled_from(["trf_2", "trf_3"])
moments = st.integers(0, 60).map(at)
commands = st.one_of(
    st.builds(CompleteTransfer, moments),
    st.builds(CompensateTransfer, st.sampled_from([*TransferCode, "account-closed"]), moments),
    st.builds(EndCompensation, moments),
    st.builds(ClaimReversal, names, moments),
    st.builds(AbandonReversal, names, moments),
    st.just(REQUEST),
)


@settings(deadline=None)
@forall(st.sampled_from([None, REFUSAL]), st.lists(commands, max_size=12))
def test_whatever_is_asked_it_ends_at_most_once_and_for_ever(
    refusal: Rejection | None, asked: list[domain.Command]
) -> None:
    state, statuses = domain.initial, []
    for command in [replace(REQUEST, refusal=refusal), *asked]:
        decision = domain.decide(command, state)
        for event in [] if isinstance(decision, Rejection) else decision:
            state = domain.evolve(state, event)
            statuses.append(state.status)
    ends = [status for status in dict.fromkeys(statuses) if status in TERMINAL]
    assert len(ends) <= 1
    assert not ends or statuses[-1] is ends[0]
    assert (TransferStatus.REJECTED in ends) == (refusal is not None)


def test_every_end_but_expiry_has_an_iso_20022_payment_status() -> None:
    assert set(ISO_STATUS) >= TERMINAL - {TransferStatus.EXPIRED}
    assert ISO_STATUS[TransferStatus.COMPLETED] == "ACCC"


@pytest.mark.parametrize("event", [COMPLETED, REQUESTED])
def test_a_stream_begins_with_one_request(event: domain.Event) -> None:
    first = isinstance(event, TransferRequested)
    with pytest.raises(ValueError, match=r"before TransferRequested|does not apply"):
        domain.evolve(transfer.fold([REQUESTED]) if first else None, event)
