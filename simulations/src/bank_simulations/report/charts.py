"""Small charts as SVG: two axes, a few lines, rules across them. Colours come from the page.

Drawn on the server, so that a report is one file that needs neither a network nor a script.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

WIDTH, HEIGHT = 860.0, 280.0
LEFT, RIGHT, TOP, BOTTOM = 64.0, 18.0, 22.0, 44.0
TICKS_MAX = 7
LABEL_GAP = 8.0
MARK_LABEL_MAX = 28

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Axis:
    """A direction with its label; `scale` maps values to anything that grows evenly."""

    label: str
    low: float
    high: float
    ticks: Sequence[tuple[float, str]]
    scale: Callable[[float], float] = float

    def share(self, value: float) -> float:
        """Where on the axis the value lies, from 0 to 1; what is beyond is put at the end."""
        low, high = self.scale(self.low), self.scale(self.high)
        at = (self.scale(min(max(value, self.low), self.high)) - low) / ((high - low) or 1.0)
        return min(1.0, max(0.0, at))


def linear_axis(label: str, high: float, unit: str = "") -> Axis:
    """From 0 to a round figure at or above `high`."""
    step = _round_step(high / (TICKS_MAX - 1))
    count = max(1, math.ceil(high / step - 1e-9))
    return Axis(label, 0.0, count * step, _ticks(step, count, unit))


def time_axis(label: str, high: float) -> Axis:
    """From 0 to `high` seconds exactly: an empty stretch would look like a pause."""
    step = _round_step(high / (TICKS_MAX - 1))
    return Axis(label, 0.0, high, _ticks(step, math.floor(high / step + 1e-9), " s"))


def log_axis(label: str, low: float, high: float, text: Callable[[float], str]) -> Axis:
    """Decades, from the one at or below `low` to the one at or above `high`."""
    first = math.floor(math.log10(low) + 1e-9)
    last = max(first + 1, math.ceil(math.log10(high) - 1e-9))
    ticks = [(10.0**power, text(10.0**power)) for power in range(first, last + 1)]
    return Axis(label, 10.0**first, 10.0**last, ticks, math.log10)


def nines_axis(label: str, nines: int) -> Axis:
    """Shares from 0 to 99.9… %, each further nine as far as the one before."""
    shares = [0.0, 0.5, *(1 - 10.0**-power for power in range(1, nines + 1))]
    ticks = [(share, f"{share * 100:.6g} %") for share in shares]
    return Axis(label, 0.0, shares[-1], ticks, lambda share: -math.log10(1 - share))


@dataclass
class Chart:
    """A drawing under construction; the class of each piece is styled by the page."""

    title: str
    x: Axis
    y: Axis
    height: float = HEIGHT
    _pieces: list[str] = field(default_factory=list)

    def line(self, points: Sequence[Point], css: str) -> None:
        """Join the points."""
        path = " L".join(f"{self._left(x):.1f} {self._top(y):.1f}" for x, y in points)
        if path:
            self._pieces.append(f'<path class="line {css}" d="M{path}"/>')

    def dots(self, points: Sequence[Point], css: str) -> None:
        """A dot at each point."""
        self._pieces.extend(
            f'<circle class="dot {css}" cx="{self._left(x):.1f}" cy="{self._top(y):.1f}" r="2.2"/>'
            for x, y in points
        )

    def bars(self, points: Sequence[Point], width: float, css: str) -> None:
        """A bar from the bottom to each point, `width` wide on the x axis."""
        floor = self._top(self.y.low)
        for x, y in points:
            left, top = self._left(x), self._top(y)
            wide = max(1.0, self._left(x + width) - left - 0.6)
            self._pieces.append(
                f'<rect class="bar {css}" x="{left:.1f}" y="{top:.1f}" width="{wide:.1f}" '
                f'height="{max(0.0, floor - top):.1f}"/>'
            )

    def across(self, y: float, label: str, css: str) -> None:
        """A rule at one height, such as a limit."""
        top = self._top(y)
        self._pieces.append(
            f'<line class="rule {css}" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{top:.1f}" '
            f'y2="{top:.1f}"/><text class="note {css}" x="{WIDTH - RIGHT - 4}" '
            f'y="{top - 5:.1f}" text-anchor="end">{escape(label)}</text>'
        )

    def shade(self, begin: float, end: float, label: str, css: str) -> None:
        """A band from top to bottom, such as the time a fault lasted; it lies behind the rest."""
        left = self._left(begin)
        width = max(1.0, self._left(end) - left)
        self._pieces.insert(
            0,
            f'<rect class="shade {css}" x="{left:.1f}" y="{TOP}" width="{width:.1f}" '
            f'height="{self.height - BOTTOM - TOP:.1f}"><title>{escape(label)}</title></rect>',
        )

    def upright(self, x: float, label: str, css: str) -> None:
        """A rule at one place, such as a fault; its label stays inside the chart."""
        left = self._left(x)
        short = label if len(label) <= MARK_LABEL_MAX else label[: MARK_LABEL_MAX - 1] + "…"
        inside, anchor = (5, "start") if left < WIDTH * 0.7 else (-5, "end")
        self._pieces.append(
            f'<line class="rule {css}" x1="{left:.1f}" x2="{left:.1f}" y1="{TOP}" '
            f'y2="{self.height - BOTTOM}"/><text class="note {css}" x="{left + inside:.1f}" '
            f'y="{TOP + 10}" text-anchor="{anchor}">{escape(short)}'
            f"<title>{escape(label)}</title></text>"
        )

    def svg(self) -> str:
        """The drawing."""
        return (
            f'<svg viewBox="0 0 {WIDTH:.0f} {self.height:.0f}" role="img" '
            f'aria-label="{escape(self.title)}">'
            + "".join([*self._grid(), *self._pieces, *self._labels()])
            + "</svg>"
        )

    def _left(self, x: float) -> float:
        return LEFT + self.x.share(x) * (WIDTH - LEFT - RIGHT)

    def _top(self, y: float) -> float:
        return self.height - BOTTOM - self.y.share(y) * (self.height - TOP - BOTTOM)

    def _grid(self) -> list[str]:
        """Lines and figures at the ticks."""
        bottom = self.height - BOTTOM
        pieces = []
        for value, text in self.y.ticks:
            top = self._top(value)
            pieces.append(
                f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{top:.1f}" '
                f'y2="{top:.1f}"/><text class="tick" x="{LEFT - LABEL_GAP}" y="{top + 4:.1f}" '
                f'text-anchor="end">{escape(text)}</text>'
            )
        for value, text in self.x.ticks:
            left = self._left(value)
            pieces.append(
                f'<line class="grid" x1="{left:.1f}" x2="{left:.1f}" y1="{bottom}" '
                f'y2="{bottom + 5}"/><text class="tick" x="{left:.1f}" y="{bottom + 18}" '
                f'text-anchor="middle">{escape(text)}</text>'
            )
        return pieces

    def _labels(self) -> list[str]:
        """What the axes mean."""
        right, bottom = WIDTH - RIGHT, self.height - 8
        below = f'x="{right}" y="{bottom}" text-anchor="end">{escape(self.x.label)}'
        above = f'x="0" y="12">{escape(self.y.label)}'
        return [f'<text class="axis" {place}</text>' for place in (below, above)]


def _ticks(step: float, count: int, unit: str) -> list[tuple[float, str]]:
    return [(number * step, f"{number * step:,.6g}{unit}") for number in range(count + 1)]


def _round_step(least: float) -> float:
    """The smallest of 1, 2, 5, 10, 20 … that is at least `least`."""
    if least <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(least))
    return next(power * each for each in (1, 2, 5, 10) if power * each >= least - 1e-12)
