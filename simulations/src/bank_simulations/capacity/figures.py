"""The figures in which a measurement and a simulation are compared.

Each has a spread: how far a good model may be off, as one standard deviation of the logarithm. It
is what repeats of one measurement differ by on a quiet machine, and weighs the figures in the fit.
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Literal

from bank_simulations.load.arrivals import schedule
from bank_simulations.load.scenario import Accounts, Scenario, Step

from .documents import Setting, Sweep
from .simulate import Offer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .documents import Measured
    from .simulate import Simulated

PER_SECOND: Literal["per_second"] = "per_second"
P99: Literal["p99"] = "p99"
P50, ANSWERED = "p50", "answered_p50"
CPU = "cpu_"
BATCH, APPEND = "batch_commands", "append_seconds"
SPREADS = {PER_SECOND: 0.05, P50: 0.07, P99: 0.15, ANSWERED: 0.10, BATCH: 0.10, APPEND: 0.15}
CPU_SPREAD = 0.05
CLOSED_TRANSFERS = 400
WAIT_SECONDS = 2
"""Transfers are asked for with `Prefer: wait=2`, as a client would."""
CPU_LEAST_SECONDS = 1e-6
"""Processor seconds of a transfer below which a group is not compared."""


def spread(figure: str) -> float:
    """One standard deviation of the figure's logarithm."""
    return CPU_SPREAD if figure.startswith(CPU) else SPREADS[figure]


def measured_figures(point: Measured, idle_cores: dict[str, float]) -> dict[str, float]:
    """Of one measurement; what the processes use at rest anyway is taken off."""
    found = {PER_SECOND: point.per_second, P50: point.visible.p50, P99: point.visible.p99}
    found[ANSWERED] = point.answered.p50
    for group, seconds in point.cpu_seconds.items():
        own = (seconds - idle_cores.get(group, 0.0) * point.seconds) / max(1, point.transfers)
        if own > CPU_LEAST_SECONDS:
            found[CPU + group] = own
    if point.batch_commands and point.append_seconds:
        found[BATCH], found[APPEND] = point.batch_commands, point.append_seconds
    return _of_kind(point.setting, found)


def simulated_figures(setting: Setting, seen: Simulated) -> dict[str, float]:
    """The same of a simulation."""
    found = {
        PER_SECOND: seen.per_second,
        P50: seen.percentile(50),
        P99: seen.percentile(99),
        ANSWERED: median(seen.answered_seconds),
        BATCH: seen.batch_commands,
        APPEND: seen.append_seconds,
    }
    for group, seconds in seen.cpu_seconds.items():
        found[CPU + group] = max(CPU_LEAST_SECONDS, seconds / len(seen.visible_seconds))
    return _of_kind(setting, found)


def _of_kind(setting: Setting, found: dict[str, float]) -> dict[str, float]:
    """A closed loop has one degree of freedom: its rate and its median say the same."""
    if setting.kind == "closed":
        del found[P50], found[P99]
    return found


def offer(setting: Setting, sweep: Sweep) -> Offer:
    """The setting as the model takes it: an open loop with the very arrivals of the measurement."""
    if setting.kind == "open":
        due = tuple(each.at_seconds for each in schedule(scenario(setting)))
        return Offer(len(due), due=due, looks_per_second_max=sweep.looks_per_second_max)
    most = sweep.closed_looks_per_second_max
    return Offer(CLOSED_TRANSFERS, in_flight=round(setting.offered), looks_per_second_max=most)


def scenario(setting: Setting, accounts: Accounts | None = None) -> Scenario:
    """An open loop as a load run takes it."""
    return Scenario(
        title="capacity sweep",
        seed=setting.seed,
        wait_seconds=WAIT_SECONDS,
        accounts=accounts or Accounts(),
        steps=(Step(name="sweep", rate=setting.offered, seconds=setting.seconds),),
    )


def usable(sweep: Sweep, *, forced: bool) -> list[Measured]:
    """Measurements of the bank, not of the generator; all of them when forced."""
    return [each for each in sweep.measured if forced or not each.invalid]


def usl_points(points: Sequence[Measured]) -> list[tuple[float, float]]:
    """What the scalability law is fitted to: closed loops that are not held out."""
    return [
        (each.setting.offered, each.per_second)
        for each in points
        if each.setting.kind == "closed" and not each.setting.held_out
    ]
