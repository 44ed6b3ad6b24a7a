"""Whether a long log makes the bank slow: throughput, queries and rebuilds at each size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_simulations.bench.bank_peers import IN_FLIGHT
from bank_simulations.bench.figures import Figure
from bank_simulations.bench.inside.workloads import UNIFORM
from bank_simulations.bench.world import ACCOUNTS, FIRST_EVENTS, World
from bank_simulations.console import err

from . import queries

if TYPE_CHECKING:
    from bank_simulations.bench.plan import Bench

COPIED_PER_SECOND = 20_000
AROUND_SECONDS = 6.0


def sizes(largest: int) -> list[int]:
    """From the smallest log in steps of ten to the largest."""
    found = [FIRST_EVENTS]
    while found[-1] * 10 <= largest:
        found.append(found[-1] * 10)
    return found


def expected_seconds(bench: Bench) -> float:
    """About how long it takes; the rebuilds of the largest log are most of it."""
    if bench.bank is None:
        return 0.0
    plan, steps = bench.plan, sizes(bench.plan.growth_max)
    growing = steps[-1] / COPIED_PER_SECOND + sum(steps) / queries.REBUILT_PER_SECOND
    each = queries.asking_seconds(bench) + plan.contest.rounds * plan.contest.seconds
    return queries.MAKING_SECONDS + growing + len(steps) * (each + AROUND_SECONDS)


def run(bench: Bench) -> None:
    """Measure at each size."""
    if bench.bank is None:
        return
    world = World.create(bench, bench.bank, "growth")
    for size in sizes(bench.plan.growth_max):
        err.print(f"growth: {size:,} events")
        world.grow(size)
        _add_rebuilds(world, size)
        queries.ask(world, "growth", size)
        add_throughput(world, size)
    world.drop()


def _add_rebuilds(world: World, size: int) -> None:
    for name, run in world.rebuild().items():
        world.bench.figures.append(
            Figure(
                group="growth",
                name=f"rebuild of {name} at {size:,} events",
                what="events/s folded into a new table, nothing else under way",
                unit="/s",
                rounds=[run["events"] / run["seconds"]],
                settings={"events": run["events"], "copies": world.copies},
            )
        )


def add_throughput(world: World, size: int) -> None:
    """Transfers a second on a log of this size, on a copy: the transfers would make it longer."""
    plan, rounds = world.bench.plan, []
    job = {"package": world.bank.package, "accounts": world.accounts(ACCOUNTS)}
    with world.copied() as databases, world.bank.inside("engine", databases) as child:
        child.ask(job)
        for number in range(1, plan.contest.rounds + 1):
            wanted = {"workload": UNIFORM, "in_flight": IN_FLIGHT[1], "seed": f"{size}-{number}"}
            done = child.ask({**wanted, "seconds": plan.contest.seconds})
            rounds.append(done["transfers"] / done["seconds"])
    world.bench.figures.append(
        Figure(
            group="growth",
            name=f"transfers at {size:,} events",
            what=f"transfers/s completed and visible, in-process, between {ACCOUNTS} accounts",
            unit="/s",
            rounds=rounds,
            setting=f"{IN_FLIGHT[1]} in flight",
            settings={"events": world.events, "copies": world.copies},
        )
    )
