"""The verdict: exact limits, and what outranks what."""

from __future__ import annotations

from math import comb

import pytest
from bank_conformance.deciders import binomial
from bank_conformance.deciders.stable_latency import Latency
from bank_simulations.load.measurement import Measurement, Observation
from bank_simulations.load.plan import Planned
from bank_simulations.load.scenario import Claim, Limits
from bank_simulations.load.verdict import (
    Decision,
    Generator,
    Verdict,
    decide,
    lower_limit,
    upper_limit,
)
from hypothesis import given
from hypothesis import strategies as st

IN_TIME, AMBIGUOUS, LATE = Latency(0.1, 0.2), Latency(1.9, 2.1), Latency(2.1, 2.2)
FINE = Generator(lag_p99_seconds=0.001, cpu_max=0.3, dropped_count=0, planned_count=3000)


def planned(number: int = 0) -> Planned:
    return Planned(number, 0.0, "steady", "uniform", 0, 1, 5)


def measured(*, dropped: int = 0, vanished: bool = False, **ends: int) -> Measurement:
    """So many transfers for each kind of end."""
    intervals = {"in_time": IN_TIME, "ambiguous": AMBIGUOUS, "late": LATE, "unresolved": None}
    found = Measurement(2.0)
    for kind, count in ends.items():
        for _ in range(count):
            seen = Observation(planned(), 0.0, ended=intervals[kind], vanished=vanished)
            found.take(seen, 9.0)
    for _ in range(dropped):
        found.drop(planned())
    return found


def verdict(
    found: Measurement, generator: Generator = FINE, *findings: str, claim: Claim | None = None
) -> Verdict:
    return decide(found.total(), claim or Claim(), findings, generator.breaches(Limits()))


@pytest.mark.parametrize(
    ("count", "of", "share"), [(0, 3_000, 0.999), (0, 30_000, 0.9999), (0, 299, 0.99)]
)
def test_zero_violations_support_what_the_literature_says(
    count: int, of: int, share: float
) -> None:
    assert 1.0 - upper_limit(count, of, 0.95) >= share


def test_one_transfer_too_few_does_not() -> None:
    assert 1.0 - upper_limit(0, 2_994, 0.95) < 0.999


@given(st.integers(1, 60), st.data())
def test_limits_are_where_the_binomial_tail_reaches_five_per_cent(
    of: int, data: st.DataObject
) -> None:
    count = data.draw(st.integers(0, of))
    high, low = upper_limit(count, of, 0.95), lower_limit(count, of, 0.95)
    if count < of:
        assert tail(range(count + 1), of, high) == pytest.approx(0.05, rel=1e-6)
    if count > 0:
        assert tail(range(count, of + 1), of, low) == pytest.approx(0.05, rel=1e-6)
    assert low <= count / of <= high


def tail(counts: range, of: int, share: float) -> float:
    return sum(comb(of, each) * share**each * (1 - share) ** (of - each) for each in counts)


def test_zero_of_three_thousand_meets_the_claim() -> None:
    met = verdict(measured(in_time=3_000))
    assert met.decision is Decision.MET
    assert met.share_supported >= 0.999
    assert met.reasons == ()


@pytest.mark.parametrize(("late", "unresolved"), [(1, 0), (0, 1)])
def test_one_sure_violation_violates_a_strict_claim(late: int, unresolved: int) -> None:
    broken = verdict(measured(in_time=2_999, late=late, unresolved=unresolved))
    assert broken.decision is Decision.VIOLATED
    assert broken.broke == 1


@pytest.mark.parametrize("count", [1, 30])
def test_ambiguity_counts_against_but_proves_nothing(count: int) -> None:
    doubtful = verdict(measured(in_time=3_000 - count, ambiguous=count))
    assert doubtful.decision is Decision.INCONCLUSIVE
    assert doubtful.broke == 0


def test_too_few_transfers_decide_nothing() -> None:
    assert verdict(measured(in_time=1_000)).decision is Decision.INCONCLUSIVE


@pytest.mark.parametrize(
    ("late", "decision"),
    [(0, Decision.MET), (1, Decision.INCONCLUSIVE), (30, Decision.VIOLATED)],
)
def test_a_lenient_claim_is_about_the_share_alone(late: int, decision: Decision) -> None:
    claim = Claim(strict=False)
    assert verdict(measured(in_time=3_000 - late, late=late), claim=claim).decision is decision


def test_dropped_arrivals_count_against() -> None:
    few = verdict(measured(in_time=2_997, dropped=3))
    assert (few.transfers, few.undecided) == (3_000, 3)
    assert few.decision is Decision.INCONCLUSIVE


@pytest.mark.parametrize(
    "generator",
    [
        Generator(0.0101, 0.3, 0, 3000),
        Generator(0.001, 0.91, 0, 3000),
        Generator(0.001, 0.3, 4, 3000),
    ],
)
def test_a_generator_that_fell_behind_makes_the_run_invalid(generator: Generator) -> None:
    invalid = verdict(measured(in_time=2_990, late=10), generator)
    assert invalid.decision is Decision.INVALID
    assert len(invalid.reasons) == 2


def test_wrong_books_violate_even_an_invalid_run() -> None:
    slow = Generator(0.5, 0.3, 0, 3000)
    assert verdict(measured(in_time=3_000), slow, "a balance is off").decision is Decision.VIOLATED
    vanished = measured(in_time=3_000, vanished=True)
    assert verdict(vanished, slow).decision is Decision.VIOLATED


def test_nothing_measured_decides_nothing() -> None:
    assert verdict(measured()).decision is Decision.INCONCLUSIVE


def test_exit_codes_are_the_published_ones() -> None:
    codes = {decision.value: decision.exit_code for decision in Decision}
    assert codes == {"met": 0, "violated": 1, "inconclusive": 3, "invalid": 4}


def test_a_process_that_died_makes_the_run_invalid_and_says_which() -> None:
    died = Generator(0.0, 0.0, 0, 1000, process=2, died="ended with code -9")
    invalid = verdict(measured(in_time=3_000), died)
    assert invalid.decision is Decision.INVALID
    assert invalid.reasons == ("generator process 2 ended with code -9: its part is missing",)


@given(st.integers(1, 400), st.data(), st.sampled_from([0.9, 0.95, 0.99]))
def test_the_limits_are_those_of_the_conformance_suite(
    of: int, data: st.DataObject, confidence: float
) -> None:
    count = data.draw(st.integers(0, of))
    assert upper_limit(count, of, confidence) == pytest.approx(
        binomial.upper_bound(count, of, confidence), rel=1e-9
    )
    assert lower_limit(count, of, confidence) == pytest.approx(
        binomial.lower_bound(count, of, confidence), rel=1e-9
    )
