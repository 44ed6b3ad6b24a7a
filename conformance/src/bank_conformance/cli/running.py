"""`bank-conformance run`: decide a target."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from bank_conformance import runner
from bank_conformance.catalogue import Level, Requirement, catalogue
from bank_conformance.report import document, write_all, write_html, write_json, write_junit
from bank_conformance.requirements import CHECKS
from bank_conformance.target import TargetError, load_target

from .console import Live, coloured, console, fail, say_error

FINDINGS_SHOWN, CALLS_SHOWN = 3, 8
LEVELS: tuple[Level, ...] = ("L0", "L1", "L2", "L3")
SEED_MAX = 2**31


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
) -> None:
    """Decide a target, requirement by requirement.

    Exit codes: 0 conformant, 1 not conformant, 2 usage, 3 inconclusive, 4 invalid run.
    """
    chosen, highest = select(only, level), _level(level)
    try:
        described = load_target(target)
    except TargetError as error:
        fail(str(error))
    die = secrets.randbelow(SEED_MAX) if seed is None else seed
    console.print(f"{escape(described.name)} at {described.base_url}, seed {die}", highlight=False)
    with Live() as live:
        outcome = asyncio.run(runner.run(described, chosen, seed=die, reporter=live, level=highest))
    written = document(outcome)
    _show(written)
    if json:
        write_json(json, written)
    if junit:
        write_junit(junit, written)
    if html:
        write_html(html, written)
    if out:
        write_all(out, written, outcome)
        console.print(f"report: {out / 'report.html'}", highlight=False)
    raise typer.Exit(outcome.exit_code)


def select(only: str, level: str) -> list[Requirement]:
    """Return the requirements to decide; every one that is built unless some are named."""
    known = catalogue()
    names = [name.strip().upper() for name in only.split(",") if name.strip()]
    for name in names:
        if name not in known:
            fail(f"no requirement {name!r}: `bank-conformance list` shows them all")
        if name not in CHECKS:
            fail(f"{name} is {known[name].status}, not built: it cannot be run")
    ceiling = LEVELS.index(_level(level))
    chosen = [known[name] for name in CHECKS if not names or name in names]
    within = [one for one in chosen if LEVELS.index(one.level) <= ceiling]
    return within or fail(f"nothing to decide: no chosen requirement is within {level}")


def _level(text: str) -> Level:
    for level in LEVELS:
        if level == text.upper():
            return level
    return fail(f"--level {text!r} must be one of {', '.join(LEVELS)}")


def _show(written: dict[str, Any]) -> None:
    """Print what failed with its evidence, and the verdict last."""
    for one in written["requirements"]:
        if one["findings"]:
            _show_findings(one)
    for note in written["notes"]:
        console.print(f"note: {escape(note)}", highlight=False)
    if written["invalid"]:
        say_error(f"invalid run: {written['invalid']}")
        return
    counts = ", ".join(f"{count} {coloured(name)}" for name, count in written["counts"].items())
    console.print(f"[bold]{written['verdict']}[/]: {counts}", highlight=False)


def _show_findings(one: dict[str, Any]) -> None:
    console.print(f"\n{coloured(one['verdict'])} [bold]{one['id']}[/] {escape(one['must'])}")
    for finding in one["findings"][:FINDINGS_SHOWN]:
        console.print(f"  expected  {escape(finding['expectation'])}", highlight=False)
        console.print(f"  found     {escape(finding['evidence'])}", highlight=False)
        for call in finding["history"][:CALLS_SHOWN]:
            console.print(f"            {escape(_call(call))}", highlight=False)
    more = one["findings_count"] - FINDINGS_SHOWN
    if more > 0:
        console.print(f"  and {more} more", highlight=False)
    console.print(f"  reproduce {escape(one['reproduce'])}\n", highlight=False)


def _call(call: dict[str, Any]) -> str:
    interval = f"[{call['invoked_ms']:.1f} to {call['completed_ms']:.1f} ms]"
    asked, told = (f" ({text})" if text else "" for text in (call["asked"], call["told"]))
    answer = f"{call['status'] or 'no answer'}{told}"
    return f"{interval} {call['principal']}: {call['request']}{asked} → {answer}"
