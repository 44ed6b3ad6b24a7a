"""A run in words and in a table: the same for the terminal and for the report."""

from __future__ import annotations

from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

DECISIONS = {
    "met": "The bound held.",
    "violated": "The bound was broken.",
    "inconclusive": "The run decides nothing.",
    "invalid": "The run is invalid.",
}


def headline(document: dict[str, Any]) -> str:
    """The verdict in one or two sentences."""
    verdict = document["verdict"]
    return f"{DECISIONS[verdict['decision']]} {explanation(document)}"


def explanation(document: dict[str, Any]) -> str:
    """Why, with the confidence that the figures support."""
    verdict, claim = document["verdict"], document["scenario"]["claim"]
    bound, transfers = f"{claim['bound_seconds']:g} s", f"{verdict['transfers']:,}"
    confidence = f"{percent(verdict['confidence'])} confidence"
    found = "; ".join(verdict["reasons"])
    match verdict["decision"]:
        case "met":
            within = verdict["transfers"] - verdict["broke"] - verdict["undecided"]
            supported = floor_percent(verdict["share_supported"])
            return (
                f"{within:,} of {transfers} transfers were terminal and visible in both accounts "
                f"within {bound}; with {confidence} at least {supported} of such transfers are."
                + (f" Against it: {found}." if found else "")
            )
        case "violated":
            refuted = ceil_percent(verdict["share_refuted"])
            return (
                f"Of {transfers} transfers: {found}. With {confidence} fewer than {refuted} of "
                f"such transfers are visible within {bound}."
                if verdict["broke"]
                else f"{found}."
            )
        case "inconclusive":
            supported = floor_percent(verdict["share_supported"])
            return (
                f"{transfers} transfers support {supported} within {bound} at {confidence}; the "
                f"claim is {percent(claim['share'])}."
                + (f" Against it: {found}." if found else " More transfers would decide.")
            )
        case _:
            return f"The load generator was measured, not the bank: {found}."


def summary(document: dict[str, Any]) -> Table:
    """The figures: one row for each step and group of accounts."""
    table = Table(title=document["title"], title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("step, accounts")
    for name in ("transfers", "p50", "p99", "p99.9", "worst", "against"):
        table.add_column(name, justify="right")
    for part in document["parts"]:
        visible = part["visible"]
        times = [duration(visible[name]) for name in ("p50", "p99", "p99_9", "worst")]
        count = sum(part["fates"].values())
        against = count - part["fates"].get("in time", 0)
        table.add_row(f"{part['step']}, {part['group']}", f"{count:,}", *times, f"{against:,}")
    return table


def duration(seconds: float) -> str:
    """A duration as people read it: 12.3 ms, 123 ms, 1.234 s."""
    if seconds >= 1:
        return f"{seconds:,.3f} s"
    value = seconds * 1e3
    return f"{value:.1f} ms" if value < 100 else f"{value:.0f} ms"  # noqa: PLR2004


def percent(share: float) -> str:
    """A share with as many digits as it needs: 99.9 %, 99.99 %."""
    return f"{share * 100:.6g}\N{NO-BREAK SPACE}%"


def floor_percent(share: float) -> str:
    """A share that is at least so large: rounded down, never up."""
    return percent(_cut(share))


def ceil_percent(share: float) -> str:
    """A share that is at most so large: rounded up, never down."""
    return percent(min(1.0, _cut(share) + 0.00001))


def _cut(share: float) -> float:
    return int(share * 100_000) / 100_000
