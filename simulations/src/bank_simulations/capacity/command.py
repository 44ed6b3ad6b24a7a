"""`bank-simulations capacity`: sweep, fit, predict, size, report, each on one file of a study.

What is wrong with the arguments is told before anything heavy is imported.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bank_simulations.console import BadInputError, Progress, out
from bank_simulations.files import check_writable
from bank_simulations.tokens import TokenSource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .costs import Layout
    from .documents import Study
    from .probe import Probe

MISSED = 1
STUDY = Path("capacity.json")

app = typer.Typer(
    help="Model how the bank scales: sweep, fit, predict, size, report.", no_args_is_help=True
)

StudyFile = Annotated[Path, typer.Argument(help="The study that `sweep` wrote.", dir_okay=False)]


NewFile = Annotated[Path, typer.Argument(help="Where the study is kept.", dir_okay=False)]
Url = Annotated[str, typer.Option(help="Where the bank serves.")]
Token = Annotated[str | None, typer.Option(envvar="BANKWRIGHT_TOKEN", help="A staff token.")]
TokenCommand = Annotated[str | None, typer.Option(help="A command that prints such a token.")]
SweepRates = Annotated[
    list[float] | None, typer.Option(help="Arrivals/s; repeatable; else shares of the capacity.")
]
HeldOutRates = Annotated[
    list[float] | None, typer.Option(help="A rate that the fit will not see; repeatable.")
]
Levels = Annotated[
    list[int] | None, typer.Option(help="Transfers in flight; repeatable; else 1 to 128.")
]
HeldOutLevels = Annotated[
    list[int] | None, typer.Option(help="A level that the fit will not see; repeatable.")
]
Repeats = Annotated[int, typer.Option(min=1, max=50, help="Of each setting.")]
RateSeconds = Annotated[float, typer.Option(min=1, max=3600, help="Of each rate.")]
LevelSeconds = Annotated[float, typer.Option(min=1, max=600, help="Of each level.")]
Accounts = Annotated[int, typer.Option(min=2, max=1_000_000)]
Seed = Annotated[int, typer.Option(help="Draws the order and the transfers.")]
Processes = Annotated[
    list[str] | None,
    typer.Option(metavar="GROUP=PID", help="api, worker or database; repeatable."),
]
MetricsUrls = Annotated[
    list[str] | None, typer.Option(help="Where the bank serves its metrics; repeatable.")
]
Workers = Annotated[int, typer.Option(min=0, help="Worker processes; 0: inside the API.")]
Partitions = Annotated[int, typer.Option(min=1, help="Of the bank's log.")]
SharedCores = Annotated[
    int | None,
    typer.Option(min=0, help="Shared by all; 0: each process has its own; else this machine's."),
]


@app.command()
def sweep(
    *,
    file: NewFile = STUDY,
    url: Url = "http://127.0.0.1:8000",
    token: Token = None,
    token_command: TokenCommand = None,
    rate: SweepRates = None,
    hold_out: HeldOutRates = None,
    level: Levels = None,
    hold_out_level: HeldOutLevels = None,
    repeats: Repeats = 3,
    seconds: RateSeconds = 20.0,
    level_seconds: LevelSeconds = 8.0,
    accounts: Accounts = 1_000,
    seed: Seed = 1,
    process: Processes = None,
    metrics_url: MetricsUrls = None,
    workers: Workers = 0,
    partitions: Partitions = 4,
    cores: SharedCores = None,
) -> None:
    """Measure a running bank at many rates and levels; some of them are kept from the fit."""
    check_writable(file)
    probe = _probe(process or [], metrics_url or [])
    tokens = TokenSource(token, token_command)
    layout = _layout(workers, partitions, cores)
    from .documents import Study, write_study  # noqa: PLC0415 - see the module's docstring
    from .sweep import LEVELS, LEVELS_HELD_OUT, Wanted  # noqa: PLC0415
    from .sweep import sweep as measure  # noqa: PLC0415

    wanted = Wanted(
        rates=rate or (),
        rates_held_out=hold_out or (),
        levels=level or LEVELS,
        levels_held_out=hold_out_level or (() if level else LEVELS_HELD_OUT),
        repeats=repeats,
        open_seconds=seconds,
        closed_seconds=level_seconds,
        accounts=accounts,
        seed=seed,
    )
    for so_far in measure(url, tokens, layout, probe, wanted):
        write_study(file, Study(sweep=so_far))
    out.print(f"measured; next: bank-simulations capacity fit {file}", markup=False)


def _probe(processes: list[str], metrics_urls: list[str]) -> Probe:
    """Where to look; whether there is anything is known before the work."""
    from .probe import Probe, parse_processes  # noqa: PLC0415 - see the module's docstring

    probe = Probe(parse_processes(processes), metrics_urls)
    probe.read()
    return probe


def _layout(workers: int, partitions: int, cores: int | None) -> Layout:
    from .costs import Layout  # noqa: PLC0415 - see the module's docstring

    shared = (os.cpu_count() or 1) if cores is None else cores
    return Layout(worker_count=workers, partition_count=partitions, machine_cores=shared)


@app.command()
def fit(
    *,
    file: StudyFile = STUDY,
    draws: Annotated[int, typer.Option(min=20, max=5_000, help="Of the bootstrap.")] = 200,
    keep_invalid: Annotated[
        bool, typer.Option("--keep-invalid", help="Use measurements of a busy generator, too.")
    ] = False,
) -> None:
    """Fit the model's costs and the scalability law to what is not held out."""
    from .fit import MODEL_ROUNDS_MAX  # noqa: PLC0415 - see the module's docstring
    from .study import fit_sweep  # noqa: PLC0415

    most = MODEL_ROUNDS_MAX
    with _changing(file) as study, Progress("Rounds of the model, at most", most) as progress:
        found = fit_sweep(study.sweep, forced=keep_invalid, draws=draws, told=progress.advance)
        _write(file, study, fit=found, predictions=(), sizing=None)
    from .tables import costs_table, usl_table  # noqa: PLC0415 - see the module's docstring

    out.print(costs_table(found))
    out.print(usl_table(found))


