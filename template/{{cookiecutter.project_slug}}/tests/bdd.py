"""Given what happened, when this is asked, then that is recorded: how a rule reads as a test.

account = Decider(decide, evolve)
account.given(opened, credited).when(PlaceHold(…)).then(HoldPlaced(…))
account.given(opened).when(PlaceHold(…)).then_rejected("insufficient-funds")
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Generic, TypeVar

from ourbank.domain.rejection import Rejection

S = TypeVar("S")
C = TypeVar("C")
E = TypeVar("E")


@dataclass(frozen=True)
class Decider(Generic[S, C, E]):
    """The two functions of an aggregate."""

    decide: Callable[[C, S | None], Sequence[E] | Rejection]
    evolve: Callable[[S | None, E], S]

    def fold(self, events: Iterable[E], state: S | None = None) -> S | None:
        """The state after these events."""
        return reduce(self.evolve, events, state)

    def given(self, *events: E) -> "Given[S, C, E]":
        """A stream in which exactly this happened."""
        return Given(self, self.fold(events))


@dataclass(frozen=True)
class Given(Generic[S, C, E]):
    """A state that events led to."""

    decider: Decider[S, C, E]
    state: S | None

    def when(self, command: C) -> "Outcome[S, C, E]":
        """Ask for something."""
        return Outcome(self.decider, self.state, self.decider.decide(command, self.state))


@dataclass(frozen=True)
class Outcome(Generic[S, C, E]):
    """What a command led to."""

    decider: Decider[S, C, E]
    state: S | None
    decision: Sequence[E] | Rejection

    def then(self, *events: E) -> S | None:
        """Exactly these events; the state after them, for those who want to look closer."""
        assert self.decision == list(events), _difference(events, self.decision)
        return self.decider.fold(events, self.state)

    def then_nothing(self) -> None:
        """No event, and no refusal: it was done before, or is settled."""
        self.then()

    def then_rejected(self, code: str) -> None:
        """Refused, with this code."""
        got = self.decision.code if isinstance(self.decision, Rejection) else self.decision
        assert got == code, _difference([code], self.decision)


def _difference(expected: Iterable[object], decision: object) -> str:
    got = decision if isinstance(decision, list) else [decision]
    lines = ["expected", *(f"  {e!r}" for e in expected), "got", *(f"  {e!r}" for e in got)]
    return "\n".join(lines)
