"""Appends alone: the bank's log beside raw SQL, another event store, and a library's recorder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_simulations.bench.append_peers import BankLog, LibraryRecorder, Uma, Unnest
from bank_simulations.bench.packages import missing

if TYPE_CHECKING:
    from bank_simulations.bench.peers import Peer
    from bank_simulations.bench.plan import Bench


def expected_seconds(bench: Bench) -> float:
    """About how long it takes."""
    return bench.plan.contest.expected_seconds(bench.chosen(peers(bench)))


def run(bench: Bench) -> None:
    """Events a second for every store and every size of batch."""
    for score in bench.plan.contest.hold(bench.chosen(peers(bench))):
        bench.figures.append(score.figure("appends"))


def peers(bench: Bench) -> list[Peer]:
    """All that take part."""
    return [peer for batch in bench.plan.batches for peer in _stores(bench, batch)]


def _stores(bench: Bench, batch: int) -> list[Peer]:
    seed, server = bench.plan.seed, bench.server
    stores: list[Peer] = [Unnest(server, batch, seed)]
    if bench.bank:
        stores.append(BankLog(bench.bank, server, batch, seed))
    if why := missing("UmaDB"):
        bench.left_out["appends of UmaDB"] = why
    else:
        stores.append(Uma(bench.room, batch, seed))
    if why := missing("eventsourcing library"):
        bench.left_out["appends of the eventsourcing library"] = why
    else:
        stores.append(LibraryRecorder(server, batch, seed))
    return stores
