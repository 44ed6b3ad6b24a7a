"""The claimed-order replay and the real-time sweep agree with a search over all orders."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest
from bank_conformance.bank.shapes import Entry
from bank_conformance.deciders.claimed_order import replay
from bank_conformance.deciders.realtime import Windows
from bank_conformance.history import Outcome
from bank_conformance.model import Kind, Observation
from brute import Exact, explains
from builders import entry
from hypothesis import given, settings
from hypothesis import strategies as st

COMMANDS_MAX = 6
amounts = st.integers(1, 12)
spans = st.floats(0.1, 2.5)


Run = tuple[list[Entry], list[Observation]]


@st.composite
def histories(draw: st.DrawFn) -> Run:
    """A run of a correct account, each operation with an interval around its moment."""
    state, holds = Exact(), ["hold 0"]
    opening = Observation(0, Kind.OPEN, -9, -8, Outcome.OK, amount=draw(st.sampled_from([0, 5])))
    observations = [_answered(state, opening, holds)]
    for moment in range(1, draw(st.integers(1, COMMANDS_MAX))):
        op = draw(_commands(moment, holds))
        if op.subject == "hold 0":
            continue
        observations.append(_answered(state, op, holds))
    return [entry(*booked) for booked in state.entries], observations


@st.composite
def _commands(draw: st.DrawFn, moment: int, holds: list[str]) -> Observation:
    kind = draw(st.sampled_from([k for k in Kind if k not in {Kind.OPEN, Kind.TRANSFER}]))
    subject = {
        Kind.CAPTURE: draw(st.sampled_from(holds)),
        Kind.RELEASE: draw(st.sampled_from(holds)),
        Kind.HOLD: f"hold {len(holds)}",
        Kind.FREEZE: draw(st.sampled_from(["DEBIT", "CREDIT", "ALL"])),
    }.get(kind, "")
    began, ended = moment - draw(spans), moment + draw(spans)
    return Observation(
        moment, kind, began, ended, Outcome.OK, amount=draw(amounts), subject=subject
    )


def _answered(state: Exact, op: Observation, holds: list[str]) -> Observation:
    if op.kind is Kind.READ:
        return replace(op, reading=state.reading(), version=state.version)
    if refusals := state.refusals(op):
        code = min(refusals)
        return replace(op, outcome=Outcome.FAIL, code=code, version=state.version)
    state.do(op)
    if op.kind is Kind.HOLD:
        holds.append(op.subject)
    return replace(op, version=state.version)


@st.composite
def falsified(draw: st.DrawFn) -> Run:
    """Such a run with one answer told wrongly."""
    entries, observations = draw(histories())
    place = draw(st.integers(0, len(observations) - 1))
    lie = draw(st.sampled_from([_shift_version, _flip, _change_reading, _change_amount]))
    observations[place] = lie(observations[place])
    return entries, observations


def _shift_version(op: Observation) -> Observation:
    return replace(op, version=(op.version or 0) + 1)


def _flip(op: Observation) -> Observation:
    """Say that a debit was refused that was done, or the other way round."""
    if op.kind not in {Kind.DEBIT, Kind.HOLD}:
        return op
    if op.outcome is Outcome.OK:
        before = (op.version or 0) - 1
        return replace(op, outcome=Outcome.FAIL, code="insufficient-funds", version=before)
    return replace(op, outcome=Outcome.OK, code="", version=(op.version or 0) + 1)


def _change_reading(op: Observation) -> Observation:
    return replace(op, reading=replace(op.reading, held=op.reading.held + 1)) if op.reading else op


def _change_amount(op: Observation) -> Observation:
    return replace(op, amount=op.amount + 1)


@given(histories())
@settings(max_examples=200, deadline=None)
def test_a_correct_account_is_never_contradicted(run: Run) -> None:
    assert replay(*run) == []


@given(falsified())
@settings(max_examples=700, deadline=None)
def test_the_verdict_is_that_of_a_search_over_all_orders(run: Run) -> None:
    assert (not replay(*run)) == explains(*run)


def observed(
    kind: Kind, at: float, version: int | None, amount: int = 0, **more: object
) -> Observation:
    given = {"outcome": Outcome.OK} | more
    return Observation(0, kind, at, at + 0.5, version=version, amount=amount, **given)  # type: ignore[arg-type]


def test_a_debit_beyond_what_is_available_is_a_contradiction() -> None:
    entries = [entry(2, 1, "CRDT", 10), entry(3, 2, "DBIT", 8), entry(4, 3, "DBIT", 8)]
    ops = [
        observed(Kind.CREDIT, 0, 2, 10),
        observed(Kind.DEBIT, 1, 3, 8),
        observed(Kind.DEBIT, 1.2, 4, 8),
    ]
    assert "8 was taken where at most 2 was available" in replay(entries, ops)[0].text


def test_a_transfer_on_its_way_may_hold_its_money_and_need_not() -> None:
    entries = [entry(2, 1, "CRDT", 10), entry(5, 2, "DBIT", 6, transfer_id="trf_1")]
    transfer = observed(Kind.TRANSFER, 1, None, 6, subject="trf_1", ended=9.0)
    # While it is on its way, a debit of 8 may be refused and one of 4 must not be.
    for amount, fine in ((8, True), (4, False)):
        refused = observed(
            Kind.DEBIT, 1.1, 3, amount, outcome=Outcome.FAIL, code="insufficient-funds"
        )
        found = replay(entries, [observed(Kind.CREDIT, 0, 2, 10), transfer, refused])
        assert (found == []) is fine


def test_a_hold_acknowledged_before_a_read_must_show_in_it() -> None:
    entries = [entry(2, 1, "CRDT", 10), entry(9, 2, "DBIT", 6, transfer_id="trf_1")]
    credit = observed(Kind.CREDIT, 0, 2, 10)
    transfer = observed(Kind.TRANSFER, 1, None, 6, subject="trf_1", ended=9.0)
    exact = Exact(booked=10, sequence=1)
    read = observed(Kind.READ, 2, 3, reading=exact.reading())
    assert "held 0, expected 6" in replay(entries, [credit, transfer, read])[0].text
    held = Exact(booked=10, sequence=1, held={"trf_1": 6})
    read = observed(Kind.READ, 2, 3, reading=held.reading())
    assert replay(entries, [credit, transfer, read]) == []


def test_a_write_without_an_answer_may_have_happened_or_not() -> None:
    credit = observed(Kind.CREDIT, 0, 2, 10)
    unclear = observed(Kind.DEBIT, 1, None, 4, outcome=Outcome.INFO)
    booked = [entry(2, 1, "CRDT", 10), entry(3, 2, "DBIT", 4)]
    assert replay(booked, [credit, unclear]) == []
    assert replay(booked[:1], [credit, unclear]) == []
    twice = [*booked, entry(4, 3, "DBIT", 4)]
    assert "nobody asked for it" in replay(twice, [credit, unclear])[0].text


def test_an_entry_that_nobody_asked_for_is_a_contradiction() -> None:
    found = replay([entry(2, 1, "CRDT", 10)], [])
    assert [one.text for one in found] == [
        "entry 1 (CRDT 10) was booked, and nobody asked for it",
    ]


def test_a_transfer_may_not_take_an_account_below_its_limit_but_a_lower_limit_may() -> None:
    credit = observed(Kind.CREDIT, 0, 2, 10)
    entries = [entry(2, 1, "CRDT", 10), entry(3, 2, "DBIT", 12, transfer_id="trf_1")]
    transfer = observed(Kind.TRANSFER, 1, None, 12, subject="trf_1", ended=9.0)
    assert "below its limit" in replay(entries, [credit, transfer])[0].text
    raised = observed(Kind.CREDIT_LINE, 0.6, 3, 5)
    lowered = observed(Kind.CREDIT_LINE, 9, 5, 1)
    later = [entries[0], entry(4, 2, "DBIT", 12, transfer_id="trf_1")]
    assert replay(later, [credit, raised, transfer, lowered]) == []


def test_an_acknowledgement_without_a_version_is_a_contradiction() -> None:
    found = replay([entry(2, 1, "CRDT", 10)], [observed(Kind.CREDIT, 0, None, 10)])
    assert "name no account version" in found[0].text


def test_a_failing_history_ends_with_what_contradicts_and_begins_after_the_last_agreement() -> None:
    exact = Exact(booked=10, sequence=1, version=2)
    ops = [
        replace(observed(Kind.CREDIT, 0, 2, 10), operation=0),
        replace(observed(Kind.READ, 1, 2, reading=exact.reading()), operation=1),
        replace(observed(Kind.HOLD, 2, 3, 7, subject="h"), operation=2),
        replace(observed(Kind.HOLD, 3, 4, 7, subject="i"), operation=3),
    ]
    assert replay([entry(2, 1, "CRDT", 10)], ops)[0].operations == (1, 2, 3)


@pytest.mark.parametrize("seconds", [0.0, 2.0])
def test_windows_are_what_real_time_leaves(seconds: float) -> None:
    ops = [observed(Kind.CREDIT, at, version, 1) for at, version in ((0, 2), (1, 3), (2, 4))]
    windows = Windows(ops)
    assert windows.after(seconds) == (0 if seconds == 0.0 else 3)
    assert windows.before(seconds) == (2 if seconds == 0.0 else inf)
