"""`./scripts/docs`: the documentation site."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from . import report
from .running import run
from .steps import DOCS, PROGRAMS, ROOT

Serve = Annotated[bool, typer.Option("--serve", help="Serve it and rebuild on change.")]
Address = Annotated[str, typer.Option("--address", help="Where to serve, as HOST:PORT.")]


def docs(serve: Serve = False, address: Address = "127.0.0.1:8001") -> None:
    """Build the documentation into ./site, or serve it while you write.

    Exit code 0 when it was built without a warning, 1 otherwise, 2 for wrong usage.
    """
    if serve:
        os.chdir(ROOT)
        os.execv(PROGRAMS / "mkdocs", ["mkdocs", "serve", "--dev-addr", address])  # noqa: S606
    outcome = run(DOCS, stream=True)
    if not outcome.failed:
        report.console.print(f"Built: {ROOT / 'site' / 'index.html'}")
    raise typer.Exit(outcome.failed)
