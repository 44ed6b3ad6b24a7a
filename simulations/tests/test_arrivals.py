"""The schedule: drawn from a seed, at the right rate, step after step."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import pytest
from bank_simulations.load.arrivals import schedule
from bank_simulations.load.plan import HOT, plan
from bank_simulations.load.scenario import Accounts, Scenario, Step
from hypothesis import given
from hypothesis import strategies as st

Kind = Literal["poisson", "uniform"]


def scenario(*steps: Step, kind: Kind = "poisson", seed: int = 1) -> Scenario:
    return Scenario(title="a test", arrivals=kind, seed=seed, steps=steps)


@given(seed=st.integers(), count=st.integers(1, 500), kind=st.sampled_from(["poisson", "uniform"]))
def test_the_same_seed_gives_the_same_schedule_of_the_wanted_length(
    seed: int, count: int, kind: Kind
) -> None:
    wanted = scenario(Step(rate=100.0, transfers=count), kind=kind, seed=seed)
    arrivals = schedule(wanted)
    assert arrivals == schedule(wanted)
    assert len(arrivals) == count
    times = [arrival.at_seconds for arrival in arrivals]
    assert times == sorted(times)
    assert times[0] > 0.0


def test_another_seed_gives_another_schedule() -> None:
    step = Step(rate=100.0, transfers=10)
    assert schedule(scenario(step, seed=1)) != schedule(scenario(step, seed=2))


def test_poisson_gaps_have_mean_and_deviation_of_one_over_the_rate() -> None:
    times = [each.at_seconds for each in schedule(scenario(Step(rate=50.0, transfers=20_000)))]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    mean = sum(gaps) / len(gaps)
    deviation = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
    assert mean == pytest.approx(0.02, rel=0.03)
    assert deviation == pytest.approx(0.02, rel=0.05)


def test_uniform_arrivals_are_evenly_spaced() -> None:
    times = [
        each.at_seconds for each in schedule(scenario(Step(rate=4.0, seconds=2.0), kind="uniform"))
    ]
    assert times == [0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0]


def test_steps_follow_each_other() -> None:
    calm, burst = (
        Step(name="calm", rate=10.0, seconds=3.0),
        Step(name="burst", rate=99.0, seconds=1),
    )
    arrivals = schedule(scenario(calm, burst))
    assert {arrival.step for arrival in arrivals if arrival.at_seconds <= 3.0} == {"calm"}
    assert {arrival.step for arrival in arrivals if arrival.at_seconds > 3.0} == {"burst"}
    assert arrivals[-1].at_seconds <= 4.0


def test_a_share_of_the_capacity_becomes_a_rate() -> None:
    wanted = scenario(Step(rate_of_capacity=0.5, seconds=1.0), kind="uniform")
    assert len(schedule(wanted, capacity=80.0)) == 40


@given(seed=st.integers(), hot_share=st.sampled_from([0.0, 0.3, 1.0]))
def test_payer_and_payee_differ_and_stay_in_their_group(seed: int, hot_share: float) -> None:
    accounts = Accounts(count=6, hot_count=3, hot_share=hot_share)
    arrivals = schedule(scenario(Step(rate=10.0, transfers=50), seed=seed))
    for planned in plan(arrivals, accounts, seed):
        hot = planned.group == HOT
        assert planned.source != planned.target
        assert (planned.source < 3) == hot
        assert (planned.target < 3) == hot
        assert 1 <= planned.amount_minor <= accounts.amount_max_minor


def test_hot_accounts_get_their_share() -> None:
    accounts = Accounts(count=10, hot_count=2, hot_share=0.25)
    planned = plan(schedule(scenario(Step(rate=10.0, transfers=4_000))), accounts, 1)
    assert sum(each.group == HOT for each in planned) == pytest.approx(1_000, abs=120)
