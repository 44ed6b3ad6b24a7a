"""Charts of the benchmark: bars side by side, each round on them, and lines over a log's size."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from bank_simulations.bench.table import quantity

from .charts import Chart, log_axis

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, NAME_WIDTH, FIGURE_WIDTH = 860.0, 290.0, 90.0
ROW, BAR, TOP = 26.0, 14.0, 6.0
SIZE = re.compile(r"^(?P<what>.+) at (?P<size>[0-9,]+) events(?P<rest>.*)$")
OURS = "bank"

Figure = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart, and the names of its lines where it has several."""

    svg: Markup
    names: Sequence[str] = ()


def charts(group: str, figures: Sequence[Figure]) -> list[Drawing]:
    """All drawings of a group: none for costs, which have no common scale but their tables."""
    if group == "growth":
        return _growth(figures)
    if group in {"cost", "queries"}:
        return []
    return [Drawing(Markup(bars(figures)))]  # noqa: S704 - escaped there


def bars(figures: Sequence[Figure]) -> str:
    """A bar for each median on a common scale, and a tick for each round."""
    highest = max(max(figure["rounds"]) for figure in figures) or 1.0
    height = TOP + ROW * len(figures)
    rows = [_row(figure, TOP + ROW * number, highest) for number, figure in enumerate(figures)]
    head = f'<svg viewBox="0 0 {WIDTH:.0f} {height:.0f}" role="img" aria-label="Medians">'
    return head + "".join(rows) + "</svg>"


def _row(figure: Figure, top: float, highest: float) -> str:
    scale = (WIDTH - NAME_WIDTH - FIGURE_WIDTH) / highest
    css = "ours" if figure["name"].startswith(OURS) else "peer"
    middle = top + BAR - 3
    end = NAME_WIDTH + figure["median"] * scale
    label = escape(quantity(figure["median"], figure["unit"]))
    ticks = "".join(
        f'<line class="tick-round" x1="{NAME_WIDTH + each * scale:.1f}" '
        f'x2="{NAME_WIDTH + each * scale:.1f}" y1="{top - 2:.1f}" y2="{top + BAR + 2:.1f}"/>'
        for each in figure["rounds"]
    )
    furthest = NAME_WIDTH + max(figure["rounds"]) * scale
    return (
        f'<text x="{NAME_WIDTH - 8:.0f}" y="{middle:.1f}" text-anchor="end">'
        f"{escape(figure['name'])}</text>"
        f'<rect class="bar {css}" x="{NAME_WIDTH:.0f}" y="{top:.1f}" '
        f'width="{max(1.0, end - NAME_WIDTH):.1f}" height="{BAR:.0f}"/>'
        f'{ticks}<text x="{furthest + 6:.1f}" y="{middle:.1f}">{label}</text>'
    )


def _growth(figures: Sequence[Figure]) -> list[Drawing]:
    """Each figure over the events in the log: rates in one drawing, latencies in another."""
    lines: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for figure in figures:
        parts = SIZE.match(figure["name"])
        if parts is None or parts["rest"]:
            continue
        size = float(parts["size"].replace(",", ""))
        points = lines.setdefault(figure["unit"], {}).setdefault(parts["what"], [])
        points.append((size, figure["median"]))
    return [_over_sizes(unit, named) for unit, named in lines.items()]


def _over_sizes(unit: str, named: dict[str, list[tuple[float, float]]]) -> Drawing:
    every = [point for points in named.values() for point in points]
    sizes, values = [size for size, _ in every], [value for _, value in every]
    x = log_axis("events in the log", min(sizes), max(sizes), lambda size: f"{size:,.0f}")
    y = log_axis("", min(values), max(values), lambda value: quantity(value, unit))
    chart = Chart("Over the size of the log", x, y)
    for css, points in enumerate(named.values()):
        chart.line(points, f"series-{css}")
        chart.dots(points, f"series-{css}")
    return Drawing(Markup(chart.svg()), list(named))  # noqa: S704 - escaped there
