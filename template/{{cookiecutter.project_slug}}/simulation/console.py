"""`./scripts/simulate`: many seeds, one seed line by line, or a failure made small."""

from collections import Counter
from collections.abc import Mapping
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from .campaign import SOMETIMES_SEEDS_MIN, Summary, campaign
from .checks import HAS_DECIDERS
from .corpus import Case, cases, keep
from .faults import Kind
from .names import Names
from .plan import Plan, draw
from .run import Run, play
from .shrink import kind_of, shrunk
from .workloads import WEIGHTS

VIOLATED, USAGE = 1, 2
SHOWN_MAX = 5
out, err = Console(highlight=False, soft_wrap=True), Console(stderr=True, highlight=False)

Seeds = Annotated[int, typer.Option(min=1, help="How many seeds to play.")]
First = Annotated[int, typer.Option(min=0, help="The first of them.")]
Seed = Annotated[
    int | None, typer.Option(min=0, help="Play this one seed, and show every line of it.")
]
CaseName = Annotated[
    str | None, typer.Option("--case", help="Play this case of the corpus, line by line.")
]
Jobs = Annotated[int, typer.Option(min=0, help="Processes; 0: one a core.")]
FailuresMax = Annotated[int, typer.Option(min=1, help="Stop when so many seeds have failed.")]
Shrink = Annotated[
    bool,
    typer.Option("--shrink", help="Make a failing seed or case small, and keep it in the corpus."),
]


def simulate(
    seeds: Seeds = 1_000,
    first: First = 1,
    seed: Seed = None,
    case: CaseName = None,
    jobs: Jobs = 0,
    failures_max: FailuresMax = 1,
    shrink: Shrink = False,
) -> None:
    """Play the corpus, then seeds one after the other; stop at what must not happen.

    Exit code 0: nothing was found, and every fault and end has happened; 1: something was found; 2:
    wrong usage.
    """
    if case is not None and seed is not None:
        err.print("error: a seed or a case, not both")
        raise typer.Exit(USAGE)
    if case is not None:
        plan = _case(case).plan
        raise typer.Exit(_keep_small(case, plan) if shrink else _show(plan))
    if seed is not None:
        plan = draw(seed, WEIGHTS)
        raise typer.Exit(_keep_small(f"seed-{seed}", plan) if shrink else _show(plan))
    if failed := _corpus():
        raise typer.Exit(failed)
    summary = _campaign(range(first, first + seeds), jobs, failures_max)
    _tell(summary)
    if shrink and summary.failures:
        found = summary.failures[0].plan
        _keep_small(f"seed-{found.seed}", found)
    raise typer.Exit(0 if summary.passed else VIOLATED)


def _campaign(seeds: range, jobs: int, failures_max: int) -> Summary:
    with Progress(console=err, transient=True) as progress:
        bar = progress.add_task("Seeds", total=len(seeds))
        return campaign(
            seeds,
            jobs=jobs or None,
            failures_max=failures_max,
            progress=lambda so_far: progress.update(bar, completed=so_far.seeds),
        )


def _tell(summary: Summary) -> None:
    """What was played, how fast, what happened how often, what was found."""
    core = summary.core_seconds or 1.0
    out.print(
        f"{summary.seeds:,} seeds, {summary.simulated_seconds / 3600:,.1f} h of virtual time"
        f" in {summary.seconds:,.0f} s: {summary.seeds / core:,.0f} seeds a second and core,"
        f" {summary.simulated_seconds / core:,.0f} times real time"
    )
    out.print(f"trace {summary.trace}")
    faults: dict[str, int] = {kind: summary.sometimes[kind] for kind in Kind}
    ends = {what: times for what, times in summary.sometimes.items() if what not in faults}
    _tell_sometimes("faults", faults)
    _tell_sometimes("ends", ends)
    if summary.never and summary.seeds >= SOMETIMES_SEEDS_MIN:
        out.print(f"never happened: {', '.join(summary.never)}", style="red")
    if not HAS_DECIDERS:
        out.print("bank-conformance is not installed: its deciders did not look at the histories")
    for run in summary.failures[:SHOWN_MAX]:
        _tell_failure(run)
    if not summary.failures:
        out.print("no violation", style="green")


def _tell_sometimes(title: str, counts: Mapping[str, int]) -> None:
    out.print(f"{title}:")
    for what, times in Counter(counts).most_common():
        out.print(f"  {times:>9,} times {what}", markup=False)


def _tell_failure(run: Run) -> None:
    names = Names()
    out.print(f"seed {run.plan.seed} fails:", style="red")
    for violation in run.violations[:SHOWN_MAX]:
        out.print(f"  {names.readable(violation)}", markup=False)
    out.print(f"  again: ./scripts/simulate --seed {run.plan.seed}")
    out.print(f"  small: ./scripts/simulate --seed {run.plan.seed} --shrink")


def _show(plan: Plan) -> int:
    """Every line of one plan, and its end."""
    names = Names()
    run = play(plan, lambda line: out.print(names.readable(line), markup=False))
    out.print(
        f"trace {run.trace}, {run.steps:,} steps, {run.simulated_seconds:.1f} virtual seconds"
    )
    for violation in run.violations:
        out.print(names.readable(violation), style="red", markup=False)
    return VIOLATED if run.violations else 0


def _case(name: str) -> Case:
    known = cases()
    if name not in known:
        err.print(f"error: no case {name!r}: there are {', '.join(known) or 'none yet'}")
        raise typer.Exit(USAGE)
    return known[name]


def _corpus() -> int:
    """What failed once, first."""
    known = cases()
    for name, case in known.items():
        run = play(case.plan)
        if run.violations:
            out.print(f"{name} fails again: {run.violations[0]}", style="red", markup=False)
            out.print(f"  again: ./scripts/simulate --case {name}")
            return VIOLATED
    if known:
        out.print(f"{len(known)} cases of the corpus: no violation")
    return 0


def _keep_small(name: str, plan: Plan) -> int:
    """Shrink a failing plan and write it down under this name."""

    def tried(smaller: Plan) -> None:
        err.print(f"{len(smaller.acts)} acts, {len(smaller.faults)} faults still fail")

    small = shrunk(plan, tried)
    violations = play(small).violations
    if not violations:
        out.print(f"{name} does not fail")
        return 0
    path = keep(name, Case(kind_of(violations), small))
    out.print(f"{len(small.acts)} acts and {len(small.faults)} faults are enough: {path}")
    return _show(small)


def main() -> None:
    """Run the command line; what is wrong with the corpus is told in one line."""
    try:
        typer.run(simulate)
    except ValueError as error:
        err.print(f"error: {error}", markup=False)
        raise SystemExit(USAGE) from None
