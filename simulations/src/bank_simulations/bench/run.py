"""A run: its groups one after the other, and the document of what it found."""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from bank_simulations.console import BadInputError, err

from .bank import Bank
from .groups import appends, cost, growth, processes, queries, transfers, visibility
from .marks import judge
from .plan import Bench, Plan
from .postgres import embedded
from .surroundings import describe, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

GROUPS = {
    "appends": appends,
    "transfers": transfers,
    "visibility": visibility,
    "cost": cost,
    "queries": queries,
    "growth": growth,
    "processes": processes,
}
NEED_A_BANK = ("visibility", "queries", "growth", "processes")
PREPARING_SECONDS = 8.0


def carry_out(plan: Plan, folder: Path | None) -> dict[str, Any]:
    """Measure what is planned, with the bank in `folder` if there is one."""
    with _opened(plan, folder) as bench:
        _require_peers(bench)
        surroundings = describe(bench.room)
        if found := warning(surroundings):
            err.print(f"[yellow]{found}[/]")
        seconds = PREPARING_SECONDS + sum(
            GROUPS[each].expected_seconds(bench) for each in plan.groups
        )
        err.print(f"this takes about {_duration(seconds)}; seed {plan.seed}")
        if bench.bank:
            bench.bank.prepare(bench.server)
        postgres, began = bench.server.settings(), time.monotonic()
        for number, name in enumerate(plan.groups, start=1):
            err.print(f"[bold]{name}[/] ({number} of {len(plan.groups)})")
            GROUPS[name].run(bench)
        took = time.monotonic() - began
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "took_seconds": took,
        "expected_seconds": seconds,
        "plan": _planned(plan),
        "machine": surroundings,
        "warning": found,
        "postgres": postgres,
        "figures": [figure.document() for figure in bench.figures],
        "marks": judge(bench.figures),
        "left_out": bench.left_out,
    }


def _require_peers(bench: Bench) -> None:
    """BadInputError for a name that is none of the chosen groups' peers."""
    contests = [each for each in (appends, transfers, processes) if each in _chosen(bench.plan)]
    names = [peer.name for group in contests for peer in group.peers(bench)]
    titles = dict.fromkeys(name.partition(",")[0] for name in names)
    for wanted in bench.plan.only_peers:
        if not any(name.startswith(wanted) for name in names):
            raise BadInputError(
                f"no peer {wanted!r} in these groups: there are {', '.join(titles)}"
            )


def _chosen(plan: Plan) -> list[Any]:
    return [GROUPS[name] for name in plan.groups]


@contextmanager
def _opened(plan: Plan, folder: Path | None) -> Iterator[Bench]:
    with TemporaryDirectory(prefix="bench-") as room:
        bank = Bank.find(folder, Path(room)) if folder else None
        with embedded() as server:
            bench = Bench(server, bank, Path(room), plan)
            if bank is None:
                for name in set(NEED_A_BANK) & set(plan.groups):
                    bench.left_out[name] = "there is no bank: give --bank"
            yield bench


def _planned(plan: Plan) -> dict[str, Any]:
    return {
        "groups": list(plan.groups),
        "rounds": plan.contest.rounds,
        "seconds": plan.contest.seconds,
        "trial_seconds": plan.contest.trial_seconds,
        "accounts": plan.accounts,
        "pgbench_scale": plan.scale,
        "seed": plan.seed,
        "growth_max": plan.growth_max,
        "quick": plan.is_quick,
        "peers": list(plan.only_peers),
    }


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 2:  # noqa: PLR2004 - in words
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:.1f} h"  # noqa: PLR2004
