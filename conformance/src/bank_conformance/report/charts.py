"""The drawings of the report, as SVG that needs nothing else."""

from __future__ import annotations

from math import log10
from typing import Any
from xml.sax.saxutils import escape

WIDTH = 900
LANE, LABEL, BAR = 26, 150, 14
BINS = 48
CHART_HEIGHT, AXIS = 150, 34
TICKS_MS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)


def timeline(history: list[dict[str, Any]]) -> str:
    """Draw calls as bars, a lane for each session: who overlapped whom."""
    sessions = list(dict.fromkeys(call["session"] for call in history))
    end = max(call["completed_ms"] for call in history) or 1.0
    height = LANE * len(sessions) + AXIS
    scale = (WIDTH - LABEL - 20) / end
    parts = [_lane(index, name) for index, name in enumerate(sessions)]
    for number, call in enumerate(history, start=1):
        top = sessions.index(call["session"]) * LANE + (LANE - BAR) / 2
        parts.append(_bar(call, number, LABEL + call["invoked_ms"] * scale, top, scale))
    parts += [_tick(LABEL + end * part * scale, end * part, height) for part in (0, 0.45, 0.9)]
    return _svg(height, "calls over time", parts)


def _lane(index: int, name: str) -> str:
    middle = index * LANE + LANE / 2
    return (
        f"<line class='lane' x1='{LABEL}' x2='{WIDTH - 20}' y1='{middle}' y2='{middle}'/>"
        f"<text class='label' x='{LABEL - 10}' y='{middle + 4}' text-anchor='end'>"
        f"{escape(name[:22])}</text>"
    )


def _bar(call: dict[str, Any], number: int, left: float, top: float, scale: float) -> str:
    width = max(4.0, (call["completed_ms"] - call["invoked_ms"]) * scale)
    title = escape(f"{number}. {call['request']}: {call['status']}")
    return (
        f"<g><title>{title}</title><rect class='bar {call['outcome']}' x='{left:.1f}'"
        f" y='{top:.1f}' width='{width:.1f}' height='{BAR}' rx='3'/>"
        f"<text class='number' x='{left + 4:.1f}' y='{top + 11:.1f}'>{number}</text></g>"
    )


def _tick(x: float, value_ms: float, height: float) -> str:
    return (
        f"<text class='tick' x='{x:.1f}' y='{height - 10}' text-anchor='middle'>"
        f"{value_ms:,.0f} ms</text>"
    )


def distribution(samples: dict[str, Any]) -> str:
    """Draw how often each latency occurred, on a logarithmic axis, with the bound as a line."""
    values = sorted(max(1.0, value) for value in samples["values_ms"])
    low, high = log10(values[0]) - 0.05, log10(max(values[-1], samples["bound_ms"])) + 0.05
    counts = [0] * BINS
    for value in values:
        counts[min(BINS - 1, int((log10(value) - low) / (high - low) * BINS))] += 1
    top, width = max(counts), (WIDTH - 40) / BINS

    def place(value: float) -> float:
        return 20 + (log10(value) - low) / (high - low) * (WIDTH - 40)

    bound = place(samples["bound_ms"])
    parts = [
        _column(20 + index * width, width, count / top, bound)
        for index, count in enumerate(counts)
        if count
    ]
    ticks = [tick for tick in TICKS_MS if low <= log10(tick) <= high]
    parts += [_tick(place(tick), tick, CHART_HEIGHT + AXIS) for tick in ticks]
    parts.append(_bound(bound))
    return _svg(CHART_HEIGHT + AXIS, samples["what"], parts)


def _column(left: float, width: float, share: float, bound: float) -> str:
    height = max(2.0, share * (CHART_HEIGHT - 30))
    late = " late" if left >= bound else ""
    return (
        f"<rect class='column{late}' x='{left + 1:.1f}' y='{CHART_HEIGHT - height:.1f}'"
        f" width='{width - 2:.1f}' height='{height:.1f}' rx='1.5'/>"
    )


def _bound(x: float) -> str:
    return (
        f"<line class='bound' x1='{x:.1f}' x2='{x:.1f}' y1='6' y2='{CHART_HEIGHT}'/>"
        f"<text class='bound-label' x='{x - 6:.1f}' y='16' text-anchor='end'>the bound</text>"
    )


def _svg(height: float, title: str, parts: list[str]) -> str:
    inner = "".join(parts)
    return (
        f"<svg viewBox='0 0 {WIDTH} {height}' role='img' aria-label='{escape(title)}'>{inner}</svg>"
    )


def quantile(values: list[float], share: float) -> float:
    """Return the value below which `share` of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
