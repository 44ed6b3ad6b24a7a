"""A run in words and in a table: the same for the terminal and for the report."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

RAMP_STEPS_MIN = 3
DECISIONS = {
    "met": "The bound held.",
    "violated": "The bound was broken.",
    "inconclusive": "The run decides nothing.",
    "invalid": "The run is invalid.",
}


def headline(document: dict[str, Any]) -> str:
    """The verdict in one or two sentences."""
    return f"{decision(document)} {explanation(document)}"


def decision(document: dict[str, Any]) -> str:
    """The verdict in a few words; of a search, what it found."""
    if "search" in document:
        return _found(document["search"])
    return DECISIONS[document["verdict"]["decision"]]


def _found(search: dict[str, Any]) -> str:
    rate, stopped = search["rate"], search["stopped"]
    if rate is None:
        return "The bound held at no rate that was tried."
    limit = "could not be measured" if search["limited_by_generator"] else "did not hold"
    above = f"; at {stopped:,.1f} it {limit}" if stopped else ""
    return f"The bound holds up to {rate:,.1f} transfers a second{above}."


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


def tables(document: dict[str, Any]) -> Iterator[Table]:
    """The figures, in tables for what the run has: steps, phases, reads, probes."""
    parts = [(f"{part['step']}, {part['group']}", part) for part in document["parts"]]
    yield _transfers(document["title"], "step, accounts", parts)
    if document["phases"]:
        phases = [(part["phase"], part) for part in document["phases"]]
        yield _transfers("Before, during and after", "phase", phases)
    if document["reads"]:
        yield _reads(document["reads"])
    if "search" in document:
        yield _probes(document["search"])


def _transfers(title: str, what: str, parts: Sequence[tuple[str, dict[str, Any]]]) -> Table:
    table = _table(title, what, "transfers", "p50", "p99", "p99.9", "worst", "against")
    for name, part in parts:
        count = sum(part["fates"].values())
        against = count - part["fates"].get("in time", 0)
        table.add_row(name, f"{count:,}", *_times(part["visible"]), f"{against:,}")
    return table


def _reads(reads: Sequence[dict[str, Any]]) -> Table:
    table = _table("Reads", "kind", "reads", "p50", "p99", "worst", "bound", "decision")
    for read in reads:
        times = [duration(read["took"][name]) for name in ("p50", "p99", "worst")]
        bound, count = duration(read["bound_seconds"]), f"{read['count']:,}"
        table.add_row(read["kind"], count, *times, bound, read["decision"])
    return table


def _probes(search: dict[str, Any]) -> Table:
    table = _table("Probes", "rate", "transfers", "p50", "p99", "worst", "against", "decision")
    for probe in search["probes"]:
        times = [duration(probe[name]) for name in ("p50", "p99", "worst")]
        rate, count = f"{probe['rate']:,.1f}/s", f"{probe['transfers']:,}"
        table.add_row(rate, count, *times, f"{probe['against']:,}", probe["decision"])
    return table


def _table(title: str, first: str, *others: str) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column(first)
    for name in others:
        table.add_column(name, justify="right")
    return table


def _times(histogram: dict[str, Any]) -> list[str]:
    return [duration(histogram[name]) for name in ("p50", "p99", "p99_9", "worst")]


def asides(document: dict[str, Any]) -> Iterator[str]:
    """What else has to be said, a sentence each."""
    for recovery in document["recoveries"]:
        yield recovered(recovery)
    if ramp := saturation(document["steps"]):
        yield ramp
    if missing := document["reads_missing"]:
        yield f"This bank does not offer, so nothing is said of: {', '.join(missing)}."


def recovered(recovery: dict[str, Any]) -> str:
    """How long after the end of an event transfers were as fast as before it."""
    if recovery["seconds"] is None:
        return f"After {recovery['label']} transfers were not as fast as before it, as far as seen."
    return (
        f"After {recovery['label']} transfers were as fast as before within "
        f"{recovery['seconds']:.1f} s."
    )


def saturation(steps: Sequence[dict[str, Any]]) -> str | None:
    """Of steps with rising rates: up to which the bound held, and where it stopped to."""
    rates = [step["rate"] for step in steps]
    if len(steps) < RAMP_STEPS_MIN or rates != sorted(set(rates)):
        return None
    held = list(takewhile(lambda step: step["verdict"]["decision"] == "met", steps))
    said = "The bound held in no step" if not held else f"The bound held up to {_rate(held[-1])}"
    if len(held) == len(steps):
        return f"{said}, the highest rate offered."
    stopped = steps[len(held)]
    why = {"violated": "was broken", "invalid": "could not be measured"}
    return (
        f"{said}; it {why.get(stopped['verdict']['decision'], 'was not shown to hold')} at "
        f"{_rate(stopped)}."
    )


def _rate(step: dict[str, Any]) -> str:
    return f"{step['rate']:,.0f} transfers/s ({step['name']})"


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
