"""The command line: run, list, explain, self-test, init, verify."""

from __future__ import annotations

import sys

import typer

from bank_conformance.verdict import Exit

from . import describe, initialise, running, testing, verifying
from .console import say_error

app = typer.Typer(
    name="bank-conformance",
    help="Decide which guarantees a bank keeps, over HTTP, and name what is broken by id.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    epilog="Exit codes: 0 conformant, 1 not conformant, 2 usage, 3 inconclusive, 4 invalid run.",
)
app.command("run")(running.run)
app.command("list")(describe.list_requirements)
app.command("explain")(describe.explain)
app.command("self-test")(testing.self_test)
app.command("init")(initialise.init)
app.add_typer(verifying.app, name="verify")


def main() -> None:
    """Run the command line; what the world does to it ends in one line."""
    try:
        app()
    except BrokenPipeError:
        sys.exit(Exit.USAGE)
    except OSError as error:
        say_error(f"{error.filename or 'input/output'}: {error.strerror or error}")
        sys.exit(Exit.USAGE)
