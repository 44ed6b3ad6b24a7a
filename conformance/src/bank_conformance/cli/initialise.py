"""`bank-conformance init`: write a target file."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Annotated

import typer

from bank_conformance.target import TargetError, load_target

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

[token]
# Prints a token and nothing else; runs in the folder of this file. {{subject}} is a customer id or
# any name for staff, {{scope}} a list with spaces, {{seconds}} the lifetime, if it can be chosen.
command = {command}

# What the bank offers is found by asking it. To switch something off:
# [capabilities]
# feed = false

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
) -> None:
    """Write a target file, asking for what was not given."""
    if file.exists() and not force:
        fail(f"{file} exists: choose another name, or give --force")
    base_url = url or _ask("Base URL of the bank", URL, yes=yes)
    called = name or _ask("What to call it", "my bank", yes=yes)
    command = token_command or _ask("Command that prints a token", COMMAND, yes=yes)
    text = TEMPLATE.format(
        file=shlex.quote(str(file)),
        name=_toml(called),
        url=_toml(base_url),
        currency=_toml(currency),
        command=_toml(command),
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    try:
        load_target(file)
    except TargetError as error:
        file.unlink()
        fail(f"nothing written: {error}")
    console.print(f"wrote {file}\nnext: bank-conformance run --target {file}", highlight=False)


def _ask(question: str, default: str, *, yes: bool) -> str:
    return default if yes else str(typer.prompt(question, default=default))


def _toml(text: str) -> str:
    """Return `text` as a TOML basic string, whose escapes are JSON's."""
    return json.dumps(text, ensure_ascii=False)
