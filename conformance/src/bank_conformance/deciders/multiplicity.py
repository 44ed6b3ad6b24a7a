"""Multiplicity: how often something took effect, against how often it was asked for.

An acknowledged intent must have had its effect exactly as often as it asks; a refused one never;
one without a clear answer at most so often.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from bank_conformance.history import Outcome

Mark = TypeVar("Mark", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Intent(Generic[Mark]):
    """Something a client wanted once, however often it was sent."""

    mark: Mark
    """What its effect is recognised by."""
    outcomes: tuple[Outcome, ...]
    """What every try was answered."""
    operations: tuple[int, ...] = ()

    def effects(self) -> range:
        """Return how many effects the answers allow."""
        if Outcome.OK in self.outcomes:
            return range(1, 2)
        return range(2) if Outcome.INFO in self.outcomes else range(1)


@dataclass(frozen=True, slots=True)
class Miscount(Generic[Mark]):
    """An intent with another number of effects than its answers allow; None: nobody asked for
    it.
    """

    mark: Mark
    effects: int
    intent: Intent[Mark] | None

    def __str__(self) -> str:
        """Say what was counted, and what was allowed."""
        if self.intent is None:
            return f"{self.effects} effects that nobody asked for"
        allowed = " or ".join(str(number) for number in self.intent.effects())
        answers = ", ".join(f"{n} {o}" for o, n in Counter(self.intent.outcomes).items())
        return f"{self.effects} effects after the answers {answers}: expected {allowed}"


def miscounts(intents: Sequence[Intent[Mark]], effects: Iterable[Mark]) -> list[Miscount[Mark]]:
    """Return the intents whose effects were too few or too many, and the effects without an
    intent.
    """
    counts = Counter(effects)
    asked = {intent.mark for intent in intents}
    wrong = [
        Miscount(intent.mark, counts[intent.mark], intent)
        for intent in intents
        if counts[intent.mark] not in intent.effects()
    ]
    return wrong + [Miscount(mark, n, None) for mark, n in counts.items() if mark not in asked]
