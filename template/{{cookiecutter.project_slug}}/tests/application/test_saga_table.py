"""The transfer saga's table: which step follows which answer.

`done` is an accepted command, everything else the code of a refusal; `.` is the end.
"""

import re
from typing import Any

import pytest

from ourbank.application.saga import (
    Step,
    StepName,
    TransferSaga,
    cancelled_by,
    step_key,
)
from ourbank.domain import transfer as transfers
from ourbank.domain.rejection import Rejection
from ourbank.eventsourcing.command import Result
from ourbank.eventsourcing.saga import Process

from tests.application.world import World, order, requested
from tests.domain.samples import NOW, funded

TABLE = """
step            answer              next

credit          done                settle
credit          account-not-found   compensate creditor-account-not-found
credit          account-closed      compensate creditor-account-closed
credit          account-blocked     compensate account-blocked
credit          currency-mismatch   compensate currency-mismatch
credit          cancelled           compensate cancelled
credit          settlement-timeout  compensate settlement-timeout
settle          done                .
settle          any-refusal         .
void-credit     done                settle
void-credit     cancelled           compensate cancelled
void-credit     account-closed      compensate creditor-account-closed
compensate      done                release
compensate      any-refusal         release
release         done                .
release         any-refusal         .
"""
REVERSAL_TABLE = """
claim           done                credit
claim           transfer-reversed   void-credit transfer-reversed
claim           claim-voided        void-credit claim-voided
credit          done                settle
credit          account-closed      compensate creditor-account-closed
settle          done                .
settle          any-refusal         .
void-credit     done                settle
void-credit     settlement-timeout  compensate settlement-timeout
compensate      done                void-claim
compensate      any-refusal         void-claim
void-claim      done                abandon-claim
void-claim      claim-voided        release
void-claim      transfer-reversed   release
abandon-claim   done                release
abandon-claim   any-refusal         release
release         done                .
release         any-refusal         .
"""
ROWS = [("plain", row) for row in TABLE.splitlines()[3:]]
ROWS += [("reversal", row) for row in REVERSAL_TABLE.splitlines()[1:]]

SAGA = TransferSaga()


def a_transfer(**rest: Any) -> transfers.Transfer:
    world = World().recorded(*(("acc_1", event) for event in funded(100)))
    return requested(world, order("trf_1", "acc_1", "acc_2", 40, **rest)).transfer("trf_1")


PLAIN, REVERSING = a_transfer(), a_transfer(reverses="trf_0")


def process(transfer: transfers.Transfer) -> Process:
    return Process("trf_1", transfer, None, 0, 0)


def named(text: str) -> Step | None:
    name, _, code = text.partition(" ")
    return None if name == "." else Step(StepName(name), code)


@pytest.mark.parametrize(("kind", "row"), ROWS)
def test_the_table(kind: str, row: str) -> None:
    step, answer, following = re.split(r"  +", row)
    result = Result(0, 0, rejection=None if answer == "done" else Rejection(answer))
    asked = process(PLAIN if kind == "plain" else REVERSING)
    assert SAGA.following(asked, Step(StepName(step)), result) == named(following)


def test_who_cancelled_is_recorded_whoever_goes_on_with_it() -> None:
    """Also by a worker that only sends the credit, and is answered with what voided it."""
    voided = SAGA.command(process(PLAIN), cancelled_by("the payer"), NOW).decide(None)
    assert isinstance(voided, Rejection)
    for name in (StepName.VOID_CREDIT, StepName.CREDIT):
        step = SAGA.following(process(PLAIN), Step(name), Result(0, 0, rejection=voided))
        assert step == Step(StepName.COMPENSATE, "cancelled", "the payer")
        assert SAGA.command(process(PLAIN), step, NOW).meta == "the payer"


def test_the_table_has_every_step_with_and_without_a_refusal() -> None:
    rows = [re.split(r"  +", row)[:2] for _, row in ROWS]
    assert {(step, answer == "done") for step, answer in rows} == {
        (step, done) for step in StepName for done in (True, False)
    }


@pytest.mark.parametrize("name", StepName)
def test_time_turns_back_only_what_may_not_have_been_credited(name: StepName) -> None:
    overdue = SAGA.overdue(process(REVERSING), Step(name))
    before_the_credit = name in (StepName.CLAIM, StepName.CREDIT)
    back = Step(StepName.VOID_CREDIT, "settlement-timeout")
    assert overdue == (back if before_the_credit else Step(name))


def test_crediting_and_voiding_the_credit_are_one_key_so_only_one_of_them_wins() -> None:
    def key(name: StepName) -> Any:
        return SAGA.command(process(REVERSING), Step(name), NOW).key

    assert key(StepName.CREDIT) == key(StepName.VOID_CREDIT) == step_key("trf_1", StepName.CREDIT)
    assert key(StepName.CLAIM) == key(StepName.VOID_CLAIM) == step_key("trf_1", StepName.CLAIM)
    assert step_key("trf_1", StepName.CREDIT) != step_key("trf_1", StepName.CLAIM)
    assert step_key("trf_1", StepName.CREDIT) != step_key("trf_2", StepName.CREDIT)


def test_the_keys_never_change_because_outcomes_are_stored_under_them() -> None:
    assert step_key("trf_1", StepName.CREDIT) == "8e68b9b133d8c61fce4eb8fe9c2f0698"
    assert step_key("trf_1", StepName.CLAIM) == "db9075a563c152ab32bb59922ee1453a"


@pytest.mark.parametrize("name", StepName)
def test_a_step_stays_in_one_partition(name: StepName) -> None:
    streams = SAGA.command(process(REVERSING), Step(name), NOW).streams
    own_side, other_side, original = {"trf_1", "acc_1"}, {"acc_2"}, {"trf_0"}
    assert any(set(streams) <= side for side in (own_side, other_side, original))
