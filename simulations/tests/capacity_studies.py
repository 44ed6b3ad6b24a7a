"""Capacity studies for tests: sweeps of a bank whose costs are known, because it is the model."""

from __future__ import annotations

from statistics import median

import numpy as np
from bank_simulations.capacity.costs import Costs, Layout
from bank_simulations.capacity.documents import Measured, Quantiles, Setting, Sweep
from bank_simulations.capacity.figures import offer
from bank_simulations.capacity.simulate import Simulated, simulate

TRUE = Costs(
    request=1.4e-3,
    look=0.7e-3,
    batch=0.9e-3,
    projection=5.0e-3,
    fold=40e-6,
    write=0.3e-3,
    row=40e-6,
    flush=2.5e-3,
    observer=0.4e-3,
    variation=0.6,
)
"""Each off the guess by a factor of up to two and a half."""


def setting(kind: str, offered: float, *, held_out: bool = False) -> Setting:
    given = {"kind": kind, "offered": offered, "seconds": 4.0, "seed": 3, "held_out": held_out}
    return Setting.model_validate(given)


def measured(
    plan: Setting, repeat: int, seen: Simulated, invalid: tuple[str, ...] = ()
) -> Measured:
    """What a sweep would have written of such a bank."""

    def quantiles(durations: list[float]) -> Quantiles:
        p50, p99, p99_9 = (float(each) for each in np.percentile(durations, (50, 99, 99.9)))
        return Quantiles(p50=p50, p99=p99, p99_9=p99_9)

    cpu = {name: seconds for name, seconds in seen.cpu_seconds.items() if seconds}
    return Measured(
        setting=plan,
        repeat=repeat,
        transfers=len(seen.visible_seconds),
        seconds=max(seen.ended_at),
        per_second=seen.per_second,
        visible=quantiles(seen.visible_seconds),
        answered=quantiles(seen.answered_seconds),
        cpu_seconds=cpu,
        batch_commands=seen.batch_commands,
        append_seconds=seen.append_seconds,
        invalid=invalid,
    )


def sweep_of(plan: tuple[Setting, ...], costs: Costs = TRUE, repeats: int = 2) -> Sweep:
    """A sweep of the model itself, each measurement with chances of its own."""
    empty = Sweep(
        started_at="2026-11-23T12:00:00+00:00",
        machine={"system": "none", "processor": "none", "cores": 2, "python": "3"},
        layout=Layout(),
        plan=plan,
        repeats=repeats,
        seed=1,
        idle_cores={},
        looks_per_second_max=500.0,
        closed_looks_per_second_max=4_000.0,
    )
    found = []
    for number, each in enumerate([one for one in plan for _ in range(repeats)]):
        seen = simulate(costs, empty.layout, offer(each, empty), seed=100 + number)
        found.append(measured(each, number % repeats + 1, seen))
    return empty.model_copy(update={"measured": tuple(found)})


def middle(sweep: Sweep, plan: Setting) -> float:
    """The median rate that was finished at a setting."""
    return median(each.per_second for each in sweep.measured if each.setting == plan)
