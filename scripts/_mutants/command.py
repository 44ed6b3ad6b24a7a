"""`./scripts/mutants`: every defect of the table is put into a bank, and must be found."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from _demo.bank import DemoError
from _tasks.report import console
from rich.table import Table

from . import figures
from .simulated import clear, hunt
from .table import Mutant, StaleError, mutants
from .trial import Trial, attempt, generate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .simulated import Hunt

Only = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="MUTANT", help="Try only this mutant; may be repeated."),
]
List = Annotated[bool, typer.Option("--list", help="List the mutants and stop.")]
AtOnce = Annotated[int, typer.Option(min=1, help="So many banks at a time.")]
JsonFile = Annotated[
    Path | None, typer.Option("--json", help="Write the results here, as JSON.", dir_okay=False)
]
Simulation = Annotated[
    bool, typer.Option("--simulation", help="Let the bank's own simulation find them instead.")
]
Samples = Annotated[int, typer.Option(min=1, help="Streams of seeds a mutant (--simulation).")]
SeedsMax = Annotated[int, typer.Option(min=1, help="Seeds a stream at most (--simulation).")]
Markdown = Annotated[
    Path | None,
    typer.Option(
        help="Print what --simulation --json wrote into this file as Markdown, and stop.",
        exists=True,
        dir_okay=False,
    ),
]


def try_mutants(
    only: Only = None,
    list_: List = False,
    at_once: AtOnce = 1,
    json_file: JsonFile = None,
    simulation: Simulation = False,
    samples: Samples = 11,
    seeds_max: SeedsMax = 2_000,
    markdown: Markdown = None,
) -> None:
    """Break a bank in one place after the other, and let the suite or the simulation find it.

    The bank itself must pass what is asked of its mutants. Exit code 0 when every mutant is found
    (by each requirement that is named for it; or in each stream of seeds), 1 when one survives, 2
    when it could not be tried.
    """
    if markdown is not None:
        raise typer.Exit(_show(markdown))
    chosen = _chosen(only or [], simulation=simulation)
    if list_:
        for mutant in chosen:
            found_by = ", ".join([*mutant.kills, *["simulation"] * mutant.simulation])
            console.print(f"{mutant.id:<30} {found_by:<24} {mutant.breaks}")
        raise typer.Exit
    try:
        if simulation:
            passed = _simulate(chosen, at_once, samples, seeds_max, json_file)
        else:
            passed = _try(chosen, at_once, json_file)
    except (DemoError, StaleError) as error:
        console.print(f"error: {error}", markup=False)
        raise typer.Exit(2) from error
    raise typer.Exit(not passed)


def _show(markdown: Path) -> int:
    try:
        print(figures.markdown(figures.read(markdown)), end="")
    except figures.FiguresError as error:
        console.print(f"error: {error}", markup=False)
        return 2
    return 0


def _chosen(names: Sequence[str], *, simulation: bool) -> list[Mutant]:
    known = mutants()
    if unknown := [name for name in names if name not in known]:
        console.print(f"error: no mutant {unknown[0]!r}: see ./scripts/mutants --list")
        raise typer.Exit(2)
    able = {
        name: one for name, one in known.items() if (one.simulation if simulation else one.kills)
    }
    if unable := [name for name in names if name not in able]:
        where = "the simulation" if simulation else "the suite: try --simulation"
        console.print(f"error: {unable[0]} is out of reach of {where}")
        raise typer.Exit(2)
    return [able[name] for name in names] or list(able.values())


def _try(chosen: Sequence[Mutant], at_once: int, json_file: Path | None) -> bool:
    """Whether the suite killed them all."""
    began, trials = time.monotonic(), []
    for trial in _trials(chosen, at_once):
        console.print(f"{trial.seconds:6.0f} s  {trial.name:<26} {trial.outcome}")
        trials.append(trial)
    console.print(_matrix(trials))
    _conclude(trials, time.monotonic() - began, json_file)
    return all(trial.passed for trial in trials)


def _simulate(
    chosen: Sequence[Mutant], at_once: int, samples: int, seeds_max: int, json_file: Path | None
) -> bool:
    """Whether the simulation found them all, and the bank itself passes where it did."""
    began = time.monotonic()
    hunts: list[Hunt] = []
    with _folder() as folder, ThreadPoolExecutor(at_once) as pool:
        for each in pool.map(partial(hunt, folder, samples, seeds_max), chosen):
            line = f"{each.seconds:6.0f} s  {each.mutant.id:<30} {each.outcome}"
            console.print(line, markup=False)
            hunts.append(each)
        clear(folder, hunts)
    for each in hunts:
        if not each.cleared:
            console.print(f"error: {each.mutant.id}: {each.outcome}")
    passed = [each.passed for each in hunts]
    console.print(
        f"{sum(passed)} of {len(passed)} mutants found in each of {samples} streams of at most"
        f" {seeds_max:,} seeds. {time.monotonic() - began:.0f} s."
    )
    if json_file:
        _write(json_file, figures.document(hunts, seeds_max))
    return all(passed)


def _trials(chosen: Sequence[Mutant], at_once: int) -> Iterator[Trial]:
    """The bank itself, then each mutant, in this order; so many at a time."""
    with _folder() as folder:
        console.print("generating the bank that is broken …")
        base = generate(folder)
        for mutant in chosen:
            mutant.source(base)  # a stale one is told before the first is tried
        due = sorted({one for mutant in chosen for one in mutant.kills})
        kills = [due, *(mutant.kills for mutant in chosen)]
        with ThreadPoolExecutor(at_once) as pool:
            yield from pool.map(partial(attempt, base, folder), [None, *chosen], kills)


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
        _write(json_file, {"trials": rows, "seconds": seconds})


def _write(json_file: Path, document: dict[str, Any]) -> None:
    json_file.parent.mkdir(parents=True, exist_ok=True)
    json_file.write_text(json.dumps(document, indent=2) + "\n")


_SHOWN = {"name", "mutant"}
