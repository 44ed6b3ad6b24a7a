"""Say how steps ended: a line each on the terminal, a file for programs."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .running import Outcome

console = Console(highlight=False, soft_wrap=True)


def say(outcome: Outcome) -> None:
    """One line for the step, and what it printed where it failed."""
    verdict = "[red]FAILED[/]" if outcome.failed else "[green]ok[/]    "
    tests = f"{outcome.passed + outcome.failed} tests" if outcome.passed > 1 else ""
    console.print(f"{verdict} {outcome.name:<28}{outcome.seconds:7.1f} s  {tests}")
    if outcome.failed and outcome.output:
        console.print(outcome.output, markup=False)


def close(outcomes: Sequence[Outcome], json_file: Path | None) -> int:
    """The closing line and the JSON file; the exit code."""
    if json_file:
        json_file.parent.mkdir(parents=True, exist_ok=True)
        rows = [{**asdict(outcome), "output": None} for outcome in outcomes]
        json_file.write_text(json.dumps({"steps": rows}, indent=2) + "\n")
    passed, failed, skipped = (
        sum(getattr(outcome, name) for outcome in outcomes)
        for name in ("passed", "failed", "skipped")
    )
    line = f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else "")
    console.print(line, style="red" if failed else "green")
    return int(failed > 0)
