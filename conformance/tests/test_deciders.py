"""Each small decider against brute force on small inputs, and on the cases it exists for."""

from __future__ import annotations

from collections import Counter
from itertools import accumulate
from math import comb, inf

import pytest
from bank_conformance.bank.shapes import TERMINAL, FeedEvent, Posting
from bank_conformance.deciders.binomial import lower_bound, upper_bound
from bank_conformance.deciders.gapless import breaks, changes
from bank_conformance.deciders.multiplicity import Intent, miscounts
from bank_conformance.deciders.prefix_sums import balances, imbalances, lows
from bank_conformance.deciders.realtime import inversions
from bank_conformance.deciders.sessions import setbacks, successions
from bank_conformance.deciders.stable_latency import (
    Judgement,
    Latency,
    Look,
    decisive,
    latency,
    share,
    worst,
)
from bank_conformance.deciders.state_machine import (
    _NEXT,
    REACHABLE,
    Illegal,
    Sighting,
    illegal_moves,
)
from bank_conformance.history import Outcome
from bank_conformance.model import Kind, Observation
from hypothesis import given
from hypothesis import strategies as st

small = st.integers(0, 4)


# Numbers


@given(st.lists(small, max_size=6))
def test_numbers_are_gapless_exactly_when_they_are_a_range(numbers: list[int]) -> None:
    assert (not breaks(numbers)) == (numbers == list(range(1, len(numbers) + 1)))


def test_a_gap_is_one_break_however_long_the_list_goes_on() -> None:
    assert breaks([1, 2, 5, 6, 7]) == [(2, 3, 5)]


@given(st.lists(small, max_size=5), st.lists(small, max_size=5))
def test_nothing_changed_exactly_when_one_is_a_prefix(a: list[int], b: list[int]) -> None:
    assert (not changes(a, b)) == (a == b[: len(a)] and len(b) >= len(a))


# Prefix sums


def _event(position: int, postings: list[tuple[str, int]]) -> FeedEvent:
    made = [Posting(account, amount, "EUR") for account, amount in postings]
    return FeedEvent(position % 2, position, "acc_1", position, "X", 1, "", {}, made)


@given(
    st.lists(st.lists(st.tuples(st.sampled_from("ab"), st.integers(-3, 3)), max_size=3), max_size=5)
)
def test_the_log_is_balanced_exactly_when_every_prefix_is_zero(
    logged: list[list[tuple[str, int]]],
) -> None:
    events = [_event(number, postings) for number, postings in enumerate(logged)]
    zero = all(
        total == 0
        for partition in (0, 1)
        for total in accumulate(
            sum(posting.amount_minor for posting in event.postings)
            for event in events
            if event.partition == partition
        )
    )
    assert (not imbalances(events)) == zero
    summed = Counter[str]()
    for account, amount in (posting for postings in logged for posting in postings):
        summed[account] += amount
    assert all(balances(events)[account, "EUR"] == amount for account, amount in summed.items())


@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(-2, 0)), max_size=6))
def test_a_low_is_where_a_sum_goes_below_its_floor(told: list[tuple[int, int]]) -> None:
    amounts, floors = [amount for amount, _ in told], [floor for _, floor in told]
    below = [sum(amounts[: n + 1]) < floor for n, floor in enumerate(floors)]
    expected = [n for n, is_below in enumerate(below) if is_below and not (n and below[n - 1])]
    assert [low.place for low in lows(amounts, floors)] == expected


# Multiplicity

outcomes = st.lists(st.sampled_from(list(Outcome)), min_size=1, max_size=3)


@given(st.lists(outcomes, max_size=3), st.lists(small, max_size=6))
def test_a_miscount_is_what_the_answers_do_not_allow(
    answers: list[list[Outcome]], effects: list[int]
) -> None:
    intents = [Intent(mark, tuple(told)) for mark, told in enumerate(answers)]
    wrong = {found.mark for found in miscounts(intents, effects)}
    for mark in range(5):
        times, told = effects.count(mark), answers[mark] if mark < len(answers) else []
        low = int(Outcome.OK in told)
        high = int(Outcome.OK in told or Outcome.INFO in told)
        assert (mark in wrong) == (not low <= times <= high)


