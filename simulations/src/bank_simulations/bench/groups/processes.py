"""Two and four processes of the bank on one database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_simulations.bench.bank_peers import Engine
from bank_simulations.bench.http_peers import Load
from bank_simulations.bench.inside.workloads import UNIFORM

if TYPE_CHECKING:
    from bank_simulations.bench.peers import Peer
    from bank_simulations.bench.plan import Bench

COUNTS = (1, 2, 4)


def expected_seconds(bench: Bench) -> float:
    """About how long it takes."""
    return bench.plan.contest.expected_seconds(bench.chosen(peers(bench)))


def run(bench: Bench) -> None:
    """Transfers a second of all processes together."""
    for score in bench.plan.contest.hold(bench.chosen(peers(bench))):
        bench.figures.append(score.figure("processes"))


def peers(bench: Bench) -> list[Peer]:
    """All that take part."""
    if bench.bank is None:
        return []
    load = Load(bench.plan.accounts, UNIFORM, bench.plan.seed)
    return [Engine(bench.bank, bench.server, load, each) for each in COUNTS]
