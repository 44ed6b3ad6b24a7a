"""What the terminal shows: live progress where there is one, plain lines elsewhere."""

from __future__ import annotations

import sys
from typing import NoReturn, Self

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from bank_conformance.runner import Run
from bank_conformance.verdict import Exit, Result, Verdict

STYLES = {
    "PASS": "green",
    "FAIL": "bold red",
    "WARN": "yellow",
    "SKIP": "dim",
    "INCONCLUSIVE": "yellow",
    "DISABLED": "dim",
    "KNOWN": "yellow",
    "STALE": "bold red",
}
PLAIN_WIDTH = 200

console = Console(soft_wrap=True, width=None if sys.stdout.isatty() else PLAIN_WIDTH)
errors = Console(stderr=True, soft_wrap=True)


def say_error(text: str) -> None:
    """Print one line to standard error."""
    errors.print(f"[red]bank-conformance:[/] {escape(text)}", highlight=False)


def fail(text: str, code: int = Exit.USAGE) -> NoReturn:
    """Print one line and exit."""
    say_error(text)
    raise typer.Exit(code)


def coloured(verdict: Verdict | str, width: int = 0) -> str:
    """Return a verdict in its colour."""
    return f"[{STYLES.get(verdict, 'bold')}]{verdict:<{width}}[/]"


class Live:
    """Shows a run as it goes: how much is decided, what is being decided, a line for what is."""

    def __init__(self, prefix: str = "", total: int = 0, outcome: Run | None = None) -> None:
        self.prefix, self.outcome = prefix, outcome
        self.bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self.whole = self.bar.add_task(f"0 of {total} decided", total=total) if total else None
        self.task: TaskID | None = None

    def __enter__(self) -> Self:
        """Begin to show."""
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave only the lines."""
        self.bar.stop()

    def started(self, requirement_id: str) -> None:
        """Show what is being decided."""
        self._clear()
        self.task = self.bar.add_task(f"{self.prefix}{requirement_id}", total=None)

    def progress(self, requirement_id: str, done: int, total: int) -> None:
        """Move the bar."""
        if self.task is not None:
            text = f"{self.prefix}{requirement_id}"
            self.bar.update(self.task, description=text, completed=done, total=total)

    def finished(self, result: Result) -> None:
        """Print the verdict."""
        self._clear()
        label, reason = self._said(result)
        text = f"{self.prefix}{result.requirement_id:<7} {coloured(label, 12)}"
        console.print(f"{text} {result.seconds:5.1f} s  {escape(reason)}", highlight=False)
        if self.whole is not None:
            self.bar.advance(self.whole)
            done = self.bar.tasks[0]
            text = f"{done.completed:.0f} of {done.total:.0f} decided"
            self.bar.update(self.whole, description=text)

    def _said(self, result: Result) -> tuple[str, str]:
        """Return the word and the reason, without secrets."""
        if self.outcome is None:
            return result.verdict, result.decision.reason
        label, reason = self.outcome.baseline.shown(result)
        return label, self.outcome.redacted(reason)

    def _clear(self) -> None:
        if self.task is not None:
            self.bar.remove_task(self.task)
            self.task = None