@app.command()
def predict(*, file: StudyFile = STUDY) -> None:
    """Hold the model against what it has not seen.

    Exit code 0: every prediction is within 20 %; 1: some are not; 2: wrong usage.
    """
    with _changing(file) as study, Progress("Settings", _held_out(study)) as progress:
        from .predict import WITHIN  # noqa: PLC0415 - see the module's docstring
        from .predict import predict as predicted  # noqa: PLC0415

        found = predicted(study, progress.advance)
        _write(file, study, predictions=found)
    from .tables import predictions_table  # noqa: PLC0415 - see the module's docstring

    out.print(predictions_table(found))
    raise typer.Exit(MISSED if any(abs(each.error) > WITHIN for each in found) else 0)


@app.command()
def size(
    *,
    file: StudyFile = STUDY,
    rate: Annotated[
        list[float] | None,
        typer.Option(help="Transfers per second; repeatable; else 100, 10,000 and 100,000."),
    ] = None,
    reads: Annotated[int, typer.Option(min=0, max=1_000, help="Of histories, per transfer.")] = 2,
    utilisation: Annotated[
        float, typer.Option(min=0.1, max=0.9, help="How busy a part may be on average.")
    ] = 0.6,
) -> None:
    """Say what a rate would need: cells, processes, partitions, cores, with intervals."""
    if any(each <= 0 for each in rate or ()):
        raise BadInputError("--rate is in transfers per second: give one above 0")
    from .size import RATES, Room, sizes  # noqa: PLC0415 - see the module's docstring

    rates = rate or RATES
    with _changing(file) as study, Progress("Rates", len(rates)) as progress:
        found = sizes(study, rates, Room(reads, utilisation), progress.advance)
        _write(file, study, sizing=found)
    from .tables import sizes_table  # noqa: PLC0415 - see the module's docstring

    out.print(sizes_table(found))


@app.command()
def report(
    *,
    file: StudyFile = STUDY,
    html: Annotated[
        Path | None, typer.Option(help="Write a self-contained report here.", dir_okay=False)
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option(help="Write the tables here, for a page.", dir_okay=False)
    ] = None,
) -> None:
    """Write a study as a page for people, or as tables for a page of your own."""
    check_writable(html, markdown)
    if not html and not markdown:
        raise BadInputError("nothing to write: give --html FILE, --markdown FILE or both")
    from .documents import read_study  # noqa: PLC0415 - see the module's docstring

    study = read_study(file)
    study.require_fit()
    if html:
        from bank_simulations.report.capacity_page import render  # noqa: PLC0415

        html.write_text(render(study), encoding="utf-8")
    if markdown:
        from .tables import markdown_page  # noqa: PLC0415

        markdown.write_text(markdown_page(study), encoding="utf-8")


@contextmanager
def _changing(file: Path) -> Iterator[Study]:
    """The study in a file that can be written again."""
    from .documents import read_study  # noqa: PLC0415 - see the module's docstring

    check_writable(file)
    yield read_study(file)


def _write(file: Path, study: Study, **changes: object) -> None:
    from .documents import write_study  # noqa: PLC0415 - see the module's docstring

    write_study(file, study.model_copy(update=changes))


def _held_out(study: Study) -> int:
    return sum(each.held_out for each in study.sweep.plan)
