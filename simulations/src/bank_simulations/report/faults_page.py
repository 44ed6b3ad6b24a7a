"""The report of all faults: what each did to transfers, and whether every invariant held."""

from __future__ import annotations

from typing import Any

from bank_simulations.faults.summary import (
    PHASES,
    headline,
    over,
    recovered,
    share_over,
)
from bank_simulations.load.summary import duration, percent

from .load_page import charts
from .templates import template

TITLES = {
    "held": "Every invariant held.",
    "violated": "Something did not hold.",
    "inconclusive": "The claim is undecided.",
    "invalid": "Some trials decide nothing.",
}


def render(document: dict[str, Any]) -> str:
    """The page, in one piece; `document` is what `bank-simulations faults --json` writes."""
    trials = [(each, _latency(each), _phases(each)) for each in document["trials"]]
    page = template(
        "faults.html.j2",
        duration=duration,
        percent=percent,
        over=over,
        share_over=share_over,
        recovered=recovered,
    )
    return page.render(
        series=document,
        trials=trials,
        titles=TITLES,
        phase_names=PHASES,
        headline=headline(document),
    )


def _latency(trial: dict[str, Any]) -> Any:
    """The latency over the load, with the fault marked in it; empty where there was no load."""
    return charts(trial["load"]).get("latency", "") if trial["load"] else ""


def _phases(trial: dict[str, Any]) -> dict[str, dict[str, Any] | None]:
    found = {phase["phase"]: phase for phase in trial["phases"]}
    return {name: found.get(name) for name in PHASES}
