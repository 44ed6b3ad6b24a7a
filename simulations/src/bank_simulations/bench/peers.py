"""What a peer is, and how peers take turns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bank_simulations.console import err

from .figures import Figure, Measured

if TYPE_CHECKING:
    from collections.abc import Sequence

PREPARING_SECONDS, AROUND_SECONDS = 5.0, 3.0


class Peer(ABC):
    """Something that does one thing, durably, as often as it can.

    Attributes:
        name: what the table calls it.
        what: one line on what is measured.
        variants: settings it is tried at; the best one is measured.
        unit: what a variant counts, where it is a number.
        preparing_seconds: about how long it takes to make its data.
        around_seconds: about how long a run takes beside what is measured.
    """

    name: str
    what: str
    variants: Sequence[Any]
    unit: str = ""
    preparing_seconds: float = PREPARING_SECONDS
    around_seconds: float = AROUND_SECONDS

    @abstractmethod
    def prepare(self) -> None:
        """Make its data; called once."""

    @abstractmethod
    def measure(self, variant: Any, seconds: float) -> Measured:
        """Run at these settings; how many were done in which time."""

    def label(self, variant: Any) -> str:
        """The variant in words."""
        return f"{variant} {self.unit}".strip()

    def settings(self) -> dict[str, Any]:
        """What it was set up with, for the document."""
        return {}

    def close(self) -> None:  # noqa: B027 - most leave nothing running
        """End what `prepare` left running."""


@dataclass(slots=True)
class Score:
    """A peer's trials, its best variant, and what it did with it in every round."""

    peer: Peer
    trials: dict[str, float] = field(default_factory=dict)
    variant: Any = None
    runs: list[Measured] = field(default_factory=list)

    def figure(self, group: str) -> Figure:
        """Its rates."""
        return Figure(
            group=group,
            name=self.peer.name,
            what=self.peer.what,
            unit="/s",
            rounds=[run.rate for run in self.runs],
            setting=self.peer.label(self.variant),
            settings=self.peer.settings(),
            trials=self.trials,
        )


@dataclass(frozen=True, slots=True)
class Contest:
    """How long and how often peers run; without trials where `trial_seconds` is 0."""

    rounds: int
    seconds: float
    trial_seconds: float

    def expected_seconds(self, peers: Sequence[Peer]) -> float:
        """About how long it takes."""
        return sum(map(self._expected, peers))

    def _expected(self, peer: Peer) -> float:
        tried = len(peer.variants) if self.trial_seconds and len(peer.variants) > 1 else 0
        trials = tried * (self.trial_seconds + peer.around_seconds)
        return peer.preparing_seconds + trials + self.rounds * (self.seconds + peer.around_seconds)

    def hold(self, peers: Sequence[Peer]) -> list[Score]:
        """Prepare, try, and measure all peers in turn."""
        scores = [Score(peer) for peer in peers]
        try:
            for score in scores:
                err.print(f"{score.peer.name}: preparing")
                score.peer.prepare()
                self._try(score)
            for number in range(1, self.rounds + 1):
                for score in scores:
                    run = score.peer.measure(score.variant, self.seconds)
                    score.runs.append(run)
                    err.print(f"round {number}/{self.rounds}: {score.peer.name} {run.rate:,.0f}/s")
        finally:
            for peer in peers:
                peer.close()
        return scores

    def _try(self, score: Score) -> None:
        """Find the best variant; without a trial the one in the middle has to do."""
        variants = score.peer.variants
        if len(variants) == 1 or not self.trial_seconds:
            score.variant = variants[len(variants) // 2]
            return
        rates = {}
        for variant in variants:
            rates[variant] = score.peer.measure(variant, self.trial_seconds).rate
            label = score.peer.label(variant)
            err.print(f"{score.peer.name}: {rates[variant]:,.0f}/s with {label}")
            score.trials[label] = rates[variant]
        score.variant = max(rates, key=lambda variant: rates[variant])
