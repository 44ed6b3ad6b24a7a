"""`bank-simulations faults`: try every fault a target offers, print what each did, write files.

What is wrong with the arguments is told before Locust is imported, which takes a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bank_simulations.console import BadInputError, out
from bank_simulations.files import check_writable

from .catalogue import Fault, TargetFile, read_target

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SHARE_OF_CAPACITY, SECONDS = 0.5, 40.0
Html = Annotated[
    Path | None, typer.Option(help="Write a self-contained report here.", dir_okay=False)
]


@dataclass(frozen=True, slots=True)
class Wanted:
    """How much load was asked for: a rate or a share of capacity, for a time or a number."""

    rate: float | None
    of_capacity: float | None
    seconds: float | None
    transfers: int | None
    broken: float | None
    claim: float | None
    seed: int

    def __post_init__(self) -> None:
        if self.rate and self.of_capacity:
            raise BadInputError("give --rate or --of-capacity, not both")
        if self.seconds and self.transfers:
            raise BadInputError("give --seconds or --transfers, not both")


def faults(
    *,
    target: Annotated[Path, typer.Option(help="The bank's target file, with a table [faults].")],
    only: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Try this fault; repeatable. [all]")
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the faults and stop.")] = False,
    rate: Annotated[
        float | None, typer.Option(min=0.1, max=100_000, help="Transfers per second.")
    ] = None,
    of_capacity: Annotated[
        float | None,
        typer.Option(min=0.01, max=2, help=f"The same, of the capacity. [{SHARE_OF_CAPACITY}]"),
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(min=3, max=86_400, help=f"For each fault. [{SECONDS:g}]")
    ] = None,
    transfers: Annotated[
        int | None, typer.Option(min=10, max=10_000_000, help="The same, as a number.")
    ] = None,
    broken: Annotated[
        float | None,
        typer.Option(min=1, max=86_400, help="Seconds a fault lasts. [a quarter of the load]"),
    ] = None,
    claim: Annotated[
        float | None,
        typer.Option(min=0.001, max=0.99999, help="Claim this share within 2 s. [none]"),
    ] = None,
    seed: Annotated[int, typer.Option(help="Draws arrivals, accounts and amounts.")] = 1,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the results here, as JSON.", dir_okay=False)
    ] = None,
    html: Html = None,
) -> None:
    """Break a bank's processes under load, one after the other, and count what became of all.

    Exit code 0: every invariant held; 1: one did not, or what was claimed; 2: wrong usage; 3: the
    claim is undecided; 4: a trial was invalid.
    """
    file = read_target(target)
    if list_:
        out.print("\n".join(f"{each.name}: {each.about}" for each in file.faults.values()))
        return
    chosen = _chosen(file, target, only or [])
    wanted = Wanted(rate, of_capacity, seconds, transfers, broken, claim, seed)
    check_writable(json_file, html)
    from .series import run_series  # noqa: PLC0415 - see the module's docstring

    raise typer.Exit(run_series(file, chosen, wanted, json_file, html))


def _chosen(file: TargetFile, target: Path, only: Sequence[str]) -> list[Fault]:
    offered: Mapping[str, Fault] = file.faults
    if not offered:
        raise BadInputError(f"{target} offers no faults: give it a table [faults.NAME]")
    for name in only:
        if name not in offered:
            known = ", ".join(offered)
            raise BadInputError(f"{target} offers no fault {name!r}: it offers {known}")
    return [offered[name] for name in only or offered]
