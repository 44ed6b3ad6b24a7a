"""What a rate would need: the model's averages, solved for the number of processes.

Nothing may be busier than `utilisation_max`, which leaves room for bursts. A bank grows within one
cell (one log on one database) as long as adding processes helps; it stops to help because every API
process reads what the others appended to the partitions it writes to. Beyond that there must be
several cells.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .costs import EVENTS, PASS_SECONDS_MIN, Costs, Layout
from .documents import Size, Sizing
from .means import busy
from .predict import interval
from .simulate import Offer, simulate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from .documents import Study

UTILISATION_MAX = 0.6
API_COUNT_MAX = 64
DATABASE_CORES_MAX = 64
PARTITIONS_MIN, PARTITIONS_MAX = 4, 1024
CONNECTIONS_MAX = 5_000
"""The largest cell that is thought of: beyond it a single database server is no longer usual, and
1,024 partitions is what the bank allows.
"""
SIMULATED_SECONDS, SIMULATED_TRANSFERS = 3.0, (2_000, 20_000)
RATES = (100.0, 10_000.0, 100_000.0)
SEARCH_ROUNDS = 24
DRAWS = 40
LEFT_MIN = 0.1
NEEDS = ("api_count", "worker_count", "partition_count", "database_cores", "connection_count")


@dataclass(frozen=True, slots=True)
class Room:
    """How a bank is to be sized: reads of a history per transfer, and how busy a part may be."""

    reads: int = 2
    utilisation_max: float = UTILISATION_MAX


@dataclass(frozen=True, slots=True)
class Plan:
    """So many cells, each laid out like this."""

    cells: int
    layout: Layout


def sizes(
    study: Study, rates: Iterable[float], room: Room, told: Callable[[], None] = lambda: None
) -> Sizing:
    """A size for each rate, with intervals over the fit's bootstrap draws."""
    fit = study.require_fit()
    best = Costs(**{name: each.cost.value for name, each in fit.costs.items()})
    drawn = [Costs.from_logs(logs) for logs in fit.draws[:DRAWS]]
    most = [cell_rate_max(costs, room) for costs in (best, *drawn)]
    found = []
    for rate in rates:
        plans = [plan(costs, rate, room, most[i]) for i, costs in enumerate((best, *drawn))]
        found.append(_size(best, rate, room, plans, fit.highest_per_second))
        told()
    return Sizing(
        reads=room.reads,
        utilisation_max=room.utilisation_max,
        cell_per_second_max=interval(most[0], most[1:]),
        sizes=tuple(found),
    )


def plan(costs: Costs, rate: float, room: Room, cell_max: float) -> Plan:
    """The fewest cells, and the least of each part in them."""
    cells = max(1, math.ceil(rate / cell_max))
    layout = cell(costs, rate / cells, room)
    while layout is None:  # at the very limit of a cell
        cells += 1
        layout = cell(costs, rate / cells, room)
    return Plan(cells, layout)


def cell(costs: Costs, rate: float, room: Room) -> Layout | None:
    """The least layout of one cell for a rate; None when none is enough."""
    answering = rate * (costs.request + room.reads * costs.look)
    least = max(1, math.ceil(answering / room.utilisation_max))
    for api_count in range(least, API_COUNT_MAX + 1):
        layout = _laid_out(costs, rate, room, api_count)
        if layout is not None:
            return layout
    return None


def cell_rate_max(costs: Costs, room: Room) -> float:
    """The highest rate, in transfers per second, for which one cell can be laid out."""
    low, high = 1e-3, 1e6
    for _ in range(SEARCH_ROUNDS):
        middle = math.sqrt(low * high)
        if cell(costs, middle, room):
            low = middle
        else:
            high = middle
    return low


def _laid_out(costs: Costs, rate: float, room: Room, api_count: int) -> Layout | None:
    """With so many API processes: partitions until no lock is too busy, then cores."""
    workers = _worker_count(costs, rate, room)
    partitions = max(PARTITIONS_MIN, 1 << (workers - 1).bit_length())
    while partitions <= PARTITIONS_MAX:
        layout = Layout(api_count, workers, partitions, machine_cores=0)
        if layout.connection_count > CONNECTIONS_MAX:
            return None
        used = busy(costs, layout, rate, room.reads)
        cores = max(1, math.ceil(used.database / room.utilisation_max))
        if used.api > room.utilisation_max or cores > DATABASE_CORES_MAX:
            return None
        if used.lock <= room.utilisation_max:
            return replace(layout, database_cores=cores)
        partitions *= 2
    return None


def _worker_count(costs: Costs, rate: float, room: Room) -> int:
    """Workers that keep up with their passes at the shortest interval."""
    left = room.utilisation_max - costs.projection / PASS_SECONDS_MIN
    return max(1, math.ceil(EVENTS * rate * costs.fold / max(left, LEFT_MIN)))


def _size(best: Costs, rate: float, room: Room, plans: Sequence[Plan], measured_max: float) -> Size:
    first, others = plans[0], plans[1:]
    return Size(
        per_second=rate,
        simulated=rate > measured_max,
        cells=interval(first.cells, [each.cells for each in others]),
        needs={
            name: interval(
                getattr(first.layout, name), [getattr(each.layout, name) for each in others]
            )
            for name in NEEDS
        },
        p99_seconds=p99_seconds(best, first.layout, rate / first.cells, room),
    )


def p99_seconds(costs: Costs, layout: Layout, rate: float, room: Room) -> float:
    """Of visibility in one cell, by simulation."""
    least, most = SIMULATED_TRANSFERS
    transfers = round(min(most, max(least, rate * SIMULATED_SECONDS)))
    seen = simulate(costs, layout, Offer(transfers, rate=rate, reads=room.reads))
    return seen.percentile(99)
