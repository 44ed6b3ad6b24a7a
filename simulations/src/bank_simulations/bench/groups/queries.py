"""How long a reader waits for an answer, over HTTP, one request at a time."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bank_simulations.bench.bank_peers import BankOverHttp
from bank_simulations.bench.figures import Figure
from bank_simulations.bench.http_peers import Load, Setting
from bank_simulations.bench.inside.loads import permille
from bank_simulations.bench.inside.workloads import UNIFORM
from bank_simulations.bench.world import ACCOUNTS, FIRST_EVENTS, World
from bank_simulations.console import BrokenRunError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_simulations.bench.plan import Bench
    from bank_simulations.client import BankClient

PAGE = 100
MAKING_SECONDS, REBUILT_PER_SECOND, ASKED_PER_SECOND = 15.0, 5_000, 150
PERCENTILES = {"": ("median", 500), ", p99": ("p99", 990)}
NOT_OFFERED = (404, 405, 501)


class OnWorld(BankOverHttp):
    """The bank over HTTP, on databases that are there."""

    def __init__(self, world: World) -> None:
        super().__init__(world.bank, world.bench.server, Load(ACCOUNTS, UNIFORM, 0))
        self._databases = world.databases


def expected_seconds(bench: Bench) -> float:
    """About how long it takes."""
    return MAKING_SECONDS + asking_seconds(bench) if bench.bank else 0.0


def asking_seconds(bench: Bench) -> float:
    """About how long one size takes."""
    return 5.0 + 3 * bench.plan.query_count / ASKED_PER_SECOND


def run(bench: Bench) -> None:
    """Latencies on a log of the smallest size."""
    if bench.bank is None:
        return
    world = World.create(bench, bench.bank, "queries")
    world.rebuild()
    ask(world, "queries", FIRST_EVENTS)
    world.drop()


def ask(world: World, group: str, size: int) -> None:
    """Add the latencies of every query that the bank offers; the same few accounts are asked."""
    bench = world.bench
    accounts = world.accounts(ACCOUNTS)
    with OnWorld(world).serve(Setting(1, 1)) as served:
        first = [_ask(served.bank, _balance(account)) for account in accounts]
        _add(bench, group, f"first balance at {size:,} events", [first])
        for name, paths in _queries(accounts).items():
            if served.bank.look(paths[0]).status in NOT_OFFERED:
                bench.left_out[f"{name}, {group}"] = "this bank does not offer it"
                continue
            rounds = [_round(served.bank, paths, bench) for _ in range(bench.plan.contest.rounds)]
            _add(bench, group, f"{name} at {size:,} events", rounds)


def _queries(accounts: Sequence[str]) -> dict[str, list[str]]:
    today = datetime.now(UTC).date()
    days = f"from={today - timedelta(days=1)}&to={today - timedelta(days=1)}"
    return {
        "balance": [_balance(account) for account in accounts],
        "history page": [f"/v1/accounts/{each}/entries?limit={PAGE}" for each in accounts],
        "statement": [f"/v1/accounts/{each}/statement?{days}" for each in accounts],
    }


def _balance(account: str) -> str:
    return f"/v1/accounts/{account}"


def _round(bank: BankClient, paths: Sequence[str], bench: Bench) -> list[float]:
    """Each path once unmeasured, then one after the other."""
    for path in paths:
        _ask(bank, path)
    count = bench.plan.query_count // bench.plan.contest.rounds
    return [_ask(bank, paths[number % len(paths)]) for number in range(count)]


def _ask(bank: BankClient, path: str) -> float:
    """Seconds until the whole answer is there; BrokenRunError where it is a refusal."""
    began = time.perf_counter()
    answer = bank.get(path)
    took = time.perf_counter() - began
    if not answer.accepted:
        raise BrokenRunError(f"GET {path.partition('?')[0]} gave {answer.status} {answer.code}")
    return took


def _add(bench: Bench, group: str, name: str, rounds: Sequence[Sequence[float]]) -> None:
    for suffix, (what, at) in PERCENTILES.items():
        bench.figures.append(
            Figure(
                group=group,
                name=name + suffix,
                what=f"{what} of {len(rounds[0]):,} requests a round, one at a time, over HTTP",
                unit="s",
                rounds=[permille(each, at) for each in rounds],
                settings={"accounts_asked": ACCOUNTS, "page": PAGE},
            )
        )