# Real time

spans = st.tuples(st.integers(0, 6), st.integers(0, 3))


def _seen(place: int, span: tuple[int, int], version: int, writes: bool) -> Observation:
    at, length = span
    kind = Kind.CREDIT if writes else Kind.READ
    return Observation(place, kind, at, at + length, Outcome.OK, version=version)


@given(st.lists(st.tuples(spans, small, st.booleans()), max_size=6))
def test_an_inversion_is_found_exactly_when_some_pair_is_one(
    told: list[tuple[tuple[int, int], int, bool]],
) -> None:
    items = [_seen(place, *one) for place, one in enumerate(told)]
    inverted = {
        later.operation
        for earlier in items
        for later in items
        if earlier.completed < later.invoked
        and (later.version or 0) < (earlier.version or 0) + (later.kind is Kind.CREDIT)
    }
    assert {found.later.operation for found in inversions(items)} == inverted


@given(st.lists(st.tuples(spans, small, st.booleans(), st.sampled_from("ab")), max_size=6))
def test_a_setback_is_an_inversion_within_one_line(
    told: list[tuple[tuple[int, int], int, bool, str]],
) -> None:
    lines = [
        (line, _seen(place, span, level, writes))
        for place, (span, level, writes, line) in enumerate(told)
    ]
    expected = {
        later.operation
        for one, earlier in lines
        for other, later in lines
        if one == other
        and earlier.completed < later.invoked
        and (later.version or 0) < (earlier.version or 0) + (later.kind is Kind.CREDIT)
    }
    assert {found.later.operation for _, found in setbacks(lines)} == expected
    followed = {
        later.operation
        for one, earlier in lines
        for other, later in lines
        if one == other and earlier.completed < later.invoked
    }
    assert successions(lines) == len(followed)


# The life of a transfer


def _paths(state: str) -> set[str]:
    """Every state on some walk from `state`."""
    return {state}.union(*(_paths(following) for following in _NEXT.get(state, ())))


@pytest.mark.parametrize("state", sorted(REACHABLE))
def test_reachable_states_are_those_on_some_walk(state: str) -> None:
    assert REACHABLE[state] == _paths(state)
    assert state not in TERMINAL or REACHABLE[state] == {state}


def _sighting(at: float, state: str, version: int = 1, length: float = 0.5) -> Sighting:
    return Sighting(at, at + length, state, version, int(at))


def test_states_may_only_move_forward_in_real_time() -> None:
    forward = [_sighting(0, "ACCEPTED"), _sighting(1, "SETTLING", 2), _sighting(2, "COMPLETED", 3)]
    assert illegal_moves(forward) == []
    back = [_sighting(0, "SETTLING", 2), _sighting(1, "ACCEPTED", 3)]
    assert illegal_moves(back) == [Illegal(*back)]
    overlapping = [_sighting(0, "SETTLING", 2, length=2), _sighting(1, "ACCEPTED", 1)]
    assert illegal_moves(overlapping) == []


def test_two_different_ends_are_one_too_many_even_when_they_overlap() -> None:
    ends = [_sighting(0, "COMPLETED", length=3), _sighting(1, "FAILED")]
    assert illegal_moves(ends) == [Illegal(*ends)]


def test_a_version_that_falls_is_illegal() -> None:
    fallen = [_sighting(0, "SETTLING", 4), _sighting(1, "SETTLING", 3)]
    assert illegal_moves(fallen) == [Illegal(*fallen)]


# Stable latency


