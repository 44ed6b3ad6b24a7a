"""The command line `bank-simulations`.

Commands import what they need when they run: Locust patches the standard library on import, and
the other commands have no use for that.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .console import BadInputError, BrokenRunError, err, out
from .files import check_writable, write_json
from .tokens import TokenSource

USAGE, BROKEN, VIOLATED = 2, 4, 1

app = typer.Typer(
    help="Load, replay and simulate a bank that speaks the Bankwright contract.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

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


@app.command()
def load(
    *,
    scenario: Annotated[
        str | None, typer.Argument(help="A scenario's name, or the path of a TOML file.")
    ] = None,
    url: Url = DEFAULT_URL,
    token: Token = None,
    token_command: TokenCommand = None,
    json_file: JsonFile = None,
    html: Annotated[
        Path | None, typer.Option(help="Write a self-contained report here.", dir_okay=False)
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Replaces the scenario's seed.")] = None,
    at: Annotated[
        list[str] | None,
        typer.Option(metavar="SECONDS=COMMAND", help="Run a command during the load; repeatable."),
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
    if scenario is None:
        raise BadInputError(f"give a scenario: {', '.join(command.scenario_names())}")
    wanted = command.read(scenario, seed)
    events = [command.parse_event(text) for text in at or []]
    tokens = TokenSource(token, token_command)
    code = command.load(scenario, wanted, url, tokens, events, json_file=json_file, html=html)
    raise typer.Exit(code)


@app.command()
def replay(
    *,
    source: Annotated[str, typer.Argument(help="Whose books: berka, or later amlsim.")],
    data: Annotated[
        Path | None,
        typer.Option(envvar="BANKWRIGHT_DATA", help="The folder of the data. [../shared/data]"),
    ] = None,
    url: Url = DEFAULT_URL,
    token: Token = None,
    token_command: TokenCommand = None,
    run: Annotated[
        str, typer.Option(help="Begins every idempotency key: the same run never books twice.")
    ] = "berka",
    concurrency: Annotated[
        int, typer.Option(min=1, max=500, help="Accounts replayed at the same time.")
    ] = 32,
    json_file: JsonFile = None,
) -> None:
    """Send a real bank's books through the API and compare the balances of every day.

    Exit code 0: every day agrees; 1: some do not; 2: wrong usage; 4: the bank could not be used.
    """
    if source == "amlsim":
        _not_built("replay amlsim")
    if source != "berka":
        raise BadInputError(f"no books called {source!r}: there is berka, and later amlsim")
    from .replay import command  # noqa: PLC0415 - see the module's docstring

    check_writable(json_file)
    tokens = TokenSource(token, token_command)
    outcome = command.replay(data, url, tokens, run, concurrency)
    write_json(json_file, outcome.document())
    command.tell(outcome)
    raise typer.Exit(0 if outcome.agrees else VIOLATED)


@app.command(context_settings=ANY_OPTIONS)
def dst() -> None:
    """Simulate the service's own code, deterministically (not built yet)."""
    _not_built("dst")


@app.command(context_settings=ANY_OPTIONS)
def faults() -> None:
    """Break real processes under load (not built yet)."""
    _not_built("faults")


@app.command(context_settings=ANY_OPTIONS)
def capacity() -> None:
    """Model how the bank scales (not built yet)."""
    _not_built("capacity")


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
    except KeyboardInterrupt:
        err.print("interrupted: nothing was decided")
        raise SystemExit(BROKEN) from None


def _not_built(name: str) -> None:
    out.print(f"bank-simulations {name} is not built yet")
    raise typer.Exit(USAGE)
