"""What was promised, what was measured, and whether that is the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Check:
    """One promise, decided."""

    promise: str
    measured: str
    passed: bool


def table(checks: Sequence[Check]) -> Table:
    """The checks for a terminal."""
    rows = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for head in ("promised", "measured", "verdict"):
        rows.add_column(head, overflow="fold")
    for check in checks:
        verdict = "[green]holds[/]" if check.passed else "[bold red]BROKEN[/]"
        rows.add_row(check.promise, check.measured, verdict)
    return rows
