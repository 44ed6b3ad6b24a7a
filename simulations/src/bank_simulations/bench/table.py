"""What the benchmark found, for people at a terminal; `document` is what `--json` writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from .usage import WAL

if TYPE_CHECKING:
    from collections.abc import Iterator

TITLES = {
    "appends": "Appends alone: events per second",
    "transfers": "Transfers per second, completed and visible",
    "processes": "Several processes on one database: transfers per second",
    "visibility": "From due until visible",
    "cost": "Starts and memory",
    "queries": "Queries over HTTP",
    "growth": "With a longer log",
}
COSTS = {
    "CPU s": "What a transfer costs: processor time",
    "bytes": "What a transfer costs: bytes on disk",
}
COMPONENTS = ("service", "postgres", "client", "all", "tables", WAL)
TONES = {"met": "green", "missed": "red", "not measured": "dim"}
STEPS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


def tables(document: dict[str, Any]) -> Iterator[Table]:
    """A table for each group that has figures, and one across for what a transfer costs."""
    for unit, title in COSTS.items():
        components, rows = costs(document, unit)
        if rows:
            yield _across(title, components, rows)
    for group, figures in by_group(document).items():
        drawn = Table(title=TITLES[group], title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
        for name in ("", "measured at", "median", "spread"):
            drawn.add_column(name, justify="left" if name in {"", "measured at"} else "right")
        for figure in figures:
            median = quantity(figure["median"], figure["unit"])
            drawn.add_row(figure["name"], figure["setting"], median, spread(figure))
        yield drawn


def _across(title: str, components: list[str], rows: dict[str, dict[str, str]]) -> Table:
    drawn = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for name in ("", *components):
        drawn.add_column(name, justify="right" if name else "left")
    for name, row in rows.items():
        drawn.add_row(name, *(row.get(component, "") for component in components))
    return drawn


def costs(document: dict[str, Any], unit: str) -> tuple[list[str], dict[str, dict[str, str]]]:
    """What a transfer costs of `unit`: the components, and the medians of each peer by component.

    Tables on the disk are added up: which ones there are, each peer decides for itself.
    """
    rows: dict[str, dict[str, float]] = {}
    for figure in document["figures"]:
        about = figure["settings"]
        if figure["unit"] == unit and "component" in about:
            row = rows.setdefault(about["of"], {})
            component = "tables" if about["component"].startswith("table ") else about["component"]
            row[component] = row.get(component, 0.0) + figure["median"]
    found = {name for row in rows.values() for name in row}
    components = sorted(found, key=COMPONENTS.index)
    shown = {
        name: {component: quantity(value, unit) for component, value in row.items()}
        for name, row in rows.items()
    }
    return components, shown


def by_group(document: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The figures of each group, in the order of groups; costs of transfers are shown apart."""
    figures = [each for each in document["figures"] if "component" not in each["settings"]]
    found = {group: [each for each in figures if each["group"] == group] for group in TITLES}
    return {group: figures for group, figures in found.items() if figures}


def mark_table(document: dict[str, Any]) -> Table:
    """Every mark, and whether it was reached."""
    drawn = Table(title="Marks", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for name in ("", "asked for", "found", "single rounds", ""):
        drawn.add_column(name, justify="left" if not name else "right")
    for mark in measured_first(document):
        verdict = f"[{TONES[mark['verdict']]}]{mark['verdict']}[/]"
        drawn.add_row(mark["claim"], asked(mark), found(mark), singles(mark), verdict)
    return drawn


def measured_first(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The marks, those of this run before those that it did not measure."""
    return sorted(document["marks"], key=lambda mark: mark["found"] is None)


def asides(document: dict[str, Any]) -> Iterator[str]:
    """What a reader must know beside the figures."""
    for what, why in document["left_out"].items():
        yield f"left out: {what}: {why}"
    if document["warning"]:
        yield f"warning: {document['warning']}"
    yield f"{machine_line(document)}; seed {document['plan']['seed']}"


def machine_line(document: dict[str, Any]) -> str:
    """The machine in one line."""
    machine = document["machine"]
    return (
        f"{machine['processor']}, {machine['cores']} cores, "
        f"{machine['memory_bytes'] / 2**30:.0f} GiB, sync {machine['disk_sync_us']:,.0f} us, "
        f"PostgreSQL {document['postgres']['server_version']}, Python {machine['python']}, "
        f"load {machine['load_before'][0]:.1f} before the run"
    )


def quantity(value: float, unit: str) -> str:
    """A figure with its unit, as short as is honest."""
    if unit in {"s", "CPU s"}:
        return _seconds(value)
    if unit == "bytes":
        return _bytes(value)
    return f"{value:,.0f}{unit}" if unit else f"{value:.2f}"


def _seconds(value: float) -> str:
    if value >= 1:
        return f"{value:,.2f} s"
    return f"{value * 1e3:,.1f} ms" if value >= 1e-3 else f"{value * 1e6:,.0f} us"  # noqa: PLR2004


def _bytes(value: float) -> str:
    for step, letter in STEPS:
        if value >= step:
            return f"{value / step:,.1f} {letter}B"
    return f"{value:,.0f} B"


def spread(figure: dict[str, Any]) -> str:
    """From the lowest to the highest round, as a share of the median; one round has none."""
    return f"{figure['spread']:.0%}" if len(figure["rounds"]) > 1 else "one round"


def asked(mark: dict[str, Any]) -> str:
    """The mark itself."""
    if mark["at_least"] is not None:
        return f"at least {quantity(mark['at_least'], mark['unit'])}"
    return f"at most {quantity(mark['at_most'], mark['unit'])}"


def found(mark: dict[str, Any]) -> str:
    """What was seen of it."""
    return "" if mark["found"] is None else quantity(mark["found"], mark["unit"])


def singles(mark: dict[str, Any]) -> str:
    """Between which values single rounds lay."""
    if mark["found"] is None:
        return ""
    if mark["low"] == mark["high"]:
        return "one round"
    return f"{quantity(mark['low'], mark['unit'])} to {quantity(mark['high'], mark['unit'])}"
