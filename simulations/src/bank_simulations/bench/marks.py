"""The marks: what is asked for, and whether it was reached. Nothing is tuned to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .figures import Figure, Ratio, ratio

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Mark:
    """One figure, or its ratio to another one, at least or at most so much.

    Figures are named `group/name`.
    """

    claim: str
    ours: str
    theirs: str = ""
    at_least: float | None = None
    at_most: float | None = None
    unit: str = ""


SMALLEST, LARGEST = "10,000", "10,000,000"
MARKS = (
    Mark(
        "in-process transfers / pgbench TPC-B",
        "transfers/bank in-process",
        "transfers/pgbench TPC-B",
        at_least=2.0,
    ),
    *(
        Mark(
            f"in-process transfers / {library}",
            "transfers/bank in-process",
            f"transfers/{library}",
            at_least=50,
        )
        for library in ("eventsourcing library", "eventsourcing library, by steps")
    ),
    Mark(
        "two hot accounts / uniform",
        "transfers/bank in-process, two accounts",
        "transfers/bank in-process",
        at_least=0.9,
    ),
    Mark(
        "HTTP single requests / CRUD service",
        "transfers/bank over HTTP",
        "transfers/CRUD service",
        at_least=2.0,
    ),
    Mark(
        "HTTP batch / HTTP single requests",
        "transfers/bank over HTTP, batch",
        "transfers/bank over HTTP",
        at_least=5,
    ),
    *(
        Mark(
            f"visible at 50 % of capacity, {where}, {name}",
            f"visibility/{where} at 50 %, {name}",
            at_most=seconds,
            unit="s",
        )
        for where in ("in-process", "over HTTP")
        for name, seconds in (("p99", 0.050), ("p99.9", 0.150))
    ),
    Mark(
        "append alone / raw INSERT … unnest",
        "appends/bank's log, 500 a batch",
        "appends/INSERT … unnest, 500 a batch",
        at_least=0.7,
    ),
    Mark(
        "throughput at 10⁷ events / 10⁴",
        f"growth/transfers at {LARGEST} events",
        f"growth/transfers at {SMALLEST} events",
        at_least=0.8,
    ),
    *(
        Mark(
            f"{query} at 10⁷ events / 10⁴",
            f"growth/{query} at {LARGEST} events",
            f"growth/{query} at {SMALLEST} events",
            at_most=1.2,
        )
        for query in ("balance", "history page", "statement")
    ),
)


def judge(figures: Sequence[Figure]) -> list[dict[str, Any]]:
    """Every mark with what was found: met, missed, or not measured."""
    by_name = {f"{figure.group}/{figure.name}": figure for figure in figures}
    return [_judged(mark, _found(mark, by_name)) for mark in MARKS]


def _found(mark: Mark, by_name: dict[str, Figure]) -> Ratio | None:
    ours, theirs = by_name.get(mark.ours), by_name.get(mark.theirs)
    if ours is None or (mark.theirs and theirs is None):
        return None
    if theirs is None:
        return Ratio(ours.median, min(ours.rounds), max(ours.rounds))
    return ratio(ours, theirs)


def _judged(mark: Mark, found: Ratio | None) -> dict[str, Any]:
    judged: dict[str, Any] = {
        "claim": mark.claim,
        "at_least": mark.at_least,
        "at_most": mark.at_most,
        "unit": mark.unit,
        "found": None,
        "low": None,
        "high": None,
        "verdict": "not measured",
    }
    if found is None:
        return judged
    reached = (mark.at_least is None or found.value >= mark.at_least) and (
        mark.at_most is None or found.value <= mark.at_most
    )
    verdict = "met" if reached else "missed"
    return judged | {
        "found": found.value,
        "low": found.low,
        "high": found.high,
        "verdict": verdict,
    }
