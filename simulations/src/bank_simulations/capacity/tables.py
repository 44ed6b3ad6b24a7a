"""A study in tables: for the terminal, and as Markdown for a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table

from bank_simulations.load.summary import duration, percent

from .figures import PER_SECOND
from .predict import WITHIN
from .simulate import BOUND_SECONDS
from .size import NEEDS
from .study import PEAK_MAX

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .documents import Fit, Predicted, Range, Setting, Size, Sizing, Study

Row = tuple[str, ...]
LEARNED_MIN = 0.3
COUNT_MIN = 100
NOTHING = 1e-9
GUESSED = "hardly: it rests on the guess"
WARNING = """!!! warning "Invalid measurements were used"

    In some of them the load generator was measured, not the bank: the machine had other work. No
    figure here is to be relied on."""
WHAT = {
    "request": "API: a transfer over HTTP, with its three commands",
    "look": "API: a read of a history",
    "batch": "API: a batch, whatever is in it",
    "projection": "worker: a projection pass, whatever is in it",
    "fold": "worker: an event read and folded",
    "write": "database: a transaction, whatever is in it",
    "row": "database: an event stored or projected, or a read",
    "flush": "waiting until a transaction is on disk",
    "observer": "load generator: a request and its answer",
    "variation": "squared coefficient of variation of every job",
}
COSTS_HEAD = ("cost", "milliseconds", "90 % interval", "learned from the sweep")
USL_HEAD = ("scalability law", "value", "90 % interval")
PREDICTIONS_HEAD = ("held out", "figure", "predicted", "90 % interval", "measured", "error", "")
SIZES_HEAD = (
    *("transfers/s", "cells", "API", "workers", "partitions", "database cores", "connections"),
    "p99",
)


def costs_rows(fit: Fit) -> list[Row]:
    """Each cost, with what the sweep says about it."""
    return [
        (
            WHAT[name],
            _milliseconds(name, each.cost.value),
            f"{_milliseconds(name, each.cost.low)} to {_milliseconds(name, each.cost.high)}",
            percent(round(each.learned, 2)) if each.learned >= LEARNED_MIN else GUESSED,
        )
        for name, each in fit.costs.items()
    ]


def usl_rows(fit: Fit) -> list[Row]:
    """The law's parameters and its peak."""
    said = {
        "alone_per_second": "one in flight finishes, per second",
        "contention": "contention",
        "coherency": "coherency",
        "peak_in_flight": "most is finished with so many in flight",
    }
    return [
        (said[name], _plain(found.value), f"{_plain(found.low)} to {_plain(found.high)}")
        for name, found in fit.usl.items()
    ]


def predictions_rows(predictions: Iterable[Predicted]) -> list[Row]:
    """Each prediction against its measurement; a miss is called one."""
    rows: list[Row] = []
    for each in predictions:
        name = "transfers/s" if each.figure == PER_SECOND else "p99"
        values = (each.predicted.value, each.predicted.low, each.predicted.high, each.measured)
        value, low, high, measured = (_figure(each.figure, it) for it in values)
        verdict = "within 20 %" if abs(each.error) <= WITHIN else "MISS"
        error = f"{each.error:+.0%}"
        between = f"{low} to {high}"
        rows.append((offered(each.setting), name, value, between, measured, error, verdict))
    return rows


def sizes_rows(sizing: Sizing) -> list[Row]:
    """What each rate needs; processes, partitions and cores are for each cell."""
    return [_size_row(each) for each in sizing.sizes]


def _size_row(size: Size) -> Row:
    return (
        f"{size.per_second:,.0f}" + (" SIMULATION" if size.simulated else ""),
        _count(size.cells),
        *(_count(size.needs[name]) for name in NEEDS),
        duration(size.p99_seconds) + (" BREAKS 2 s" if size.p99_seconds > BOUND_SECONDS else ""),
    )


def costs_table(fit: Fit) -> Table:
    """For the terminal."""
    return _table("What the model is made of", COSTS_HEAD, costs_rows(fit))


def usl_table(fit: Fit) -> Table:
    """For the terminal."""
    return _table("How throughput grows with the number in flight", USL_HEAD, usl_rows(fit))


def predictions_table(predictions: Sequence[Predicted]) -> Table:
    """For the terminal."""
    return _table("What the fit has not seen", PREDICTIONS_HEAD, predictions_rows(predictions))


def sizes_table(sizing: Sizing) -> Table:
    """For the terminal."""
    return _table("What a rate needs; per cell", SIZES_HEAD, sizes_rows(sizing))


def markdown_page(study: Study) -> str:
    """All tables of a study, as a piece of Markdown."""
    fit, sweep = study.require_fit(), study.sweep
    machine = f"{sweep.machine.get('processor')}, {sweep.machine.get('cores')} cores"
    used = f"{fit.points} measurements used, {fit.left_out} left out"
    parts = [f"Measured on {sweep.started_at[:10]}: {machine}, {used}."]
    if fit.forced:
        parts.append(WARNING)
    if study.sizing:
        sizing = study.sizing
        parts.append(_markdown(SIZES_HEAD, sizes_rows(sizing)))
        parts.append(
            f"One cell ends at about {_count(sizing.cell_per_second_max)} transfers/s. Each "
            f"transfer comes with {sizing.reads} reads of a history; no part is busier than "
            f"{percent(sizing.utilisation_max)}. What is above "
            f"{fit.highest_per_second:,.0f} transfers/s was not measured but simulated."
        )
    parts += ["### The costs", _markdown(COSTS_HEAD, costs_rows(fit))]
    parts += ["### The scalability law", _markdown(USL_HEAD, usl_rows(fit))]
    if study.predictions:
        rows = predictions_rows(study.predictions)
        parts += ["### Held against what the fit has not seen", _markdown(PREDICTIONS_HEAD, rows)]
    return "\n\n".join(parts) + "\n"


def offered(setting: Setting) -> str:
    """What was offered, in words."""
    unit = "/s" if setting.kind == "open" else " in flight"
    return f"{setting.offered:,.4g}{unit}"


def _table(title: str, head: Row, rows: Iterable[Row]) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for number, name in enumerate(head):
        table.add_column(name, justify="right" if number else "left")
    for row in rows:
        table.add_row(*row)
    return table


def _markdown(head: Row, rows: Iterable[Row]) -> str:
    lines = [head, ("---",) + ("--:",) * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _milliseconds(name: str, value: float) -> str:
    return f"{value:.2g}" if name == "variation" else f"{value * 1e3:.3g}"


def _plain(value: float) -> str:
    if value >= PEAK_MAX:
        return "none"
    return f"{value:,.3g}" if value > NOTHING else "0"


def _figure(name: str, value: float) -> str:
    return f"{value:,.1f}" if name == PER_SECOND else duration(value)


def _count(found: Range) -> str:
    """A count with its interval; without one where the draws agree."""
    value, low, high = (_rounded(each) for each in (found.value, found.low, found.high))
    return value if low == high else f"{value} ({low} to {high})"


def _rounded(value: float) -> str:
    return f"{value:,.0f}" if value < COUNT_MIN else f"{float(f'{value:.3g}'):,.0f}"
