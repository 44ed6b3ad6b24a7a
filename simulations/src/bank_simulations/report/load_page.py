"""The report of a load run: a manager can read it, an engineer can check it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bank_simulations.load.measurement import Histogram
from bank_simulations.load.summary import (
    DECISIONS,
    duration,
    explanation,
    floor_percent,
    percent,
)

from .charts import Axis, Chart, Point, linear_axis, log_axis, nines_axis, time_axis

FASTEST_SECONDS = 0.001
NINES_MAX = 5
CDF_POINTS = 200
SERIES = (("worst", "worst"), ("p99", "p99"), ("p50", "median"))


def render(document: dict[str, Any]) -> str:
    """The page, in one piece; `document` is what `bank-simulations load --json` writes."""
    environment = Environment(
        loader=PackageLoader("bank_simulations", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(duration=duration, percent=percent, floor_percent=floor_percent)
    return environment.get_template("load.html.j2").render(
        run=document,
        decision=DECISIONS[document["verdict"]["decision"]],
        explanation=explanation(document),
        charts=charts(document),
    )


def charts(document: dict[str, Any]) -> dict[str, Markup]:
    """All drawings of the page, by name; none where nothing was started."""
    if not document["timeline"]:
        return {}
    drawn = {
        "latency": _latency(document),
        "distribution": _distribution(document),
        "lag": _lag(document),
        "arrivals": _arrivals(document),
    }
    return {name: Markup(chart.svg()) for name, chart in drawn.items()}  # noqa: S704 - escaped


def _latency(document: dict[str, Any]) -> Chart:
    slots, bound = document["timeline"], document["scenario"]["claim"]["bound_seconds"]
    slowest = max(bound, *(slot["worst"] for slot in slots))
    fastest = max(FASTEST_SECONDS, min(slot["p50"] for slot in slots))
    chart = Chart("Latency over time", _time(slots), _duration_axis("", fastest, slowest * 1.2))
    for name, css in SERIES:
        points = [(slot["at"], slot[name]) for slot in slots]
        chart.line(points, css)
        chart.dots(points, css)
    chart.across(bound, f"the bound: {bound:g} s", "limit")
    for step in document["steps"][1:]:
        chart.upright(step["at"], step["name"], "step")
    _mark(chart, document)
    return chart


def _distribution(document: dict[str, Any]) -> Chart:
    total, bound = document["total"], document["scenario"]["claim"]["bound_seconds"]
    nines = min(NINES_MAX, max(2, len(str(total["visible"]["count"])) - 1))
    curves = {name: _cdf(total[name], nines) for name in ("answered", "visible")}
    ends = [seconds for curve in curves.values() for seconds, _ in curve]
    fastest = max(FASTEST_SECONDS, min(ends, default=FASTEST_SECONDS))
    x = _duration_axis("took at most", fastest, max(bound * 1.5, *ends))
    chart = Chart("Distribution of latencies", x, nines_axis("of transfers", nines))
    for css, curve in curves.items():
        chart.line(curve, css)
    chart.upright(bound, f"the bound: {bound:g} s", "limit")
    return chart


def _cdf(part: dict[str, Any], nines: int) -> list[Point]:
    """Seconds and the share that took no longer; denser towards the slowest."""
    histogram = Histogram.decode(part["hdr"])
    beyond = [10 ** (-nines * step / CDF_POINTS) for step in range(CDF_POINTS + 1)]
    return [(histogram.percentile_seconds(100 * (1 - tail)), 1 - tail) for tail in beyond]


def _lag(document: dict[str, Any]) -> Chart:
    slots = document["timeline"]
    limit = document["scenario"]["limits"]["lag_p99_seconds_max"] * 1e3
    points = [(slot["at"], slot["lag_worst"] * 1e3) for slot in slots]
    high = max(limit * 1.5, *(lag for _, lag in points))
    chart = Chart("Schedule lag", _time(slots), linear_axis("worst", high, " ms"), height=190)
    chart.line(points, "lag")
    chart.dots(points, "lag")
    chart.across(limit, f"p99 may be {limit:g} ms", "limit")
    return chart


def _arrivals(document: dict[str, Any]) -> Chart:
    slots = document["timeline"]
    width = _slot_seconds(slots)
    due = [(slot["at"], slot["count"] / width) for slot in slots]
    against = [(slot["at"], slot["against"] / width) for slot in slots if slot["against"]]
    high = max(rate for _, rate in due)
    chart = Chart("Arrivals", _time(slots), linear_axis("per second", high), height=190)
    chart.bars(due, width, "due")
    chart.bars(against, width, "against")
    _mark(chart, document)
    return chart


def _mark(chart: Chart, document: dict[str, Any]) -> None:
    for mark in document["marks"]:
        chart.upright(mark["at_seconds"], mark["label"], "mark")


def _time(slots: list[dict[str, Any]]) -> Axis:
    return time_axis("seconds since the start", slots[-1]["at"] + _slot_seconds(slots))


def _slot_seconds(slots: list[dict[str, Any]]) -> float:
    gaps = [later["at"] - slot["at"] for slot, later in pairwise(slots)]
    return min(gaps, default=1.0)


def _duration_axis(label: str, low: float, high: float) -> Axis:
    return log_axis(label, low, high, _duration)


def _duration(seconds: float) -> str:
    return f"{seconds:g} s" if seconds >= 1 else f"{seconds * 1e3:g} ms"
