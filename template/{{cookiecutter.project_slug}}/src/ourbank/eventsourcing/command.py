"""What goes into a partition loop, and what comes out."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..domain.rejection import Rejection
from .aggregate import Versioned
from .event import Recorded

Decision = Sequence[tuple[str, Any]] | Rejection
"""Events, each with the stream it belongs to, or a rejection."""
Decide = Callable[..., Decision]
"""From the states of a command's streams to what it leads to; pure."""


@dataclass(slots=True)
class Result:
    """What a command led to.

    `version` and `state` are those of the primary stream after the command; `position` that of the
    command's last event in its partition (for a rejection, of the log when it was decided). A
    replayed result was decided earlier, under the same key; it has no state.
    """

    version: int
    position: int
    events: Sequence[Recorded] = ()
    rejection: Rejection | None = None
    replayed: bool = False
    state: Any = None


@dataclass(slots=True)
class Command:
    """A decision to be made on the current states of one or more streams of one partition.

    `decide` is given the states in the order of `streams`; the first is the primary one. It must
    be pure: it may be called again when a state turns out to be stale. `is_new` says that the
    primary stream cannot exist yet. `if_version` rejects when the primary stream stands elsewhere.

    Exactly one of `done` and `failed` is called, once: `done` after the commit, `failed` when it
    is not known whether there was one.
    """

    streams: tuple[str, ...]
    decide: Decide
    meta: str
    done: Callable[[Result], None]
    failed: Callable[[Exception], None]
    key: str | None = None
    fingerprint: str = ""
    if_version: int | None = None
    is_new: bool = False
    is_answered: bool = False

    def answer(self, result: Result) -> None:
        """Tell who asked what came of it."""
        self.is_answered = True
        self.done(result)

    def fail(self, error: Exception) -> None:
        """Tell who asked that it went wrong, unless the answer was given already."""
        if not self.is_answered:
            self.is_answered = True
            self.failed(error)


@dataclass(slots=True)
class Read:
    """A wish to see a stream's state as of a moment not before the wish."""

    stream: str
    done: "asyncio.Future[Versioned]"

    def answer(self, state: Versioned) -> None:
        """Tell who asked, unless they have left."""
        if not self.done.done():
            self.done.set_result(state)

    def fail(self, error: Exception) -> None:
        """Tell who asked that it went wrong, unless they have left."""
        if not self.done.done():
            self.done.set_exception(error)
