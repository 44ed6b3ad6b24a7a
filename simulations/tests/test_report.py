"""The report: one file, true to the run, and safe whatever the run was told."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from typing import Any

import pytest
from bank_conformance.deciders.stable_latency import Latency
from bank_simulations.load.events import Mark
from bank_simulations.load.measurement import Measurement, Observation
from bank_simulations.load.plan import Planned
from bank_simulations.load.result import Run
from bank_simulations.load.scenario import Scenario, Step
from bank_simulations.load.summary import (
    ceil_percent,
    duration,
    floor_percent,
    headline,
    saturation,
)
from bank_simulations.load.timeline import throughput, timeline
from bank_simulations.load.verdict import Generator, decide
from bank_simulations.report.charts import Chart, linear_axis, log_axis, nines_axis, time_axis
from bank_simulations.report.load_page import charts, render
from hypothesis import given
from hypothesis import strategies as st

HOSTILE = '<script>alert(1)</script> & "quotes"'


def document(late: int = 0, count: int = 3_000, cpu: float = 0.3) -> dict[str, Any]:
    """A run of which `late` transfers surely broke the bound."""
    scenario = Scenario(title=HOSTILE, steps=(Step(rate=100.0, transfers=count),))
    measured = Measurement(2.0)
    for number in range(count):
        planned = Planned(number, number / 100, "steady", "uniform", 0, 1, 5)
        seconds = 2.5 if number < late else 0.03
        interval = Latency(seconds - 0.01, seconds)
        seen = Observation(planned, 0.001, 0.01, seen={"source": interval}, ended=interval)
        measured.take(seen, 9.0)
    generator = Generator(0.001, cpu, 0, count)
    claim, breaches = scenario.claim, generator.breaches(scenario.limits)
    return Run(
        name="test",
        scenario=scenario,
        url="http://127.0.0.1:1",
        run="load-1",
        started_at=datetime(2026, 11, 23, tzinfo=UTC),
        measured=measured,
        generators=[generator],
        verdict=decide(measured.total(), claim, breaches=breaches),
        marks=[Mark(3.0, HOSTILE, 4.0)],
    ).document()


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (document(), "The bound held. 3,000 of 3,000 transfers"),
        (document(late=3), "The bound was broken. Of 3,000 transfers: 3 late."),
        (document(count=500), "The run decides nothing. 500 transfers support 99.402"),
        (document(cpu=0.95), "The run is invalid. The load generator was measured"),
    ],
)
def test_the_verdict_is_said_in_words(found: dict[str, Any], said: str) -> None:
    assert headline(found).replace("\N{NO-BREAK SPACE}", " ").startswith(said)
    assert found["verdict"]["decision"] in render(found)


def test_the_page_needs_nothing_but_itself() -> None:
    page = render(document())
    assert not re.search(r"<(script|link|img|iframe|object)|src=|@import|url\(", page)
    assert page.count("<svg") == 5


def test_what_the_run_was_told_stays_text() -> None:
    page = render(document())
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_a_run_in_which_nothing_was_started_still_makes_a_page() -> None:
    empty = document()
    empty["timeline"] = []
    assert charts(empty) == {}
    assert "<svg" not in render(empty)


def test_every_chart_is_well_formed() -> None:
    for drawn in charts(document(late=3)).values():
        assert ET.fromstring(str(drawn)).tag == "svg"  # noqa: S314 - our own drawing


def test_the_time_line_loses_no_transfer() -> None:
    slots = document(late=7)["timeline"]
    assert sum(slot["count"] for slot in slots) == 3_000
    assert sum(slot["against"] for slot in slots) == 7
    assert slots[0]["worst"] == 2.5
    assert len(slots) <= 121


def test_an_empty_time_line_has_no_slots() -> None:
    assert timeline([]) == []
    assert throughput([]) == []


def test_what_is_offered_and_finished_adds_up_also_after_the_last_arrival() -> None:
    slots = document(late=3_000, count=1_000)["throughput"]
    width = slots[1]["at"] - slots[0]["at"]
    assert sum(slot["due"] for slot in slots) * width == pytest.approx(1_000)
    assert sum(slot["finished"] for slot in slots) * width == pytest.approx(1_000)
    assert slots[-1]["due"] == 0.0
    assert slots[-1]["finished"] > 0.0
    assert slots[0]["finished"] == 0.0


def test_a_ramp_says_at_which_rate_the_bound_stopped_holding() -> None:
    def step(name: str, rate: float, decision: str) -> dict[str, Any]:
        return {"name": name, "rate": rate, "verdict": {"decision": decision}}

    calm, half, over = step("a", 30, "met"), step("b", 50, "met"), step("c", 120, "violated")
    assert saturation([calm, half, over]) == (
        "The bound held up to 50 transfers/s (b); it was broken at 120 transfers/s (c)."
    )
    held = "The bound held up to 50 transfers/s (b), the highest rate offered."
    assert saturation([step("0", 10, "met"), calm, half]) == held
    blind = step("c", 120, "invalid")
    assert "could not be measured at 120" in str(saturation([calm, half, blind]))
    assert saturation([calm, over, half]) is None  # a burst is no ramp
    assert saturation([calm, over]) is None


def test_a_page_with_everything_shows_everything() -> None:
    found = document(late=3)
    part = {"fates": {"in time": 3}, "visible": found["total"]["visible"]}
    read = {"kind": "balance", "count": 9, "late": 1, "failed": 0, "decision": "violated"}
    found["phases"] = [{"phase": "baseline", **part}]
    found["reads"] = [{**read, "took": part["visible"], "bound_seconds": 1.0}]
    found["reads_missing"] = ["statement"]
    found["recoveries"] = [{"label": HOSTILE, "ended_at_seconds": 4.0, "seconds": 1.5}]
    found["parts"].append({**found["parts"][0], "group": "hot"})
    probe = {"what": "probe", "rate": 30.0, "transfers": 9, "against": 0, "decision": "met"}
    times = {"p50": 0.02, "p99": 0.03, "worst": 0.04, "reasons": [HOSTILE]}
    found["search"] = {
        "rate": 30.0,
        "stopped": 33.0,
        "limited_by_generator": False,
        "resolution": 0.1,
        "probes": [{**probe, **times}],
    }
    page = render(found)
    assert page.count("<svg") == 7
    assert "<script" not in page
    for said in (
        "were as fast as before within 1.5 s",
        "does not offer",
        "Before, during and after",
    ):
        assert said in page
    assert "<td>balance</td><td>9</td>" in page
    assert "up to 30.0 transfers a second; at 33.0 it did not hold" in page


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.01234, "12.3 ms"), (0.1234, "123 ms"), (1.9994, "1.999 s"), (1234.5, "1,234.500 s")],
)
def test_a_duration_is_said_as_people_read_it(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@given(st.floats(0.0, 1.0))
def test_shares_are_rounded_to_the_side_that_claims_less(share: float) -> None:
    low, high = (float(text[:-2]) for text in (floor_percent(share), ceil_percent(share)))
    assert low <= share * 100 + 1e-9
    assert high >= share * 100 - 1e-9
    assert high - low <= 0.00101


@given(st.floats(1e-6, 1e6), st.floats(0.0, 1.0))
def test_axes_keep_every_value_inside(high: float, share: float) -> None:
    value = high * share
    for axis in (linear_axis("", high), time_axis("", high), log_axis("", high / 10, high, str)):
        assert 0.0 <= axis.share(value) <= 1.0
        ticks = [axis.share(tick) for tick, _ in axis.ticks]
        assert ticks == sorted(ticks)
    assert nines_axis("", 3).share(share) <= nines_axis("", 3).share(1.0) == 1.0


def test_an_axis_of_nines_gives_each_nine_the_same_room() -> None:
    axis = nines_axis("", 3)
    nines = [axis.share(share) for share in (0.0, 0.9, 0.99, 0.999)]
    assert nines == pytest.approx([0.0, 1 / 3, 2 / 3, 1.0])


def test_a_line_without_points_draws_nothing() -> None:
    chart = Chart("", linear_axis("x", 1.0), linear_axis("y", 1.0))
    chart.line([], "x")
    assert "<path" not in chart.svg()
