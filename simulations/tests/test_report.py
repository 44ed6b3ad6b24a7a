"""The report: one file, true to the run, and safe whatever the run was told."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from typing import Any

import pytest
from bank_simulations.load.events import Mark
from bank_simulations.load.interval import Interval
from bank_simulations.load.measurement import Measurement, Observation
from bank_simulations.load.plan import Planned
from bank_simulations.load.result import Run, timeline
from bank_simulations.load.scenario import Scenario, Step
from bank_simulations.load.summary import ceil_percent, duration, floor_percent, headline
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
        interval = Interval(seconds - 0.01, seconds)
        seen = Observation(planned, 0.001, 0.01, seen={"source": interval}, ended=interval)
        measured.take(seen, 9.0)
    generator = Generator(0.001, cpu, 0, count)
    return Run(
        name="test",
        scenario=scenario,
        url="http://127.0.0.1:1",
        run="load-1",
        started_at=datetime(2026, 11, 23, tzinfo=UTC),
        measured=measured,
        generator=generator,
        verdict=decide(measured, scenario.claim, scenario.limits, generator, []),
        capacity=None,
        marks=[Mark(3.0, HOSTILE)],
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
    assert page.count("<svg") == 4


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
