"""What a peer is, and how peers take turns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

from bank_simulations.console import err

if TYPE_CHECKING:
    from collections.abc import Sequence


class Peer(ABC):
    """Something that moves money between two accounts, durably, as often as it can.

    Attributes:
        name: what the table calls it.
        what: one line on what is measured.
        variants: settings it is tried at; the best one is measured.
        unit: what a variant counts, where it is a number.
    """

    name: str
    what: str
    variants: Sequence[Any]
    unit: str = ""

    @abstractmethod
    def prepare(self) -> None:
        """Make its data; called once."""

    @abstractmethod
    def measure(self, variant: Any, seconds: float) -> float:
        """Run at these settings; transfers per second."""

    def label(self, variant: Any) -> str:
        """The variant in words."""
        return f"{variant} {self.unit}".strip()

    def settings(self) -> dict[str, Any]:
        """What it was set up with, for the document."""
        return {}


@dataclass(slots=True)
class Score:
    """A peer's trials, its best variant, and what it did with it in every round."""

    peer: Peer
    trials: dict[str, float] = field(default_factory=dict)
    variant: Any = None
    rounds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The middle of all rounds."""
        return median(self.rounds) if self.rounds else 0.0

    @property
    def spread(self) -> float:
        """The distance from the slowest to the fastest round, as a share of the median."""
        return (max(self.rounds) - min(self.rounds)) / self.median if self.median else 0.0

    def document(self) -> dict[str, Any]:
        """The score as JSON, rates in transfers per second."""
        return {
            "name": self.peer.name,
            "what": self.peer.what,
            "settings": self.peer.settings(),
            "trials": self.trials,
            "variant": self.peer.label(self.variant),
            "rounds": self.rounds,
            "median": self.median,
            "spread": self.spread,
        }


def compete(
    peers: Sequence[Peer], rounds: int, seconds: float, trial_seconds: float
) -> list[Score]:
    """Prepare, try, and measure all peers in turn; without trials where `trial_seconds` is 0."""
    scores = [Score(peer) for peer in peers]
    for score in scores:
        err.print(f"{score.peer.name}: preparing")
        score.peer.prepare()
        _try(score, trial_seconds)
    for number in range(1, rounds + 1):
        for score in scores:
            rate = score.peer.measure(score.variant, seconds)
            score.rounds.append(rate)
            err.print(f"round {number}/{rounds}: {score.peer.name} {rate:,.0f}/s")
    return scores


def _try(score: Score, seconds: float) -> None:
    """Find the best variant; without a trial the one in the middle has to do."""
    variants = score.peer.variants
    if len(variants) == 1 or not seconds:
        score.variant = variants[len(variants) // 2]
        return
    rates = {}
    for variant in variants:
        rates[variant] = score.peer.measure(variant, seconds)
        label = score.peer.label(variant)
        err.print(f"{score.peer.name}: {rates[variant]:,.0f}/s with {label}")
        score.trials[label] = rates[variant]
    score.variant = max(rates, key=lambda variant: rates[variant])
