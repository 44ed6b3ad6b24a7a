"""The report of the benchmark: marks first, then a chart and a table for each group."""

from __future__ import annotations

from typing import Any

from bank_simulations.bench.table import (
    COSTS,
    TITLES,
    asked,
    by_group,
    costs,
    found,
    machine_line,
    measured_first,
    quantity,
    singles,
    spread,
)

from .bench_charts import charts
from .templates import template


def render(document: dict[str, Any]) -> str:
    """The page, in one piece; `document` is what the benchmark's `--json` writes."""
    page = template(
        "bench.html.j2", quantity=quantity, spread=spread, asked=asked, found=found, singles=singles
    )
    return page.render(
        run=document,
        groups=by_group(document),
        titles=TITLES,
        marks=measured_first(document),
        costs={title: costs(document, unit) for unit, title in COSTS.items()},
        charts={group: charts(group, figures) for group, figures in by_group(document).items()},
        machine=machine_line(document),
        counts={
            verdict: sum(mark["verdict"] == verdict for mark in document["marks"])
            for verdict in ("met", "missed", "not measured")
        },
    )
