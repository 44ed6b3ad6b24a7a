"""What all faults did, in words and in a table: the same for the terminal and for the report."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from bank_simulations.load.result import machine
from bank_simulations.load.summary import ceil_percent, duration, floor_percent

from .trial import worst

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .catalogue import TargetFile
    from .trial import Trial

COLOURS = {"held": "green", "violated": "red", "inconclusive": "yellow", "invalid": "magenta"}
PHASES = ("baseline", "fault", "recovery")
NOTHING = "\N{EN DASH}"


def document_of(file: TargetFile, trials: Sequence[Trial]) -> dict[str, Any]:
    """All trials as JSON: figures in seconds."""
    return {
        "bank": file.name,
        "url": file.url,
        "ended_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "ending": worst(trials).value,
        "trials": [trial.document() for trial in trials],
    }


def headline(document: dict[str, Any]) -> str:
    """What was decided, in a sentence or two."""
    trials = document["trials"]
    transfers = sum(phase["transfers"] for trial in trials for phase in trial["phases"])
    names = {
        ending: ", ".join(each["fault"] for each in trials if each["ending"] == ending)
        for ending in ("violated", "invalid", "inconclusive")
    }
    faults = f"{len(trials)} fault{'' if len(trials) == 1 else 's'}"
    match document["ending"]:
        case "held":
            return (
                f"Every invariant held: {transfers:,} transfers under {faults}, none "
                "lost, none doubled, all ended, and the books are exact."
            )
        case "violated":
            return f"Something did not hold: {names['violated']}."
        case "invalid":
            return f"No invariant was broken, but these trials decide nothing: {names['invalid']}."
        case _:
            return f"Every invariant held; the claim is undecided for {names['inconclusive']}."


def table(document: dict[str, Any]) -> Table:
    """One row for each fault."""
    rows = Table(
        title="Transfers that took over 2 s before, during and after each fault",
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    rows.add_column("fault", no_wrap=True)
    rows.add_column("verdict")
    for name in ("before", "during", "after", "worst", "recovered"):
        rows.add_column(name, justify="right")
    for trial in document["trials"]:
        phases = {phase["phase"]: phase for phase in trial["phases"]}
        rows.add_row(
            trial["fault"],
            trial["ending"],
            *(over(phases.get(name)) for name in PHASES),
            duration(max((phase["worst"] for phase in phases.values()), default=0.0)),
            recovered(trial),
        )
    return rows


def complaints(document: dict[str, Any]) -> list[str]:
    """Why trials did not hold: a line for each."""
    return [
        f"{trial['fault']}: {'; '.join(trial['reasons'])}"
        for trial in document["trials"]
        if trial["ending"] != "held"
    ]


def over(phase: dict[str, Any] | None) -> str:
    """How many transfers of a phase took over two seconds, what is undecided among them."""
    if phase is None:
        return NOTHING
    return f"{phase['over'] + phase['undecided']:,}/{phase['transfers']:,}"


def share_over(phase: dict[str, Any]) -> str:
    """Between which shares the truth lies."""
    least, most = phase["share_over_least"], phase["share_over_most"]
    return f"{floor_percent(least)} to {ceil_percent(most)}"


def recovered(trial: dict[str, Any]) -> str:
    """How long after the end of the fault transfers were as fast as before it."""
    seconds = trial["recovery_seconds"]
    if seconds is None:
        return NOTHING
    return duration(seconds) if seconds else "at once"
