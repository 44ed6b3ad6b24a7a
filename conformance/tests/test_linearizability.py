"""The search for an order agrees with a trial of every order, and knows when it has not decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import inf

import pytest
from bank_conformance.deciders.linearizability import Explanation, claims_no_order, search
from bank_conformance.history import Outcome
from bank_conformance.model import Kind, Observation, Reading
from brute import Exact
from builders import entry
from hypothesis import given, settings
from hypothesis import strategies as st
from test_claimed_order import Run, falsified, histories, observed


def without_claims(run: Run) -> list[Observation]:
    """The operations of a run as a bank tells them that numbers nothing."""
    return [
        replace(op, operation=at, version=None, reading=_bare(op)) for at, op in enumerate(run[1])
    ]


def _bare(op: Observation) -> Reading | None:
    return replace(op.reading, sequence=None) if op.reading else None


def any_order_explains(
    wanted: Sequence[tuple[str, int]], state: Exact, left: list[Observation]
) -> bool:
    """Try every order that real time allows, with and without what may not have happened.

    `wanted` is what must be booked in the end, in order.
    """
    certain = [op for op in left if op.outcome is not Outcome.INFO]
    if not certain and [one[2:] for one in state.entries] == wanted:
        return True
    earliest_end = min((op.completed for op in certain), default=inf)
    for op in (op for op in left if op.invoked <= earliest_end):
        following, rest = _after(state, op), [one for one in left if one is not op]
        if following and any_order_explains(wanted, following, rest):
            return True
    return False


def _after(state: Exact, op: Observation) -> Exact | None:
    """The account after `op`, None where `op` cannot have been answered so."""
    if op.kind is Kind.READ:
        reading = replace(state.reading(), sequence=None)
        return state if op.reading == reading else None
    refusals = state.refusals(op)
    if op.outcome is Outcome.FAIL:
        ended = op.code == "above-maximum" and op.subject not in state.held
        return state if op.code in refusals or ended else None
    if refusals:
        return None
    following = state.copy()
    following.do(op)
    return following


@given(histories())
@settings(max_examples=200, deadline=None)
def test_an_order_is_found_wherever_there_was_one(run: Run) -> None:
    assert search(run[0], without_claims(run)).contradictions == []


@given(falsified(), st.sets(st.integers(1, 5), max_size=2))
@settings(max_examples=400, deadline=None)
def test_the_verdict_is_that_of_a_trial_of_every_order(run: Run, unclear: set[int]) -> None:
    ops = [
        replace(op, outcome=Outcome.INFO, code="") if _can_be_unclear(op, unclear) else op
        for op in without_claims(run)
    ]
    wanted = [(one.direction, one.amount_minor) for one in run[0]]
    assert (not search(run[0], ops).contradictions) == any_order_explains(wanted, Exact(), ops)


def _can_be_unclear(op: Observation, unclear: set[int]) -> bool:
    return op.operation in unclear and op.kind is not Kind.READ


def read(at: float, booked: int, held: int = 0, line: int = 0) -> Observation:
    reading = Reading(booked, held, booked - held + line, line, None, None)
    return observed(Kind.READ, at, None, reading=reading)


def explained(
    *ops: Observation, booked: str = "", arrivals: Sequence[Observation] = ()
) -> Explanation:
    """Search where these were booked: amounts with their sign, and the transfer after a colon."""
    entries = []
    for at, told in enumerate(booked.split(), 1):
        amount, _, transfer = told.partition(":")
        direction = "DBIT" if amount.startswith("-") else "CRDT"
        more = {"transfer_id": transfer} if transfer else {}
        entries.append(entry(at, at, direction, abs(int(amount)), **more))
    return search(entries, _numbered(*ops), arrivals)


CREDIT = observed(Kind.CREDIT, 0, None, 10)


def test_a_read_that_misses_what_was_acknowledged_before_is_a_contradiction() -> None:
    assert explained(CREDIT, read(1, 10), booked="10").contradictions == []
    found = explained(CREDIT, read(1, 0), booked="10").contradictions
    assert "no order of 2 operations explains every answer: at most 1" in found[0].text
    assert found[0].operations == (1,)


def test_two_debits_of_the_same_money_are_a_contradiction_at_once_or_not() -> None:
    for later in (1.2, 5):
        debits = [observed(Kind.DEBIT, at, None, 8) for at in (1, later)]
        assert explained(CREDIT, *debits, booked="10 -8 -8").contradictions


def test_a_lost_update_is_a_contradiction() -> None:
    more = [observed(Kind.CREDIT, at, None, 5) for at in (1, 1.1)]
    assert explained(CREDIT, *more, read(2, 20), booked="10 5 5").contradictions == []
    assert explained(CREDIT, *more, read(2, 15), booked="10 5 5").contradictions
    assert explained(CREDIT, *more, read(2, 15), booked="10 5").contradictions


def test_an_entry_that_nobody_asked_for_is_a_contradiction() -> None:
    assert explained(CREDIT, booked="10 3").contradictions
    assert explained(CREDIT, booked="10 3:trf_1").contradictions


def test_what_was_booked_comes_in_the_order_of_the_history() -> None:
    at_once = [observed(Kind.DEBIT, 1, None, amount) for amount in (4, 5)]
    for shown in (6, 5):
        found = explained(CREDIT, *at_once, read(1.2, shown), booked="10 -4 -5")
        assert (found.contradictions == []) is (shown == 6)


def test_a_refusal_that_no_moment_explains_is_a_contradiction() -> None:
    refused = observed(Kind.DEBIT, 1, None, 8, outcome=Outcome.FAIL, code="insufficient-funds")
    done = observed(Kind.DEBIT, 1.2, None, 8)
    assert explained(CREDIT, refused, booked="10").contradictions
    assert explained(CREDIT, refused, done, booked="10 -8").contradictions == []


def test_a_write_without_an_answer_may_have_happened_later_or_never() -> None:
    unclear = observed(Kind.DEBIT, 1, None, 4, outcome=Outcome.INFO)
    assert explained(CREDIT, unclear, read(8, 10), booked="10").contradictions == []
    for shown in (10, 6):
        late = explained(CREDIT, unclear, read(8, shown), booked="10 -4")
        assert late.contradictions == []
    assert explained(CREDIT, unclear, read(8, 6), read(9, 10), booked="10 -4").contradictions


def test_a_transfer_that_was_booked_counts_between_its_request_and_its_end() -> None:
    sent = observed(Kind.TRANSFER, 1, None, 4, subject="trf_1", ended=3.0)
    for at, shown, fine in ((0.7, 10, True), (1.2, 10, True), (1.2, 6, True), (4, 10, False)):
        found = explained(CREDIT, sent, read(at, shown), booked="10 -4:trf_1")
        assert (found.contradictions == []) is fine
    assert explained(CREDIT, sent, booked="10 -4:trf_2").contradictions


def test_a_transfer_without_an_answer_explains_a_leg_of_any_transfer_and_of_nothing_else() -> None:
    sent = observed(Kind.TRANSFER, 1, None, 4, outcome=Outcome.INFO)
    for booked, fine in (("10", True), ("10 -4:trf_1", True), ("10 -4", False)):
        assert (explained(CREDIT, sent, booked=booked).contradictions == []) is fine


def test_a_leg_belongs_to_the_transfer_that_it_names() -> None:
    first, second = (
        observed(Kind.TRANSFER, at, None, 4, subject=f"trf_{at}", ended=at + 1.0) for at in (1, 5)
    )
    assert explained(CREDIT, first, second, booked="10 -4:trf_1 -4:trf_5").contradictions == []
    assert explained(CREDIT, first, second, booked="10 -4:trf_5 -4:trf_1").contradictions
    assert explained(CREDIT, observed(Kind.DEBIT, 1, None, 4), booked="10 -4:trf_9").contradictions


def test_a_transfer_may_hold_its_money_before_it_is_booked() -> None:
    sent = observed(Kind.TRANSFER, 1, None, 4, subject="trf_1", ended=6.0)
    looks = [read(2, 10, held=4), read(7, 6)]
    booked = "10 -4:trf_1"
    assert explained(CREDIT, sent, *looks, booked=booked).contradictions == []
    assert explained(CREDIT, sent, *looks, read(8, 6, held=4), booked=booked).contradictions
    unclear = replace(sent, outcome=Outcome.INFO, subject="", ended=None)
    assert explained(CREDIT, unclear, *looks, booked=booked).contradictions == []


@pytest.mark.parametrize("by_name", [False, True])
def test_a_transfer_that_failed_may_have_held_its_money_and_need_not(by_name: bool) -> None:
    sent = observed(Kind.TRANSFER, 1, None, 4, subject="trf_1", ended=6.0)
    if by_name:
        sent = replace(sent, outcome=Outcome.FAIL, code="account-blocked", completed=6.0)
    refused = observed(Kind.DEBIT, 2, None, 8, outcome=Outcome.FAIL, code="insufficient-funds")
    done = observed(Kind.DEBIT, 2, None, 8)
    assert explained(CREDIT, sent, refused, booked="10").contradictions == []
    assert (
        explained(CREDIT, sent, read(3, 10, held=4), read(7, 10), booked="10").contradictions == []
    )
    assert explained(CREDIT, sent, read(7, 10, held=4), booked="10").contradictions
    assert explained(CREDIT, sent, done, booked="10 -8").contradictions == []
    both = explained(CREDIT, sent, refused, replace(done, invoked=8, completed=9), booked="10 -8")
    assert both.contradictions == []
    assert explained(
        CREDIT, sent, replace(refused, invoked=8, completed=9), booked="10"
    ).contradictions


def test_a_hold_that_ended_explains_nothing_that_came_after_it() -> None:
    sent = observed(Kind.TRANSFER, 1, None, 4, subject="trf_1", ended=6.0)
    rich = [observed(Kind.CREDIT, 0.2, None, 100), observed(Kind.DEBIT, 7, None, 100)]
    refused = observed(Kind.DEBIT, 5, None, 8, outcome=Outcome.FAIL, code="insufficient-funds")
    late = replace(refused, completed=9.0)
    assert explained(CREDIT, *rich, sent, late, booked="10 100 -100").contradictions


def test_what_only_looks_does_not_shut_out_what_may_have_come_before_it() -> None:
    sent = observed(Kind.TRANSFER, 1, None, 4, subject="trf_1", ended=2.0)
    needs_the_hold, looks_later = (
        observed(Kind.DEBIT, at, None, amount, outcome=Outcome.FAIL, code="insufficient-funds")
        for at, amount in ((1.5, 8), (3, 50))
    )
    long = replace(needs_the_hold, completed=5.0)
    assert explained(CREDIT, sent, long, looks_later, booked="10").contradictions == []


@pytest.mark.parametrize("scope", [None, "DEBIT"])
def test_a_freeze_and_its_end_at_once_may_come_in_either_order(scope: str | None) -> None:
    at_once = [
        observed(Kind.FREEZE, 1, None, subject="DEBIT"),
        observed(Kind.UNFREEZE, 1.1, None),
    ]
    shown = observed(Kind.READ, 3, None, reading=Reading(10, 0, 10, 0, scope, None))
    assert explained(CREDIT, *at_once, shown, booked="10").contradictions == []
    first_to_end = replace(at_once[1], completed=1.2)
    debited = observed(Kind.DEBIT, 3, None, 4)
    found = explained(CREDIT, at_once[0], first_to_end, debited, booked="10 -4")
    assert found.contradictions == []


def test_a_transfer_that_came_in_counts_once_it_is_booked() -> None:
    arrived = observed(Kind.CREDIT, 1, None, 4, subject="trf_1")
    for shown, booked, fine in (
        (14, "10 4:trf_1", True),
        (14, "10", False),
        (10, "10", True),
        (14, "10 4", False),
    ):
        found = explained(CREDIT, read(3, shown), booked=booked, arrivals=[arrived])
        assert (found.contradictions == []) is fine


def test_a_transfer_to_the_account_without_an_answer_may_have_come_in() -> None:
    unclear = observed(Kind.CREDIT, 1, None, 4, outcome=Outcome.INFO)
    for booked, fine in (("10", True), ("10 4:trf_1", True), ("10 4", False)):
        found = explained(CREDIT, booked=booked, arrivals=[unclear])
        assert (found.contradictions == []) is fine


def test_a_search_without_budget_decides_nothing() -> None:
    holds = [observed(Kind.HOLD, 1 + at / 100, None, 1, subject=f"h{at}") for at in range(16)]
    wrong = read(1.2, 10, held=17)
    found = search([entry(1, 1, "CRDT", 10)], _numbered(CREDIT, *holds, wrong), nodes_max=500)
    assert found.out_of_budget
    assert found.contradictions == []
    assert found.nodes == 500


def _numbered(*ops: Observation) -> list[Observation]:
    return [replace(op, operation=at) for at, op in enumerate(ops)]


@pytest.mark.parametrize("version", [None, 3])
def test_a_bank_claims_an_order_if_its_strong_reads_do(version: int | None) -> None:
    look = replace(read(1, 10), version=version)
    assert claims_no_order([observed(Kind.CREDIT, 0, 2, 10), look]) is (version is None)
