"""`bank-conformance init`: write a target file."""

from __future__ import annotations

import asyncio
import shlex
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from bank_conformance.hooks import DOES
from bank_conformance.probe import ProbeError, answers, offered
from bank_conformance.target import Target, TargetError, load_target
from bank_conformance.toml import quoted

from .console import console, fail

URL, COMMAND = (
    "http://127.0.0.1:8000",
    ("./scripts/bank token --subject {subject} --scope {scope} --seconds {seconds}"),
)

TEMPLATE = """\
# Describes a bank to bank-conformance. Check it with: bank-conformance run --target {file}

[target]
name = {name}
base_url = {url}
currency = {currency}
# replicas = ["http://127.0.0.1:8001"]  # where else the same bank serves
# mapping = "mapping.toml"  # for a bank of another HTTP shape: see "A bank of another shape" in the
#                             README of bank-conformance

[token]
# Prints a token and nothing else; runs in the folder of this file. {{subject}} is a customer id or
# any name for staff, {{scope}} a list with spaces, {{seconds}} the lifetime, if it can be chosen.
command = {command}

# What the bank offers is found by asking it. To switch something off:
# [capabilities]
# feed = false

# To let it be stopped, killed and looked into, give commands; each runs in the folder of this file,
# and what is missing is skipped, never passed:
# [hooks]
{hooks}

# [limits]
# request_seconds = 10.0
# time_scale = 1.0                  # stretches waits on a slow machine, never the normative 2 s
# erasure_effective_seconds = 5.0   # how soon an erasure must be effective everywhere
"""


def init(
    file: Annotated[Path, typer.Argument(help="The target file to write.")] = Path(
        "conformance.toml"
    ),
    name: Annotated[str | None, typer.Option(help="What to call the bank.")] = None,
    url: Annotated[str | None, typer.Option(help="Its base URL.")] = None,
    token_command: Annotated[str | None, typer.Option(help="The token command.")] = None,
    currency: Annotated[str, typer.Option(help="The currency of the accounts it opens.")] = "EUR",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing, take defaults.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    probe: Annotated[
        bool | None,
        typer.Option(help="Ask the bank what it offers, on an account opened for that."),
    ] = None,
) -> None:
    """Write a target file, asking for what was not given, and see whether the bank answers."""
    if file.exists() and not force:
        fail(f"{file} exists: choose another name, or give --force")
    base_url = url or _ask("Base URL of the bank", URL, yes=yes)
    called = name or _ask("What to call it", "my bank", yes=yes)
    command = token_command or _ask("Command that prints a token", COMMAND, yes=yes)
    text = TEMPLATE.format(
        file=shlex.quote(str(file)),
        name=quoted(called),
        url=quoted(base_url),
        currency=quoted(currency),
        command=quoted(command),
        hooks="\n".join(f'# {hook} = "…"  # {does}' for hook, does in DOES.items()),
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    try:
        target = load_target(file)
    except TargetError as error:
        file.unlink()
        fail(f"nothing written: {error}")
    console.print(f"wrote {file}", highlight=False)
    try:
        _look(target, probe=False if probe is None and yes else probe)
    except ProbeError as error:
        console.print(f"not asked: {escape(str(error))}", highlight=False)
    console.print(f"next: bank-conformance run --target {file}", highlight=False)


def _look(target: Target, *, probe: bool | None) -> None:
    """Say whether the bank answers, and with its owner's consent, what it offers.

    Raises:
        ProbeError: it does not answer, or tells nothing.
    """
    asyncio.run(answers(target))
    console.print(f"{target.base_url} answers", highlight=False)
    question = "Register a customer and open an account there, to see what it offers?"
    if probe is None:
        probe = typer.confirm(question, default=True)
    if probe:
        names, notes = asyncio.run(offered(target))
        console.print(f"it offers {', '.join(names) or 'accounts and transfers'}", highlight=False)
        for note in notes:
            console.print(f"note: {escape(note)}", highlight=False)


def _ask(question: str, default: str, *, yes: bool) -> str:
    return default if yes else str(typer.prompt(question, default=default))
