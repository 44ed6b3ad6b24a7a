"""`bank-conformance self-test`: the suite against its own reference bank and mutants."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from bank_conformance import selftest
from bank_conformance.reference.mutants import MUTANTS
from bank_conformance.report import write_json
from bank_conformance.selection import SEED_MAX
from bank_conformance.verdict import Exit

from .console import Live, console, fail

REFERENCE = "reference"


def self_test(
    only: Annotated[
        str, typer.Option(help="Mutant ids, and `reference`, separated by commas.")
    ] = "",
    full: Annotated[
        bool, typer.Option("--full", help="Every requirement against every mutant.")
    ] = False,
    runs: Annotated[int, typer.Option(min=1, max=100, help="Repeat everything so often.")] = 1,
    seed: Annotated[int | None, typer.Option(help="The seed of the workloads.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write the matrix as JSON.")] = None,
) -> None:
    """Prove that the suite can fail: the reference bank is clean, every mutant is caught by its id.

    Exit codes: 0 all as it must be, 1 not.
    """
    names, die = _names(only), secrets.randbelow(SEED_MAX) if seed is None else seed
    console.print(f"{len(names)} banks on loopback, seed {die}", highlight=False)
    trials: list[selftest.Trial] = []
    for number in range(runs):
        trials += asyncio.run(_try_all(names, die + number, full=full))
    _show(trials)
    if json:
        write_json(json, {"seed": die, "trials": [_plain(trial) for trial in trials]})
    raise typer.Exit(Exit.CONFORMANT if all(t.passed for t in trials) else Exit.NOT_CONFORMANT)


def _names(only: str) -> list[str]:
    wanted = [name.strip() for name in only.split(",") if name.strip()]
    known = [REFERENCE, *MUTANTS]
    for name in wanted:
        if name not in known:
            fail(f"no bank {name!r}: there are {', '.join(known)}")
    return wanted or known


async def _try_all(names: list[str], seed: int, *, full: bool) -> list[selftest.Trial]:
    trials = []
    for name in names:
        with Live(prefix=f"{name:<10}") as live:
            trials.append(await selftest.try_bank(name, live, seed, full=full))
    return trials


def _show(trials: list[selftest.Trial]) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("", "bank", "defect", "must be killed by", "broken line ran", "outcome"):
        table.add_column(column, overflow="fold")
    for trial in trials:
        mutant = trial.mutant
        table.add_row(
            "[green]ok[/]" if trial.passed else "[bold red]no[/]",
            trial.name,
            escape(mutant.summary) if mutant else "none",
            ", ".join(mutant.kills) if mutant else "",
            f"{trial.executions:,} times" if mutant else "",
            escape(trial.outcome),
        )
    console.print()
    console.print(table, soft_wrap=not console.is_terminal)
    good = sum(trial.passed for trial in trials)
    console.print(f"{good} of {len(trials)} as they must be", highlight=False)


def _plain(trial: selftest.Trial) -> dict[str, Any]:
    return {
        "bank": trial.name,
        "defect": trial.mutant.summary if trial.mutant else None,
        "must_be_killed_by": list(trial.mutant.kills) if trial.mutant else None,
        "killed_by": trial.killers,
        "executions": trial.executions,
        "verdicts": {name: str(verdict) for name, verdict in trial.verdicts.items()},
        "reasons": trial.reasons,
        "passed": trial.passed,
        "outcome": trial.outcome,
        "seconds": round(trial.seconds, 1),
    }
