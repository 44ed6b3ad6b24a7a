"""The report of a load run: a manager can read it, an engineer can check it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from markupsafe import Markup

from bank_simulations.load.measurement import Histogram
from bank_simulations.load.summary import (
    asides,
    decision,
    duration,
    explanation,
    floor_percent,
    percent,
)

from .charts import Axis, Chart, Point, linear_axis, log_axis, nines_axis, time_axis
from .templates import template

FASTEST_SECONDS = 0.001
NINES_MAX = 5
CDF_POINTS = 200
LOW = 190
SERIES = (("worst", "worst"), ("p99", "p99"), ("p50", "median"))
MODELS = ("source", "target")


def render(document: dict[str, Any]) -> str:
    """The page, in one piece; `document` is what `bank-simulations load --json` writes."""
    page = template("load.html.j2", duration=duration, percent=percent, floor_percent=floor_percent)
    return page.render(
        run=document,
        decision=decision(document),
        explanation=explanation(document),
        asides=list(asides(document)),
        charts=charts(document),
    )


def charts(document: dict[str, Any]) -> dict[str, Markup]:
    """All drawings of the page, by name; none where nothing was started."""
    if not document["timeline"]:
        return {}
    drawn = {
        "latency": _latency(document),
        "distribution": _distribution(document),
        "throughput": _throughput(document),
        "behind": _behind(document),
        "lag": _lag(document),
    }
    groups = _groups(document)
    if len(groups) > 1:
        drawn["groups"] = _cdf_chart("Hot and other accounts", document, groups)
    if "search" in document:
        drawn["probes"] = _probes(document)
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
    total = document["total"]
    parts = {name: [total[name]] for name in ("answered", "visible")}
    return _cdf_chart("Distribution of latencies", document, parts)


def _groups(document: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The latencies of hot and of other accounts, of all steps."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for part in document["parts"]:
        groups.setdefault(part["group"], []).append(part["visible"])
    return groups


def _cdf_chart(
    title: str, document: dict[str, Any], parts: dict[str, list[dict[str, Any]]]
) -> Chart:
    """How many were how fast, a line for each part; the bound stands across."""
    bound = document["scenario"]["claim"]["bound_seconds"]
    nines = min(NINES_MAX, max(2, len(str(document["total"]["visible"]["count"])) - 1))
    curves = {name: _cdf(histograms, nines) for name, histograms in parts.items()}
    ends = [seconds for curve in curves.values() for seconds, _ in curve]
    fastest = max(FASTEST_SECONDS, min(ends, default=FASTEST_SECONDS))
    x = _duration_axis("took at most", fastest, max(bound * 1.5, *ends))
    chart = Chart(title, x, nines_axis("of transfers", nines))
    for css, curve in curves.items():
        chart.line(curve, css)
    chart.upright(bound, f"the bound: {bound:g} s", "limit")
    return chart


def _cdf(parts: list[dict[str, Any]], nines: int) -> list[Point]:
    """Seconds and the share that took no longer; denser towards the slowest."""
    histogram = Histogram()
    for part in parts:
        histogram.add(Histogram.decode(part["hdr"]))
    beyond = [10 ** (-nines * step / CDF_POINTS) for step in range(CDF_POINTS + 1)]
    return [(histogram.percentile_seconds(100 * (1 - tail)), 1 - tail) for tail in beyond]


def _lag(document: dict[str, Any]) -> Chart:
    slots = document["timeline"]
    limit = document["scenario"]["limits"]["lag_p99_seconds_max"] * 1e3
    points = [(slot["at"], slot["lag_worst"] * 1e3) for slot in slots]
    high = max(limit * 1.5, *(lag for _, lag in points))
    chart = Chart("Schedule lag", _time(slots), linear_axis("worst", high, " ms"), LOW)
    chart.line(points, "lag")
    chart.dots(points, "lag")
    chart.across(limit, f"p99 may be {limit:g} ms", "limit")
    return chart


def _throughput(document: dict[str, Any]) -> Chart:
    slots, timeline = document["throughput"], document["timeline"]
    width = _slot_seconds(slots)
    due = [(slot["at"], slot["due"]) for slot in slots]
    finished = [(slot["at"] + width / 2, slot["finished"]) for slot in slots]
    against = [(slot["at"], slot["against"] / width) for slot in timeline if slot["against"]]
    high = max(rate for _, rate in [*due, *finished])
    chart = Chart("Offered and finished", _time(slots), linear_axis("per second", high), LOW)
    chart.bars(due, width, "due")
    chart.bars(against, width, "against")
    chart.line(finished, "finished")
    _mark(chart, document)
    return chart


def _behind(document: dict[str, Any]) -> Chart:
    """How far each read model was behind the bank's answers."""
    slots = document["timeline"]
    lines = {
        name: [
            (slot["at"], slot["behind"][name]["worst"]) for slot in slots if slot["behind"][name]
        ]
        for name in MODELS
    }
    delays = [delay for line in lines.values() for _, delay in line]
    low, high = max(FASTEST_SECONDS, min(delays, default=0.0)), max(delays, default=1.0)
    axis = _duration_axis("", low, max(high * 1.2, low * 10))
    chart = Chart("How far read models were behind", _time(slots), axis, LOW)
    for name, line in lines.items():
        chart.line(line, name)
        chart.dots(line, name)
    _mark(chart, document)
    return chart


def _probes(document: dict[str, Any]) -> Chart:
    """Every probe of a search: its rate and its 99th percentile, by what it decided."""
    bound, probes = document["scenario"]["claim"]["bound_seconds"], document["search"]["probes"]
    slowest = max(bound, *(probe["p99"] for probe in probes))
    fastest = max(FASTEST_SECONDS, min(probe["p99"] for probe in probes))
    rates = linear_axis("transfers per second", max(probe["rate"] for probe in probes))
    chart = Chart("Probes", rates, _duration_axis("p99", fastest, slowest * 1.2), LOW)
    for probe in probes:
        chart.dots([(probe["rate"], probe["p99"])], probe["decision"])
    chart.across(bound, f"the bound: {bound:g} s", "limit")
    return chart


def _mark(chart: Chart, document: dict[str, Any]) -> None:
    """Events with the time they lasted, and behind them the time until all was as before."""
    recovered = {each["ended_at_seconds"]: each["seconds"] for each in document["recoveries"]}
    for mark in document["marks"]:
        until = mark["until_seconds"]
        if seconds := recovered.get(until):
            chart.shade(until, until + seconds, f"recovery: {seconds:.1f} s", "recovery")
        chart.shade(mark["at_seconds"], until, mark["label"], "fault")
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
