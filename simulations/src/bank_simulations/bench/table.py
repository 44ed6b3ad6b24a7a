"""What the benchmark found: a table of medians and ratios, and the same as JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from bank_simulations.load.result import machine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .peers import Score

RATIOS = (
    ("engine", "pgbench TPC-B"),
    ("engine, hot", "engine"),
    ("bank over HTTP", "CRUD service"),
)


def document(
    scores: Sequence[Score], postgres: dict[str, str], seconds: float, rounds: int
) -> dict[str, Any]:
    """Everything, for programs."""
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "postgres": postgres,
        "seconds": seconds,
        "rounds": rounds,
        "peers": [score.document() for score in scores],
        "ratios": ratios(scores),
    }


def ratios(scores: Sequence[Score]) -> dict[str, float]:
    """The ratios of medians that can be formed from what was measured."""
    medians = {score.peer.name: score.median for score in scores}
    return {
        f"{ours} / {theirs}": medians[ours] / medians[theirs]
        for ours, theirs in RATIOS
        if ours in medians and medians.get(theirs)
    }


def table(scores: Sequence[Score]) -> Table:
    """Everything that matters, for people."""
    title = "Transfers per second, durable, on one machine"
    drawn = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for name in ("", "measured at", "median", "spread"):
        drawn.add_column(name, justify="left" if name in {"", "measured at"} else "right")
    for score in scores:
        drawn.add_row(
            f"{score.peer.name}\n[dim]{score.peer.what}[/]",
            score.peer.label(score.variant),
            f"{score.median:,.0f}",
            f"{score.spread:.0%}",
        )
    return drawn
