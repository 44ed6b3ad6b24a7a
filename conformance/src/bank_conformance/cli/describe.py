"""`bank-conformance list` and `explain`: what is required, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.markup import escape
from rich.table import Table

from bank_conformance.catalogue import Requirement, catalogue
from bank_conformance.report import write_json
from bank_conformance.requirements import CHECKS
from bank_conformance.selection import hint

from .console import console, fail

TITLE = {"built": "built", "planned": "planned", "self-test": "by self-test"}


def list_requirements(
    json: Annotated[Path | None, typer.Option(help="Write the catalogue as JSON.")] = None,
) -> None:
    """List the catalogue: what is built, and what is planned and never PASS."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("id", "level", "status"):
        table.add_column(column, no_wrap=True)
    table.add_column("requirement", overflow="fold")
    table.add_column("needs", overflow="fold")
    for one in catalogue().values():
        style = "" if one.status == "built" else "dim"
        table.add_row(
            one.id, one.level, TITLE[one.status], escape(one.must), _needs(one), style=style
        )
    console.print(table, soft_wrap=not console.is_terminal)
    built = sum(one.status == "built" for one in catalogue().values())
    console.print(f"{built} built, {len(catalogue())} in the catalogue", highlight=False)
    if json:
        write_json(json, {"requirements": [_plain(one) for one in catalogue().values()]})


def explain(
    requirement_id: Annotated[str, typer.Argument(metavar="ID", help="Such as CON-5.")],
    json: Annotated[Path | None, typer.Option(help="Write the requirement as JSON.")] = None,
) -> None:
    """Explain a requirement: what it says, why it matters, and how it is decided."""
    known, name = catalogue(), requirement_id.upper()
    if name not in known:
        fail(f"no requirement {requirement_id!r}: {hint(name)}")
    one = known[name]
    console.print(f"[bold]{one.id}[/]  {escape(one.must)}\n", highlight=False)
    for title, text in _facts(one):
        console.print(f"[dim]{title:<11}[/]{escape(text)}", highlight=False)
    if json:
        write_json(json, _plain(one))


def _facts(one: Requirement) -> list[tuple[str, str]]:
    facts = [
        ("why", one.rationale),
        ("level", one.level),
        ("decided by", one.decider),
        ("needs", _needs(one)),
        ("incident", one.incident),
        *[(f"mutant {key}", what) for key, what in one.mutants.items()],
        ("status", TITLE[one.status]),
        ("run", f"bank-conformance run --target FILE --only {one.id}"),
    ]
    runnable = one.status == "built"
    return [(title, text) for title, text in facts if text and (title != "run" or runnable)]


def _needs(one: Requirement) -> str:
    """Return what the target has to offer, and which hooks its file has to give."""
    check = CHECKS.get(one.id)
    if check is None:
        return ""
    hooks = f"hooks {', '.join(check.hooks)}" if check.hooks else ""
    return "; ".join(part for part in (", ".join(check.needs), hooks) if part)


def _plain(one: Requirement) -> dict[str, Any]:
    check, plain = CHECKS.get(one.id), msgspec.to_builtins(one)
    needs = {"needs": list(check.needs), "hooks": list(check.hooks)} if check else {}
    found: dict[str, Any] = plain | needs
    return found
