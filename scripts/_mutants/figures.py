"""What came of mutants in the simulation, written down: as JSON, and from it as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from .simulated import Stream

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .simulated import Hunt


class Figures(msgspec.Struct, frozen=True):
    """One mutant: `median` and `worst` are seeds until it was found."""

    id: str
    breaks: str
    passed: bool
    outcome: str
    streams: list[Stream]
    median: int
    worst: int
    found_as: str
    executions: int
    seconds: float


class Document(msgspec.Struct, frozen=True):
    """All of one run, with the limit of seeds a stream."""

    seeds_max: int
    mutants: list[Figures]


class FiguresError(Exception):
    """The file holds no figures of the simulation; the text names it."""


def document(hunts: Sequence[Hunt], seeds_max: int) -> dict[str, Any]:
    """The figures of these, ready for JSON."""
    rows = [
        Figures(
            one.mutant.id,
            one.mutant.breaks,
            one.passed,
            one.outcome,
            one.streams,
            one.median,
            one.worst,
            one.found_as,
            one.executions,
            one.seconds,
        )
        for one in hunts
    ]
    built: dict[str, Any] = msgspec.to_builtins(Document(seeds_max, rows))
    return built


def read(path: Path) -> Document:
    """What was written down; FiguresError when it is something else."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Document)
    except msgspec.DecodeError as error:
        raise FiguresError(f"{path} was not written by --simulation --json: {error}") from None


def markdown(figures: Document) -> str:
    """A table, hardest to find first; what was not found stands at the top."""
    rows = sorted(figures.mutants, key=lambda one: (one.passed, -one.median, one.id))
    lines = ["| mutant | what it breaks | median | worst |", "|---|---|--:|--:|"]
    for one in rows:
        seeds = f"{one.median:,} | {one.worst:,}" if one.passed else "not found | "
        lines.append(f"| `{one.id}` | {one.breaks} | {seeds} |")
    count = max((len(one.streams) for one in rows), default=0)
    lines += ["", f"Seeds until it is found, in {count} streams of at most {figures.seeds_max:,}."]
    return "\n".join(lines) + "\n"
