"""`bank-conformance run`: decide a target."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from bank_conformance import runner
from bank_conformance.baseline import Baseline, BaselineError, Standing, load_baseline
from bank_conformance.report import (
    document,
    lines,
    write_all,
    write_html,
    write_json,
    write_junit,
    write_text,
)
from bank_conformance.selection import SEED_MAX, SelectionError, level_of, select
from bank_conformance.target import TargetError, load_target

from .console import Live, coloured, console, fail, say_error


def run(
    target: Annotated[Path, typer.Option("--target", "-t", help="The target file.")],
    only: Annotated[str, typer.Option(help="Requirement ids, separated by commas.")] = "",
    level: Annotated[
        str, typer.Option(help="The highest level to ask for: L0, L1, L2, L3.")
    ] = "L3",
    seed: Annotated[
        int | None, typer.Option(help="Replays the workloads of an earlier run.")
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Write the results as JSON.")] = None,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write the report as one HTML page.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write everything into this folder.")] = None,
    baseline: Annotated[
        Path | None, typer.Option(help="The known failures, each with its reason.")
    ] = None,
    write_baseline: Annotated[
        Path | None, typer.Option(help="Write the failures of this run as a baseline.")
    ] = None,
) -> None:
    """Decide a target, requirement by requirement.

    Exit codes: 0 conformant, 1 not conformant, 2 usage, 3 inconclusive, 4 invalid run.
    """
    try:
        chosen, highest = select(only, level), level_of(level)
        described = load_target(target)
        known = load_baseline(baseline) if baseline else Baseline()
    except (SelectionError, TargetError, BaselineError) as error:
        fail(str(error))
    die = secrets.randbelow(SEED_MAX) if seed is None else seed
    outcome = runner.Run(described, die, baseline=known)
    console.print(f"{escape(described.name)} at {described.base_url}, seed {die}", highlight=False)
    with Live(total=len(chosen), outcome=outcome) as live:
        deciding = runner.run(
            described, chosen, seed=die, reporter=live, level=highest, into=outcome
        )
        asyncio.run(deciding)
    written = document(outcome)
    show(written)
    _write(written, {write_json: json, write_junit: junit, write_html: html})
    if out:
        write_all(out, written, outcome)
        console.print(f"report: {out / 'report.html'}", highlight=False)
    if write_baseline:
        _write_baseline(write_baseline, written, outcome)
    raise typer.Exit(outcome.exit_code)


def _write(written: dict[str, Any], files: dict[Callable[..., None], Path | None]) -> None:
    for write, path in files.items():
        if path:
            write(path, written)


def _write_baseline(path: Path, written: dict[str, Any], outcome: runner.Run) -> None:
    """Write the baseline that this run fits; a new line gives what was found as its reason."""
    if outcome.invalid:
        say_error(f"no baseline written: {outcome.invalid}")
        return
    reasons = {one["id"]: f"found: {one['reason']}" for one in written["requirements"]}
    after = outcome.baseline.after(outcome.results, reasons)
    write_text(path, after.text(outcome.target.name))
    console.print(f"baseline: {path} lists {len(after.known)}", highlight=False)


def show(written: dict[str, Any]) -> None:
    """Print what failed with its evidence, and the verdict last."""
    for one in written["requirements"]:
        if one["findings"] and one["label"] != Standing.KNOWN:
            _show_findings(one)
    for note in written["notes"]:
        console.print(f"note: {escape(note)}", highlight=False)
    if written["invalid"]:
        say_error(f"invalid run: {written['invalid']}")
        return
    counts = ", ".join(f"{count} {coloured(name)}" for name, count in written["counts"].items())
    console.print(f"[bold]{written['verdict']}[/]: {counts}", highlight=False)


def _show_findings(one: dict[str, Any]) -> None:
    console.print(f"\n{coloured(one['label'])} [bold]{one['id']}[/] {escape(one['must'])}")
    for line in lines(one):
        console.print(f"  {escape(line)}", highlight=False)
    console.print()
