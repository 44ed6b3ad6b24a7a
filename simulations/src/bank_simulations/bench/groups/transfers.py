"""Transfers completed and visible: the bank beside whatever else could move the money."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_simulations.bench.bank import ONE_PARTITION
from bank_simulations.bench.bank_peers import BankBatches, BankOverHttp, Engine
from bank_simulations.bench.http_peers import Crud, Load
from bank_simulations.bench.inside.workloads import HOT, UNIFORM, WORKLOADS
from bank_simulations.bench.library import LibraryBank, LibrarySaga
from bank_simulations.bench.packages import missing
from bank_simulations.bench.pgbench import Pgbench, SimpleUpdate

if TYPE_CHECKING:
    from bank_simulations.bench.peers import Peer
    from bank_simulations.bench.plan import Bench

IN_ONE = (Engine, BankOverHttp)
"""Also measured with a log that is one partition: what several cost where one process works."""
OTHER_WORKLOADS = tuple(each for each in WORKLOADS if each not in {UNIFORM, HOT})


def expected_seconds(bench: Bench) -> float:
    """About how long it takes."""
    return bench.plan.contest.expected_seconds(bench.chosen(peers(bench)))


def run(bench: Bench) -> None:
    """Transfers a second for every peer; what they used is kept for the cost."""
    if bench.scores:
        return
    bench.scores = bench.plan.contest.hold(bench.chosen(peers(bench)))
    bench.figures += [score.figure("transfers") for score in bench.scores]


def peers(bench: Bench) -> list[Peer]:
    """All that take part."""
    return [*_others(bench), *_banks(bench)]


def _load(bench: Bench, workload: str = UNIFORM) -> Load:
    return Load(bench.plan.accounts, workload, bench.plan.seed)


def _others(bench: Bench) -> list[Peer]:
    server, scale = bench.server, bench.plan.scale
    found: list[Peer] = [Pgbench(server, scale), Crud(server, _load(bench))]
    if not bench.plan.is_quick:
        found += [SimpleUpdate(server, scale), Crud(server, _load(bench, HOT))]
    if why := missing("eventsourcing library"):
        bench.left_out["transfers on the eventsourcing library"] = why
    else:
        found += [LibraryBank(server, _load(bench)), LibrarySaga(server, _load(bench))]
    return found


def _banks(bench: Bench) -> list[Peer]:
    bank, server = bench.bank, bench.server
    if bank is None:
        return []
    others = () if bench.plan.is_quick else OTHER_WORKLOADS
    found: list[Peer] = [
        *(Engine(bank, server, _load(bench, each)) for each in (UNIFORM, HOT, *others)),
        BankOverHttp(bank, server, _load(bench)),
        BankBatches(bank, server, _load(bench)),
    ]
    if not bench.plan.is_quick:
        found += [each(bank, server, _load(bench), partitions=ONE_PARTITION) for each in IN_ONE]
        found += [BankOverHttp(bank, server, _load(bench, each)) for each in (HOT, *others)]
        found += [BankBatches(bank, server, _load(bench, each)) for each in (HOT, *others)]
    return found
