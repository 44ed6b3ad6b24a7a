"""The search: between what held and what did not, never fooled by a run that decided nothing."""

from __future__ import annotations

import pytest
from bank_simulations.load.scenario import Claim
from bank_simulations.load.search import RATE_MIN, Search, probe_seconds, transfers_needed
from bank_simulations.load.verdict import Decision, upper_limit
from hypothesis import given
from hypothesis import strategies as st

MET, VIOLATED, INVALID = Decision.MET, Decision.VIOLATED, Decision.INVALID


def run(search: Search, limit: float, beyond: Decision = VIOLATED) -> int:
    """Answer for a bank whose claim holds up to `limit`; how many runs it took."""
    for runs in range(100):
        if (rate := search.next_rate()) is None:
            return runs
        search.learn(rate, MET if rate <= limit else beyond)
    raise AssertionError("the search does not end")


@given(st.floats(1.0, 10_000.0), st.floats(1.0, 10_000.0), st.sampled_from([0.02, 0.1, 0.5]))
def test_the_answer_is_within_the_resolution(guess: float, limit: float, resolution: float) -> None:
    search = Search(guess, resolution)
    runs = run(search, limit)
    assert search.held is not None
    assert search.stopped is not None
    assert search.held <= limit < search.stopped <= search.held * (1 + resolution)
    assert runs <= 25


@given(st.floats(1.0, 10_000.0))
def test_a_bank_that_never_holds_is_given_up(guess: float) -> None:
    search = Search(guess, 0.1)
    run(search, 0.0)
    assert search.held is None
    assert search.stopped is not None
    assert search.stopped < 2 * RATE_MIN or search.stopped == guess


@pytest.mark.parametrize("nothing", [INVALID, Decision.INCONCLUSIVE])
def test_a_run_that_decided_nothing_never_counts_as_held(nothing: Decision) -> None:
    search = Search(10.0, 0.1)
    run(search, 55.0, beyond=nothing)
    assert search.held is not None
    assert search.held <= 55.0


def test_a_rate_that_held_once_and_not_again_did_not_hold() -> None:
    search = Search(100.0, 0.1)
    run(search, 130.0)
    once = search.held
    assert once is not None
    search.learn(once, VIOLATED)
    assert search.stopped == once
    assert search.held is not None
    assert search.held < once
    search.learn(search.held, INVALID)
    run(search, 0.0)
    assert search.held == 100.0  # the one rate that held whenever it was tried


@given(st.sampled_from([0.9, 0.99, 0.999]), st.sampled_from([0.9, 0.95, 0.99]))
def test_a_probe_has_as_many_transfers_as_the_claim_needs_and_no_fewer(
    share: float, confidence: float
) -> None:
    needed = transfers_needed(Claim(share=share, confidence=confidence))
    assert upper_limit(0, needed, confidence) <= 1 - share
    assert upper_limit(0, needed - 1, confidence) > 1 - share


def test_a_probe_is_long_enough_for_what_is_too_much_to_pile_up() -> None:
    claim = Claim(bound_seconds=2.0, share=0.9)
    assert probe_seconds(10_000.0, claim, 0.05) == 40.0  # 5 % of 40 s are the bound
    assert probe_seconds(1.0, claim, 0.5) == pytest.approx(29 * 1.1)  # 29 are needed
