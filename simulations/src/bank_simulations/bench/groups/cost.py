"""What a transfer, a start and an account cost."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from bank_simulations.bench.bank import Bank, Databases
from bank_simulations.bench.figures import Figure, per_transfer
from bank_simulations.bench.http_peers import HttpPeer

from . import transfers

if TYPE_CHECKING:
    from bank_simulations.bench.peers import Score
    from bank_simulations.bench.plan import Bench

MEMORY_PER_ACCOUNTS = 100_000
OPENED_PER_SECOND = 700
MEMORY_SECONDS_MAX = 3_600.0


def expected_seconds(bench: Bench) -> float:
    """About how long it takes, beside the transfers it looks at."""
    contest = 0.0 if "transfers" in bench.plan.groups else transfers.expected_seconds(bench)
    memory = 6 + bench.plan.memory_accounts / OPENED_PER_SECOND if bench.bank else 0
    return contest + memory


def run(bench: Bench) -> None:
    """Processor time and disk for each transfer, the time a start takes, memory of accounts."""
    transfers.run(bench)
    for score in bench.scores:
        _add_cost(bench, score)
        if isinstance(score.peer, HttpPeer):
            _add_start(bench, score.peer)
    if bench.bank:
        _add_memory(bench, bench.bank)


def _add_cost(bench: Bench, score: Score) -> None:
    for kind, unit in (("cpu_seconds", "CPU s"), ("disk_bytes", "bytes")):
        costs = per_transfer(score.runs, kind)
        if kind == "cpu_seconds" and costs:
            costs["all"] = [sum(each) for each in zip(*costs.values(), strict=True)]
        for component, rounds in costs.items():
            bench.figures.append(
                Figure(
                    group="cost",
                    name=f"{score.peer.name}: {unit}, {component}",
                    what=f"{unit} for each transfer of this component",
                    unit=unit,
                    rounds=rounds,
                    setting=score.peer.label(score.variant),
                    settings={"of": score.peer.name, "component": component},
                )
            )


def _add_start(bench: Bench, peer: HttpPeer) -> None:
    what = "from the command until it says that it is ready; its data are there"
    name = f"{peer.name}: start"
    bench.figures.append(Figure("cost", name, what, "s", list(peer.start_seconds)))


def _add_memory(bench: Bench, bank: Bank) -> None:
    if not sys.platform.startswith("linux"):
        bench.left_out["memory of accounts"] = "only Linux says what a process has now"
        return
    opened = bench.plan.memory_accounts
    databases = Databases.create(bench.server, "memory")
    with bank.inside("memory", databases) as child:
        found = child.ask({"package": bank.package, "accounts": opened}, MEMORY_SECONDS_MAX)
    bench.server.drop(databases.events)
    grown = found["after_bytes"] - found["before_bytes"]
    scaled = "" if opened == MEMORY_PER_ACCOUNTS else f", extrapolated from {opened:,}"
    bench.figures.append(
        Figure(
            group="cost",
            name=f"memory for {MEMORY_PER_ACCOUNTS:,} accounts",
            what=f"what the process grew by with opened and funded accounts{scaled}",
            unit="bytes",
            rounds=[grown * MEMORY_PER_ACCOUNTS / opened],
            settings={"accounts_opened": opened, "before_bytes": found["before_bytes"]},
        )
    )
