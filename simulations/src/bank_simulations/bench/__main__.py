"""`python -m bank_simulations.bench`: the bank beside its peers."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bank_simulations.console import BadInputError, BrokenRunError, err, out
from bank_simulations.files import check_writable, write_json
from bank_simulations.report.bench_page import render

from .bank import TEMPLATE
from .peers import Contest
from .plan import GROUPS, QUICK_GROUPS, Plan
from .run import carry_out
from .table import asides, mark_table, tables

if TYPE_CHECKING:
    from collections.abc import Sequence

USAGE, BROKEN = 2, 4
GROWTH_MIN, GROWTH_MAX = 10_000, 100_000_000

BankFolder = Annotated[
    Path | None, typer.Option(help="The folder of a generated bank. [this repository's template]")
]
Only = Annotated[
    str,
    typer.Option(help=f"Which groups, with commas: {','.join(GROUPS)}. [all, or the quick ones]"),
]
Quick = Annotated[bool, typer.Option("--quick", help="A look of about a minute.")]
Peers = Annotated[str, typer.Option(help="Only peers whose names begin so, with commas. [all]")]
Seconds = Annotated[
    float | None, typer.Option(min=1, max=600, help="Length of each run. [10; quick: 2]")
]
Rounds = Annotated[
    int | None, typer.Option(min=1, max=50, help="How often each one runs. [3; quick: 1]")
]
TrialSeconds = Annotated[
    float | None,
    typer.Option(
        min=0,
        max=60,
        help="Length of each run that seeks the best settings; 0: none. [3; quick: 0]",
    ),
]
AccountCount = Annotated[
    int | None,
    typer.Option(min=2, max=100_000, help="Accounts to move money between. [1000; quick: 100]"),
]
Scale = Annotated[
    int | None, typer.Option(min=1, max=10_000, help="pgbench's scale factor. [50; quick: 10]")
]
Growth = Annotated[
    float,
    typer.Option(
        min=GROWTH_MIN, max=GROWTH_MAX, help="Events of the largest log of `growth`, such as 1e7."
    ),
]
Seed = Annotated[
    int | None, typer.Option(min=0, max=2**31, help="Draws the workloads. [another each time]")
]
JsonFile = Annotated[
    Path | None, typer.Option("--json", help="Write the results here.", dir_okay=False)
]
HtmlFile = Annotated[
    Path | None, typer.Option("--html", help="Write a page with charts here.", dir_okay=False)
]


def bench(
    *,
    bank: BankFolder = None,
    only: Only = "",
    quick: Quick = False,
    peers: Peers = "",
    seconds: Seconds = None,
    rounds: Rounds = None,
    trial_seconds: TrialSeconds = None,
    accounts: AccountCount = None,
    scale: Scale = None,
    growth: Growth = 1e6,
    seed: Seed = None,
    json_file: JsonFile = None,
    html: HtmlFile = None,
) -> None:
    """Measure a bank beside its peers on one embedded PostgreSQL, as ratios.

    Exit code 0 when everything was measured, 2 for wrong usage, 4 when something broke off. Whether
    the marks were met is shown, and does not decide the exit code.
    """
    check_writable(json_file, html)
    plan = Plan(
        groups=_groups(only, QUICK_GROUPS if quick else GROUPS),
        contest=Contest(
            rounds=rounds or (1 if quick else 3),
            seconds=seconds or (2 if quick else 10),
            trial_seconds=(0 if quick else 3) if trial_seconds is None else trial_seconds,
        ),
        accounts=accounts or (100 if quick else 1_000),
        scale=scale or (10 if quick else 50),
        seed=secrets.randbelow(2**31) if seed is None else seed,
        growth_max=int(growth),
        is_quick=quick,
        only_peers=_names(peers),
    )
    found = carry_out(plan, bank or (TEMPLATE if TEMPLATE.exists() else None))
    write_json(json_file, found)
    if html:
        html.write_text(render(found), encoding="utf-8")
    for table in tables(found):
        out.print(table)
    out.print(mark_table(found))
    for aside in asides(found):
        out.print(aside, markup=False)


def _groups(only: str, usual: Sequence[str]) -> tuple[str, ...]:
    wanted = _names(only)
    if unknown := [name for name in wanted if name not in GROUPS]:
        raise BadInputError(f"no group {unknown[0]!r}: there are {', '.join(GROUPS)}")
    return tuple(name for name in GROUPS if name in (wanted or usual))


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


app = typer.Typer(add_completion=False, rich_markup_mode=None)  # brackets are no markup
app.command()(bench)


def main() -> None:
    """Run the command line; what goes wrong ends in one line and an exit code."""
    try:
        app()
    except BadInputError as error:
        err.print(f"error: {error}", markup=False)
        raise SystemExit(USAGE) from None
    except BrokenRunError as error:
        err.print(f"the benchmark broke off: {error}", markup=False)
        raise SystemExit(BROKEN) from None


if __name__ == "__main__":
    main()
