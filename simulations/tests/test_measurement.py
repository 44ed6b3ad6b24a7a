"""Measurements of several processes add up to what one would have measured."""

from __future__ import annotations

from bank_conformance.deciders.stable_latency import Latency
from bank_simulations.load.measurement import Fate, Histogram, Measurement, Observation
from bank_simulations.load.plan import Planned
from hypothesis import given
from hypothesis import strategies as st

durations = st.lists(st.floats(0.0, 100.0), max_size=50)


def observation(number: int, seconds: float) -> Observation:
    step, group = ("calm", "hot") if number % 3 else ("burst", "uniform")
    planned = Planned(number, float(number), step, group, 0, 1, 5)
    interval = Latency(max(0.0, seconds - 0.05), seconds)
    return Observation(
        planned,
        started_seconds=seconds / 1000,
        answered_seconds=seconds / 2,
        refusal="insufficient-funds" if number % 7 == 0 else None,
        seen={"source": interval},
        ended=None if number % 11 == 0 else interval,
        attempts=1,
        looks=number,
    )


@given(durations, st.integers(1, 4))
def test_shares_of_several_processes_add_up_to_the_whole(
    seconds: list[float], processes: int
) -> None:
    whole = Measurement(2.0)
    shares = [Measurement(2.0) for _ in range(processes)]
    for number, each in enumerate(seconds):
        whole.take(observation(number, each), 200.0)
        shares[number % processes].take(observation(number, each), 200.0)
    added = Measurement(2.0)
    for share in shares:
        added.add(share)
    assert added.total().fates == whole.total().fates
    assert added.total().refusals == whole.total().refusals
    assert added.total().ended.encode() == whole.total().ended.encode()
    assert added.lag.encode() == whole.lag.encode()
    assert sorted(added.points, key=str) == sorted(whole.points, key=str)
    assert added.tallies.keys() == whole.tallies.keys()


@given(durations)
def test_a_histogram_survives_its_encoding(seconds: list[float]) -> None:
    histogram = Histogram()
    for each in seconds:
        histogram.record(each)
    again = Histogram.decode(histogram.encode())
    assert again.count == len(seconds)
    assert again.percentile_seconds(99) == histogram.percentile_seconds(99)
    assert again.worst_seconds == histogram.worst_seconds


@given(st.floats(0.001, 3000.0))
def test_a_duration_is_kept_to_three_figures(seconds: float) -> None:
    histogram = Histogram()
    histogram.record(seconds)
    assert abs(histogram.percentile_seconds(50) - seconds) <= seconds / 1000 + 1e-6


def test_what_was_not_resolved_counts_with_the_time_it_was_waited_for() -> None:
    measured = Measurement(2.0)
    measured.take(Observation(Planned(0, 0.0, "calm", "hot", 0, 1, 5), 0.0), 6.0)
    assert measured.total().fates == {Fate.UNRESOLVED: 1}
    assert abs(measured.total().ended.worst_seconds - 6.0) < 0.01
