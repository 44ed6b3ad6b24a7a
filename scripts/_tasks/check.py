"""`./scripts/check`: what a change is checked by before every commit, in under a minute."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Annotated

import typer

from . import report
from .room import make_room
from .running import Outcome, run
from .steps import CHECKS, FAST_TESTS, FORMAT, LINT, ROOT, Step

JsonFile = Annotated[
    Path | None, typer.Option("--json", help="Write the results here, as JSON.", dir_okay=False)
]
Fix = Annotated[bool, typer.Option("--fix", help="Format and mend first what ruff can mend.")]


def check(fix: Fix = False, json_file: JsonFile = None) -> None:
    """Format, lint, types, import layers and the fast tests: under a minute.

    Exit code 0 when all is well, 1 when something failed, 2 for wrong usage.
    """
    if fix:
        run(Step(LINT.name, ("ruff", "check", "--fix-only", "--quiet", str(ROOT))), stream=True)
        make_room()
        run(Step(FORMAT.name, ("ruff", "format", "--quiet", str(ROOT))), stream=True)
    outcomes = _side_by_side((*CHECKS, *FAST_TESTS))
    raise typer.Exit(report.close(outcomes, json_file))


def _side_by_side(steps: tuple[Step, ...]) -> list[Outcome]:
    """All steps, as many at once as there are cores; each is told when it ends."""
    outcomes = []
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for future in as_completed(pool.submit(run, step, stream=False) for step in steps):
            report.say(future.result())
            outcomes.append(future.result())
    return outcomes
