"""What is measured, how long and how often: a full run, or a look of about a minute."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .peers import Contest

if TYPE_CHECKING:
    from pathlib import Path

    from .bank import Bank
    from .figures import Figure
    from .peers import Peer, Score
    from .postgres import Server

GROUPS = ("appends", "transfers", "visibility", "cost", "queries", "growth", "processes")
QUICK_GROUPS = ("appends", "transfers", "visibility", "cost", "queries")


@dataclass(frozen=True, slots=True)
class Plan:
    """The sizes of a run.

    Attributes:
        groups: which groups of measurements, in order.
        contest: rounds and seconds of peers that take turns.
        accounts: between how many money moves.
        scale: pgbench's.
        seed: of accounts, arrivals and rows.
        growth_max: how many events the largest log has.
        is_quick: only the peers that matter most, and smaller sizes.
        only_peers: names, or beginnings of names; all where there are none.
    """

    groups: tuple[str, ...]
    contest: Contest
    accounts: int
    scale: int
    seed: int
    growth_max: int
    is_quick: bool = False
    only_peers: tuple[str, ...] = ()

    @property
    def batches(self) -> tuple[int, ...]:
        """Rows of one append."""
        return (500,) if self.is_quick else (1, 10, 100, 500)

    @property
    def open_loop_seconds(self) -> float:
        """How long transfers arrive when their visibility is measured."""
        return 3.0 if self.is_quick else max(20.0, self.contest.seconds)

    @property
    def memory_accounts(self) -> int:
        """How many are opened to see what they cost."""
        return 2_000 if self.is_quick else 100_000

    @property
    def query_count(self) -> int:
        """How often each query is asked."""
        return 200 if self.is_quick else 2_000

    def wants(self, peer: Peer) -> bool:
        """Whether a peer was chosen."""
        return not self.only_peers or any(peer.name.startswith(name) for name in self.only_peers)


@dataclass(slots=True)
class Bench:
    """A run under way: where it happens, and what was found so far.

    `left_out` says what could not be measured, and why; `scores` are those of the transfers.
    """

    server: Server
    bank: Bank | None
    room: Path
    plan: Plan
    figures: list[Figure] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    scores: list[Score] = field(default_factory=list)

    def chosen(self, peers: list[Peer]) -> list[Peer]:
        """Those of them that were asked for."""
        return [peer for peer in peers if self.plan.wants(peer)]

    def rate(self, name: str) -> float | None:
        """What a peer of the transfers reached, if it was measured."""
        found = [figure for figure in self.figures if figure.group == "transfers"]
        return next((figure.median for figure in found if figure.name == name), None)
