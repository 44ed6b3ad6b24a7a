"""What a run tells its user: a bar on a terminal, a plain line every few seconds elsewhere.

Progress goes to standard error and results to standard output. Nothing here starts a thread: the
load generator keeps its schedule in one thread, and a refresh in another would disturb it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

if TYPE_CHECKING:
    from types import TracebackType

LINE_SECONDS = 5.0
BAR_SECONDS = 0.1

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


class BadInputError(Exception):
    """What the user gave cannot be used; its text names the cure. Exit code 2."""


class BrokenRunError(Exception):
    """The run could not be carried out, so it decides nothing. Exit code 4."""


class Progress:
    """How far a piece of work with a known `total` has come; use it as a context manager."""

    def __init__(self, title: str, total: int) -> None:
        self.title, self.total, self.done = title, total, 0
        self._said_at = time.monotonic()
        self._bar = _bar() if err.is_terminal else None
        self._task = self._bar.add_task(title, total=total) if self._bar else None

    def advance(self, count: int = 1) -> None:
        """Count finished pieces, and show it when it is time to."""
        self.done += count
        now = time.monotonic()
        if now - self._said_at >= (BAR_SECONDS if self._bar else LINE_SECONDS):
            self._said_at = now
            self._show()

    def _show(self) -> None:
        if self._bar and self._task is not None:
            self._bar.update(self._task, completed=self.done, refresh=True)
        else:
            err.print(f"{self.title}: {self.done:,} of {self.total:,}")

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._show()
        if self._bar:
            self._bar.stop()


def _bar() -> Bar:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    return Bar(*columns, console=err, auto_refresh=False)
