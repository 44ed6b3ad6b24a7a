"""The command line `bank-simulations`.

Commands import what they need when they run: Locust patches the standard library on import, and
the other commands have no use for that.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from .capacity.command import app as capacity
from .console import BadInputError, BrokenRunError, err
from .faults.command import faults
from .files import check_writable
from .tokens import TokenSource

USAGE, BROKEN, VIOLATED = 2, 4, 1
INTERRUPTED = 130
"""What Typer makes of Ctrl-C."""

app = typer.Typer(
    help="Load, replay and simulate a bank that speaks the Bankwright contract.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.add_typer(capacity, name="capacity")
app.command()(faults)

Url = Annotated[str, typer.Option(help="Where the bank serves, as http://HOST:PORT.")]
Token = Annotated[
    str | None,
    typer.Option(envvar="BANKWRIGHT_TOKEN", help="A staff token: bank:operate accounts:read."),
]
TokenCommand = Annotated[
    str | None, typer.Option(help="A command that prints such a token; run again when it expires.")
]
JsonFile = Annotated[
    Path | None, typer.Option("--json", help="Write the results here, as JSON.", dir_okay=False)
]
DEFAULT_URL = "http://127.0.0.1:8000"
ANY_OPTIONS = {"allow_extra_args": True, "ignore_unknown_options": True}


Scenario = Annotated[
    str | None, typer.Argument(help="A scenario's name, or the path of a TOML file.")
]
TargetFile = Annotated[
    Path | None,
    typer.Option(
        "--target", help="A target file: where the bank is, its tokens, faults and hooks."
    ),
]
BankUrl = Annotated[
    str | None, typer.Option("--url", help=f"Where the bank serves. [{DEFAULT_URL}]")
]
Processes = Annotated[
    int, typer.Option(min=1, max=64, help="So many processes generate the load together.")
]
HtmlFile = Annotated[
    Path | None, typer.Option("--html", help="Write a self-contained report here.", dir_okay=False)
]
Seed = Annotated[int | None, typer.Option(help="Replaces the scenario's seed.")]


@app.command()
def load(
    *,
    scenario: Scenario = None,
    target: TargetFile = None,
    url: BankUrl = None,
    token: Token = None,
    token_command: TokenCommand = None,
    processes: Processes = 1,
    json_file: JsonFile = None,
    html: HtmlFile = None,
    seed: Seed = None,
    at: Annotated[
        list[str] | None,
        typer.Option(metavar="SECONDS=COMMAND", help="Run a command during the load; repeatable."),
    ] = None,
    fault: Annotated[
        str | None, typer.Option(help="Takes the place of the scenario's fault.")
    ] = None,
    web: Annotated[
        int | None,
        typer.Option(min=1, max=65_535, help="Show Locust's own page at this port of loopback."),
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(help="Write Locust's CSV files; how their names begin.")
    ] = None,
    self_test: Annotated[
        bool, typer.Option("--self-test", help="Prove the harness against a stub that stalls.")
    ] = False,
) -> None:
    """Decide the 2-second bound by an open-loop load.

    Exit code 0: the claim is met; 1: violated; 2: wrong usage; 3: inconclusive; 4: invalid run.
    """
    from .load import command  # noqa: PLC0415 - see the module's docstring

    if self_test:
        raise typer.Exit(command.self_test(json_file))
    bank = command.Bank(target, url, token, token_command)
    options = command.Options(processes, web, csv, json_file, html)
    raise typer.Exit(command.load(scenario, bank, options, seed, at or [], fault))


@app.command()
def search(
    *,
    scenario: Scenario = "steady",
    target: TargetFile = None,
    url: BankUrl = None,
    token: Token = None,
    token_command: TokenCommand = None,
    processes: Processes = 1,
    json_file: JsonFile = None,
    html: HtmlFile = None,
    seed: Seed = None,
    resolution: Annotated[
        float,
        typer.Option(min=0.01, max=1, help="Stop when the answer is known to this share of it."),
    ] = 0.1,
) -> None:
    """Search for the highest arrival rate at which a scenario's claim holds.

    Exit code 0: found, and confirmed by another run; 2: wrong usage; 3: the claim held at no rate;
    4: the runs were invalid.
    """
    from .load import command  # noqa: PLC0415 - see the module's docstring

    bank = command.Bank(target, url, token, token_command)
    options = command.Options(processes, None, None, json_file, html)
    raise typer.Exit(command.search(scenario, bank, options, seed, resolution))


@app.command()
def replay(
    *,
    source: Annotated[str, typer.Argument(help="Whose books: berka or amlsim.")],
    data: Annotated[
        Path | None,
        typer.Option(envvar="BANKWRIGHT_DATA", help="The folder of the data. [../shared/data]"),
    ] = None,
    url: Url = DEFAULT_URL,
    token: Token = None,
    token_command: TokenCommand = None,
    run: Annotated[
        str | None,
        typer.Option(help="Begins every idempotency key: the same run never books twice. [SOURCE]"),
    ] = None,
    concurrency: Annotated[
        int, typer.Option(min=1, max=500, help="Accounts, or transfers, replayed at a time.")
    ] = 32,
    limit: Annotated[
        int | None, typer.Option(min=1, help="amlsim: the first so many transfers alone.")
    ] = None,
    unlimited_credit: Annotated[
        bool, typer.Option("--unlimited-credit", help="amlsim: accounts may go below zero.")
    ] = False,
    json_file: JsonFile = None,
) -> None:
    """Send published books through the API and compare what comes of them with what is known.

    berka: a real bank's entries, and its balance of every day. amlsim: transfers with the same
    outcomes as one at a time. Exit code 0: all agree; 1: some do not; 2: wrong usage; 4: the bank
    could not be used.
    """
    from .replay.amlsim import command as amlsim  # noqa: PLC0415 - see the module's docstring
    from .replay.berka import command as berka  # noqa: PLC0415 - see the module's docstring

    check_writable(json_file)
    if source == "berka":
        if limit or unlimited_credit:
            raise BadInputError("--limit and --unlimited-credit are for amlsim: leave them out")
        replay_books = berka.replay
    elif source == "amlsim":
        replay_books = partial(amlsim.replay, limit=limit, unlimited_credit=unlimited_credit)
    else:
        raise BadInputError(f"no books called {source!r}: there are berka and amlsim")
    tokens = TokenSource(token, token_command)
    agrees = replay_books(data, url, tokens, run or source, concurrency, json_file)
    raise typer.Exit(0 if agrees else VIOLATED)


@app.command(context_settings=ANY_OPTIONS)
def dst(
    context: typer.Context,
    *,
    bank: Annotated[
        Path, typer.Option(help="The folder of a generated bank.", file_okay=False)
    ] = Path(),
) -> None:
    """Simulate a bank's own code, deterministically: its `./scripts/simulate` with the deciders.

    What follows goes to it: --seeds, --seed, --case, --shrink and so on, see there. Exit code 0:
    nothing was found; 1: something was; 2: wrong usage.
    """
    from .dst.command import simulate  # noqa: PLC0415 - see the module's docstring

    raise typer.Exit(simulate(bank.resolve(), context.args))


def main() -> None:
    """Run the command line; what goes wrong ends in one line and an exit code."""
    try:
        app()
    except BadInputError as error:
        err.print(f"error: {error}", markup=False)
        raise SystemExit(USAGE) from None
    except BrokenRunError as error:
        err.print(f"the run broke off: {error}", markup=False)
        raise SystemExit(BROKEN) from None
    except SystemExit as ended:
        if ended.code != INTERRUPTED:
            raise
        err.print("interrupted: nothing was decided")
        raise SystemExit(BROKEN) from None
