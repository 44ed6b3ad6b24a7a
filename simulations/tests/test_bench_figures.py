"""The benchmark's arithmetic, against values computed by hand."""

from __future__ import annotations

import pytest
from bank_simulations.bench.figures import Figure, Measured, Ratio, Usage, per_transfer, ratio
from bank_simulations.bench.inside.loads import permille
from bank_simulations.bench.marks import MARKS, judge
from bank_simulations.bench.table import costs, quantity


def figure(name: str, rounds: list[float], group: str = "transfers", unit: str = "/s") -> Figure:
    return Figure(group, name, "for a test", unit, rounds)


def verdicts(*figures: Figure) -> dict[str, str]:
    found = {mark["claim"]: mark["verdict"] for mark in judge(figures)}
    return {claim: verdict for claim, verdict in found.items() if verdict != "not measured"}


def test_a_figure_is_the_median_of_its_rounds_and_the_spread_is_a_share_of_it() -> None:
    seen = figure("a", [90.0, 130.0, 100.0])
    assert (seen.median, seen.spread) == (100.0, 0.4)


def test_a_ratio_is_of_medians_and_its_ends_are_of_rounds_that_took_turns() -> None:
    ours, theirs = figure("ours", [200.0, 300.0, 330.0]), figure("theirs", [100.0, 200.0, 110.0])
    found = ratio(ours, theirs)
    assert found is not None
    assert found.value == pytest.approx(300 / 110)
    assert (found.low, found.high) == pytest.approx((1.5, 3.0))


def test_rounds_of_different_numbers_are_compared_each_with_each() -> None:
    assert ratio(figure("ours", [10.0, 20.0]), figure("theirs", [5.0])) == Ratio(3.0, 2.0, 4.0)


def test_there_is_no_ratio_to_nothing() -> None:
    assert ratio(figure("ours", [1.0]), figure("theirs", [0.0])) is None


def test_a_rate_is_what_was_done_by_the_seconds_it_took() -> None:
    assert Measured(count=300, seconds=1.5).rate == 200.0


def test_what_a_run_used_is_divided_by_what_it_completed() -> None:
    runs = [
        Measured(100, 1.0, Usage({"service": 0.5, "postgres": 0.2}, {"WAL": 1_000})),
        Measured(200, 1.0, Usage({"service": 0.8, "postgres": 0.4}, {"WAL": 1_000})),
    ]
    cpu = per_transfer(runs, "cpu_seconds")
    assert cpu["service"] == pytest.approx([0.005, 0.004])
    assert cpu["postgres"] == pytest.approx([0.002, 0.002])
    assert per_transfer(runs, "disk_bytes") == {"WAL": [10.0, 5.0]}


def test_percentiles_are_values_that_were_seen() -> None:
    values = [float(number) for number in range(1, 1_001)]
    assert [permille(values, at) for at in (500, 990, 999)] == [500.0, 990.0, 999.0]
    assert permille([7.0], 999) == 7.0
    assert permille([], 500) == 0.0


def test_a_mark_is_met_at_its_very_value_and_missed_below_it() -> None:
    pgbench = figure("pgbench TPC-B", [100.0])
    at_it, below = figure("bank in-process", [200.0]), figure("bank in-process", [199.0])
    claim = "in-process transfers / pgbench TPC-B"
    assert verdicts(at_it, pgbench) == {claim: "met"}
    assert verdicts(below, pgbench) == {claim: "missed"}


def test_a_mark_with_an_upper_bound_is_missed_above_it() -> None:
    name, claim = "over HTTP at 50 %, p99", "visible at 50 % of capacity, over HTTP, p99"
    assert verdicts(figure(name, [0.050], "visibility", "s")) == {claim: "met"}
    assert verdicts(figure(name, [0.051], "visibility", "s")) == {claim: "missed"}


def test_a_mark_without_both_figures_is_not_measured() -> None:
    assert verdicts(figure("bank in-process", [200.0])) == {}


def test_every_mark_has_one_bound() -> None:
    assert all((mark.at_least is None) != (mark.at_most is None) for mark in MARKS)


def test_what_a_transfer_costs_on_disk_adds_up_its_tables() -> None:
    wal = {"of": "bank", "component": "log of the database (WAL)"}
    figures = [
        {"unit": "bytes", "median": 6_000.0, "settings": wal},
        {"unit": "bytes", "median": 700.0, "settings": {"of": "bank", "component": "table a"}},
        {"unit": "bytes", "median": 500.0, "settings": {"of": "bank", "component": "table b"}},
    ]
    components, rows = costs({"figures": figures}, "bytes")
    assert components == ["tables", "log of the database (WAL)"]
    assert rows == {"bank": {"tables": "1.2 kB", "log of the database (WAL)": "6.0 kB"}}


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (12_345.6, "/s", "12,346/s"),
        (0.0123, "s", "12.3 ms"),
        (0.000_456, "CPU s", "456 us"),
        (2.5, "s", "2.50 s"),
        (1_234_567, "bytes", "1.2 MB"),
        (0.7, "", "0.70"),
    ],
)
def test_quantities_read_well(value: float, unit: str, text: str) -> None:
    assert quantity(value, unit) == text
