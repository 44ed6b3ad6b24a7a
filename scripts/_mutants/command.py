"""`./scripts/mutants`: every defect of the table is put into a bank, and must be found by name."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from _demo.bank import DemoError
from _tasks.report import console
from rich.table import Table

from .table import Mutant, StaleError, mutants
from .trial import Trial, attempt, generate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Only = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="MUTANT", help="Try only this mutant; may be repeated."),
]
List = Annotated[bool, typer.Option("--list", help="List the mutants and stop.")]
JsonFile = Annotated[
    Path | None, typer.Option("--json", help="Write the results here, as JSON.", dir_okay=False)
]


def try_mutants(only: Only = None, list_: List = False, json_file: JsonFile = None) -> None:
    """Break a generated bank in one place after the other, and let the suite find it each time.

    The bank itself must pass what is asked of its mutants. Exit code 0 when every mutant is killed
    by each requirement that is named for it, 1 when one survives, 2 when it could not be tried.
    """
    chosen = _chosen(only or [])
    if list_:
        for mutant in chosen:
            console.print(f"{mutant.id:<26} {', '.join(mutant.kills):<24} {mutant.breaks}")
        raise typer.Exit
    began, trials = time.monotonic(), []
    try:
        for trial in _trials(chosen):
            console.print(f"{trial.seconds:6.0f} s  {trial.name:<26} {trial.outcome}")
            trials.append(trial)
    except (DemoError, StaleError) as error:
        console.print(f"error: {error}", markup=False)
        raise typer.Exit(2) from error
    console.print(_matrix(trials))
    _conclude(trials, time.monotonic() - began, json_file)
    raise typer.Exit(not all(trial.passed for trial in trials))


def _chosen(names: Sequence[str]) -> list[Mutant]:
    known = mutants()
    if unknown := [name for name in names if name not in known]:
        console.print(f"error: no mutant {unknown[0]!r}: see ./scripts/mutants --list")
        raise typer.Exit(2)
    return [known[name] for name in names] or list(known.values())


def _trials(chosen: Sequence[Mutant]) -> Iterator[Trial]:
    """The bank itself, then each mutant."""
    with _folder() as folder:
        console.print("generating the bank that is broken …")
        base = generate(folder)
        for mutant in chosen:
            mutant.source(base)  # a stale one is told before the first is tried
        due = sorted({one for mutant in chosen for one in mutant.kills})
        yield attempt(base, folder, None, due)
        for mutant in chosen:
            yield attempt(base, folder, mutant, mutant.kills)


@contextmanager
def _folder() -> Iterator[Path]:
    """Near the root, and open to the database's own user; left where it was if a trial failed."""
    folder = Path(tempfile.mkdtemp(prefix="mutants-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def _matrix(trials: Sequence[Trial]) -> Table:
    """Requirement by requirement, whom it killed: the matrix as a list, for it is nearly empty."""
    ids = sorted({one for trial in trials for one in trial.verdicts})
    table = Table("requirement", "kills", box=None)
    for name in ids:
        table.add_row(name, ", ".join(trial.name for trial in trials if name in trial.killers))
    return table


def _conclude(trials: Sequence[Trial], seconds: float, json_file: Path | None) -> None:
    killed = sum(trial.passed for trial in trials if trial.mutant is not None)
    count = sum(trial.mutant is not None for trial in trials)
    console.print(f"{killed} of {count} mutants killed by name. {seconds:.0f} s.")
    if json_file:
        json_file.parent.mkdir(parents=True, exist_ok=True)
        rows = [
            {
                "id": trial.name,
                "breaks": trial.mutant.breaks if trial.mutant else "",
                "passed": trial.passed,
                "outcome": trial.outcome,
                **{key: value for key, value in asdict(trial).items() if key not in _SHOWN},
            }
            for trial in trials
        ]
        json_file.write_text(json.dumps({"trials": rows, "seconds": seconds}, indent=2) + "\n")


_SHOWN = {"name", "mutant"}
