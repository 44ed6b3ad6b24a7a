"""The search end to end, with runs that answer for a bank of known capacity."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from bank_conformance.deciders.stable_latency import Latency
from bank_simulations.load import find_rate as search
from bank_simulations.load.capacity import Capacity
from bank_simulations.load.measurement import Measurement, Observation
from bank_simulations.load.plan import Planned
from bank_simulations.load.result import Run
from bank_simulations.load.scenario import Claim, Scenario, Step
from bank_simulations.load.summary import headline
from bank_simulations.load.verdict import Generator, decide
from bank_simulations.report.load_page import render

CLAIM = Claim(share=0.9, steps=("steady",))
SCENARIO = Scenario(title="a test", claim=CLAIM, steps=(Step(rate=1.0, seconds=1.0),))

Bank = Callable[[float, int], tuple[float, float]]


def answers(bank: Bank, rates: list[float] | None = None) -> Callable[[Scenario], Run]:
    """Runs of a bank that says how long a transfer takes, how late it starts, by rate and seed."""

    def load(scenario: Scenario) -> Run:
        (step,) = scenario.steps
        (rates if rates is not None else []).append(step.rate or 0.0)
        took, lag = bank(step.rate or 0.0, scenario.seed)
        measured = Measurement(scenario.claim.bound_seconds)
        for number in range(40):
            planned = Planned(number, number / 10, step.name, "uniform", 0, 1, 5)
            measured.take(Observation(planned, lag, 0.01, ended=Latency(took, took)), 9.0)
        generator = Generator(lag, 0.1, 0, 40)
        breaches = generator.breaches(scenario.limits)
        return Run(
            name="steady",
            scenario=scenario,
            url="http://127.0.0.1:1",
            run="run",
            started_at=datetime(2026, 11, 23, tzinfo=UTC),
            measured=measured,
            generators=[generator],
            verdict=decide(measured.total(), scenario.claim, breaches=breaches),
            capacity=Capacity(100.0, ()) if step.rate_of_capacity else None,
        )

    return load


def test_the_rate_is_found_confirmed_and_said() -> None:
    bank = answers(lambda rate, _: (0.1 if rate <= 77 else 3.0, 0.001))
    found = search.find_rate(SCENARIO, bank, 0.1)
    assert found.rate is not None
    assert found.rate <= 77 < (found.stopped or 0) <= found.rate * 1.1
    assert found.exit_code == 0
    assert [probe["what"] for probe in found.probes].count("confirmation") == 1
    document = found.document()
    assert headline(document).startswith(f"The bound holds up to {found.rate:,.1f} transfers")
    assert "did not hold" in headline(document)
    assert render(document).count("<td>probe</td>") == len(found.probes) - 1


def test_an_invalid_run_is_repeated_and_never_counts_as_held() -> None:
    rates: list[float] = []
    bank = answers(lambda rate, _: (0.1, 0.001 if rate <= 60 else 0.5), rates)
    found = search.find_rate(SCENARIO, bank, 0.5)
    assert found.rate is not None
    assert found.rate <= 60
    assert found.limited_by_generator
    assert rates.count(found.stopped or 0.0) == search.INVALID_RUNS_MAX
    assert "could not be measured" in headline(found.document())


def test_a_rate_that_is_not_confirmed_is_not_the_answer() -> None:
    seen: dict[float, int] = {}

    def bank(rate: float, _: int) -> tuple[float, float]:
        seen[rate] = seen.get(rate, 0) + 1
        lucky = rate > 60 and seen[rate] == 1 and rate <= 90
        return (0.1 if rate <= 60 or lucky else 3.0), 0.001

    found = search.find_rate(SCENARIO, answers(bank), 0.2)
    assert found.rate is None or found.rate <= 60
    confirmations = [each for each in found.probes if each["what"] == "confirmation"]
    assert confirmations[0]["decision"] == "violated"


@pytest.mark.parametrize(("lag", "code"), [(0.001, 3), (0.5, 4)])
def test_a_bank_at_which_nothing_holds_has_no_rate(lag: float, code: int) -> None:
    found = search.find_rate(SCENARIO, answers(lambda _rate, _seed: (3.0, lag)), 0.5)
    assert found.rate is None
    assert found.exit_code == code
    assert headline(found.document()).startswith("The bound held at no rate that was tried.")


def test_each_run_has_arrivals_of_its_own() -> None:
    seeds: list[int] = []

    def bank(rate: float, seed: int) -> tuple[float, float]:
        seeds.append(seed)
        return (0.1 if rate <= 77 else 3.0), 0.001

    search.find_rate(SCENARIO, answers(bank), 0.1)
    assert len(set(seeds[1:])) == len(seeds) - 1
