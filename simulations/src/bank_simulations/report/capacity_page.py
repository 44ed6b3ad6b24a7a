"""The report of a capacity study: what was measured, what the model says, and where it is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from bank_simulations.capacity import tables
from bank_simulations.capacity.figures import ANSWERED, P50, P99, PER_SECOND
from bank_simulations.capacity.predict import WITHIN
from bank_simulations.capacity.usl import Usl
from bank_simulations.load.summary import duration, percent

from .charts import Axis, Chart, Point, linear_axis, log_axis
from .templates import template

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bank_simulations.capacity.documents import Fit, Measured, Study

CURVE_POINTS = 60
BAND = (0.05, 0.95)
FASTEST_SECONDS = 0.001
WORDS = {
    PER_SECOND: "rate",
    P50: "median",
    P99: "p99",
    ANSWERED: "answer",
    "batch_commands": "batch",
    "append_seconds": "append",
    "cpu_api": "API CPU",
    "cpu_worker": "worker CPU",
    "cpu_database": "db CPU",
    "cpu_observer": "gen. CPU",
}
OFF_MAX = 0.6


class BandChart(Chart):
    """A chart that can also fill the room between two lines, and say how far a point may be off."""

    def band(self, low: Sequence[Point], high: Sequence[Point], css: str) -> None:
        """Fill between two lines."""
        around = [*low, *reversed(high)]
        path = " L".join(f"{self._left(x):.1f} {self._top(y):.1f}" for x, y in around)
        self._pieces.append(f'<path class="band {css}" d="M{path} Z"/>')

    def whisker(self, x: float, low: float, high: float, css: str) -> None:
        """A stroke from `low` to `high`."""
        self.line([(x, low), (x, high)], f"whisker {css}")


def render(study: Study) -> str:
    """The page, in one piece."""
    missed = [each for each in study.predictions if abs(each.error) > WITHIN]
    page = template("capacity.html.j2", duration=duration, percent=percent)
    return page.render(
        study=study,
        fit=study.require_fit(),
        missed=missed,
        tables=tables,
        charts={name: Markup(chart.svg()) for name, chart in charts(study).items()},  # noqa: S704 - escaped
    )


def charts(study: Study) -> dict[str, Chart]:
    """All drawings, by name."""
    fit = study.require_fit()
    drawn: dict[str, Chart] = {}
    if any(each.setting.kind == "open" for each in study.sweep.measured):
        drawn["latency"] = _latency(study, fit)
    drawn["law"] = _law(study, fit)
    drawn["residuals"] = _residuals(fit)
    return drawn


def _latency(study: Study, fit: Fit) -> Chart:
    """Measured and modelled latency over the arrival rate."""
    points = [each for each in study.sweep.measured if each.setting.kind == "open"]
    slowest = max(each.visible.p99 for each in points)
    fastest = max(FASTEST_SECONDS, min(each.visible.p50 for each in points))
    rate = linear_axis("arrivals per second", max(each.setting.offered for each in points))
    chart = BandChart("Latency", rate, log_axis("", fastest, slowest, duration))
    for figure, css, pick in (
        (P50, "median", lambda each: each.visible.p50),
        (P99, "p99", lambda each: each.visible.p99),
    ):
        chart.line(_modelled(study, fit, figure), css)
        _dots(chart, points, pick, css)
    for each in study.predictions:
        if each.figure == P99:
            at = each.setting.offered
            chart.whisker(at, each.predicted.low, each.predicted.high, "held")
    return chart


def _modelled(study: Study, fit: Fit, figure: str) -> list[Point]:
    """The model at the settings it was fitted to, and where it predicted."""
    known = {
        each.setting.offered: each.modelled
        for each in fit.residuals
        if each.figure == figure and each.setting.kind == "open"
    }
    known.update(
        (each.setting.offered, each.predicted.value)
        for each in study.predictions
        if each.figure == figure and each.setting.kind == "open"
    )
    return sorted(known.items())


def _dots(
    chart: Chart, points: Sequence[Measured], pick: Callable[[Measured], float], css: str
) -> None:
    """What was measured: held out, invalid, or seen by the fit."""
    for each in points:
        held = "held" if each.setting.held_out else css
        kind = "invalid" if each.invalid else held
        chart.dots([(each.setting.offered, pick(each))], kind)


def _law(study: Study, fit: Fit) -> Chart:
    """Throughput over the number in flight: measured, the law, and its band."""
    points = [each for each in study.sweep.measured if each.setting.kind == "closed"]
    most = max((each.setting.offered for each in points), default=1.0)
    at = [1 + (most - 1) * step / CURVE_POINTS for step in range(CURVE_POINTS + 1)]
    best = Usl(*(fit.usl[name].value for name in ("alone_per_second", "contention", "coherency")))
    spread = [sorted(Usl(*draw).per_second(x) for draw in fit.usl_draws) for x in at]
    low, high = ([each[int(share * (len(each) - 1))] for each in spread] for share in BAND)
    top = max([*high, *(each.per_second for each in points)])
    chart = BandChart(
        "Scalability law", linear_axis("in flight", most), linear_axis("per second", top)
    )
    chart.band(list(zip(at, low, strict=True)), list(zip(at, high, strict=True)), "median")
    chart.line([(x, best.per_second(x)) for x in at], "median")
    _dots(chart, points, lambda each: each.per_second, "median")
    return chart


def _residuals(fit: Fit) -> Chart:
    """How far the model is off, figure by figure."""
    names = list(dict.fromkeys(each.figure for each in fit.residuals))
    ticks = [(float(number), WORDS.get(name, name)) for number, name in enumerate(names)]
    across = Axis("", -0.5, len(names) - 0.5, ticks)
    shares = [(-0.5, "-50 %"), (-0.25, "-25 %"), (0.0, "0"), (0.25, "+25 %"), (0.5, "+50 %")]
    chart = BandChart("Residuals", across, Axis("model off", -OFF_MAX, OFF_MAX, shares))
    chart.across(0.0, "", "step")
    for each in fit.residuals:
        off = each.modelled / each.measured - 1
        chart.dots([(float(names.index(each.figure)), off)], "median")
    return chart
