"""`./scripts/test`: everything this repository claims, tested."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import report
from .running import Outcome, run
from .steps import SUITES, Step

Only = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="SUITE", help="Run only this suite; may be repeated."),
]
List = Annotated[bool, typer.Option("--list", help="List the suites and stop.")]
JsonFile = Annotated[
    Path | None, typer.Option("--json", help="Write the results here, as JSON.", dir_okay=False)
]


def run_suites(only: Only = None, list_: List = False, json_file: JsonFile = None) -> None:
    """Run every check and every test suite, one after the other.

    Ends with a line `N passed, N failed`. Exit code 0 when all passed, 1 when something failed, 2
    for wrong usage.
    """
    if list_:
        report.console.print("\n".join(suite.name for suite in SUITES))
        raise typer.Exit
    outcomes = _one_by_one(_chosen(only or []))
    report.console.rule()
    for outcome in outcomes:
        report.say(outcome)
    raise typer.Exit(report.close(outcomes, json_file))


def _chosen(names: list[str]) -> list[Step]:
    suites = {suite.name: suite for suite in SUITES}
    if unknown := [name for name in names if name not in suites]:
        report.console.print(f"error: no suite {unknown[0]!r}: see ./scripts/test --list")
        raise typer.Exit(2)
    return [suites[name] for name in names] or list(SUITES)


def _one_by_one(suites: list[Step]) -> list[Outcome]:
    outcomes = []
    for number, suite in enumerate(suites, start=1):
        report.console.rule(f"{number}/{len(suites)} {suite.name}", align="left")
        outcomes.append(run(suite, stream=True))
    return outcomes