@given(st.lists(st.tuples(st.integers(0, 30), st.booleans()), min_size=1, max_size=6))
def test_the_interval_holds_every_moment_that_explains_the_looks(
    told: list[tuple[int, bool]],
) -> None:
    at, looks = 0.0, []
    for gap, hit in told:
        at += gap / 10 + 0.1
        looks.append(Look(at, at + 0.05, hit))
        at += 0.05
    found = latency(0.0, looks)
    # Brute force: a moment explains the looks if each look may have happened on its proper side.
    for moment in (step / 100 for step in range(2200)):
        explains = all(
            look.completed >= moment if look.hit else look.invoked < moment for look in looks
        )
        if explains:
            assert found.stable
            assert found.low <= moment <= found.high


def test_a_miss_after_a_hit_is_a_vanishing() -> None:
    looks = [Look(0.1, 0.2, hit=True), Look(0.3, 0.4, hit=False)]
    assert latency(0.0, looks).judge(2.0) is Judgement.VANISHED


@pytest.mark.parametrize(
    ("low", "high", "judgement"),
    [
        (0.0, 2.0, Judgement.MET),
        (1.99, 2.01, Judgement.AMBIGUOUS),
        (2.0, 2.4, Judgement.AMBIGUOUS),
        (2.001, 2.4, Judgement.VIOLATED),
        (0.0, inf, Judgement.AMBIGUOUS),
        (3.9, inf, Judgement.VIOLATED),
    ],
)
def test_only_what_lies_wholly_within_the_bound_meets_it(
    low: float, high: float, judgement: Judgement
) -> None:
    assert Latency(low, high).judge(2.0) is judgement


def test_a_transfer_shows_when_its_later_side_does() -> None:
    assert worst([Latency(0.1, 0.2), Latency(1.0, 1.1)]) == Latency(1.0, 1.1)
    assert not worst([Latency(0.1, 0.2), Latency(1.0, 1.1, stable=False)]).stable


def test_the_deciding_looks_are_the_last_miss_the_first_hit_and_the_vanishing() -> None:
    looks = [
        Look(n, n + 0.5, hit) for n, hit in enumerate((False, False, True, True, False, False))
    ]
    assert [look.invoked for look in decisive(looks)] == [1, 2, 4]
    assert [look.invoked for look in decisive(looks[:2])] == [1]


def test_what_is_not_met_counts_against() -> None:
    judged = share([Latency(0, 1), Latency(1.9, 2.1), Latency(2.5, 2.6)], 2.0)
    assert judged.not_met == 2
    assert judged.violating_share_min(0.95) == lower_bound(1, 3, 0.95)


# The exact binomial


@pytest.mark.parametrize("trials", [1, 10, 600, 3000, 30_000])
def test_zero_violations_support_what_the_closed_form_says(trials: int) -> None:
    assert upper_bound(0, trials, 0.95) == pytest.approx(1 - 0.05 ** (1 / trials), rel=1e-9)
    assert lower_bound(trials, trials, 0.95) == pytest.approx(0.05 ** (1 / trials), rel=1e-9)


def test_zero_in_three_thousand_supports_999_and_in_thirty_thousand_9999() -> None:
    assert upper_bound(0, 3_000, 0.95) < 0.001 < upper_bound(0, 2_990, 0.95)
    assert upper_bound(0, 30_000, 0.95) < 0.0001


@given(st.integers(1, 40).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_bounds_are_where_the_exact_tail_crosses(counted: tuple[int, int]) -> None:
    k, n = counted

    def tail(p: float, counts: range) -> float:
        return sum(comb(n, i) * p**i * (1 - p) ** (n - i) for i in counts)

    high, low = upper_bound(k, n, 0.95), lower_bound(k, n, 0.95)
    assert k == n or tail(high, range(k + 1)) == pytest.approx(0.05, abs=1e-9)
    assert k == 0 or tail(low, range(k, n + 1)) == pytest.approx(0.05, abs=1e-9)
    assert low <= k / n <= high
