"""How long until a transfer shows in both accounts, at shares of the measured capacity.

Two open loops: in-process, where a transfer is timed until both read models have passed its last
event, and over HTTP by `bank-simulations load`, where it is timed until both histories show it.
Each measures from the moment the transfer was due.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bank_simulations.bench.bank import Bank, Databases
from bank_simulations.bench.bank_peers import IN_FLIGHT
from bank_simulations.bench.figures import Figure
from bank_simulations.bench.inside.workloads import UNIFORM
from bank_simulations.bench.open_loop import AROUND_SECONDS, OverHttp
from bank_simulations.console import err

if TYPE_CHECKING:
    from bank_simulations.bench.child import Child
    from bank_simulations.bench.plan import Bench

SHARES = (0.5, 0.8)
NAMES = {"p50": "p50", "p99": "p99", "p999": "p99.9", "worst": "worst"}
START_SECONDS = 5.0
WHAT = {
    "in-process": "from due until both read models passed it",
    "over HTTP": "from due until both histories show it",
}

Seen = dict[tuple[str, float], list[dict[str, Any]]]


def expected_seconds(bench: Bench) -> float:
    """About how long it takes."""
    if bench.bank is None:
        return 0.0
    plan = bench.plan
    capacity = START_SECONDS + plan.contest.seconds
    inside = START_SECONDS + len(SHARES) * plan.open_loop_seconds
    over_http = 0.0 if plan.is_quick else len(SHARES) * (AROUND_SECONDS + plan.open_loop_seconds)
    return capacity + plan.contest.rounds * (inside + over_http)


def run(bench: Bench) -> None:
    """Percentiles at each share, round by round."""
    if bench.bank is None:
        return
    capacity = bench.rate("bank in-process") or _capacity(bench, bench.bank)
    seen: Seen = {}
    over_http = None if bench.plan.is_quick else OverHttp(bench, bench.bank, SHARES)
    if over_http is None:
        bench.left_out["visibility over HTTP"] = "it takes longer than a look: leave --quick out"
    for number in range(1, bench.plan.contest.rounds + 1):
        err.print(f"visibility, round {number}/{bench.plan.contest.rounds}")
        for share, found in _inside(bench, bench.bank, capacity, number).items():
            seen.setdefault(("in-process", share), []).append(found)
        for share, found in (over_http.run(number) if over_http else {}).items():
            seen.setdefault(("over HTTP", share), []).append(found)
    for (where, share), rounds in seen.items():
        _add(bench, where, share, rounds)


def _capacity(bench: Bench, bank: Bank) -> float:
    """One closed loop, where the transfers were not measured."""
    databases = Databases.create(bench.server, "visibility_capacity")
    with bank.inside("engine", databases) as child:
        _open(bench, bank, child)
        wanted = {"workload": UNIFORM, "in_flight": IN_FLIGHT[1], "seed": f"{bench.plan.seed}"}
        done = child.ask({**wanted, "seconds": bench.plan.contest.seconds})
    bench.server.drop(databases.events)
    return float(done["transfers"] / done["seconds"])


def _open(bench: Bench, bank: Bank, child: Child) -> None:
    child.ask({"package": bank.package, "accounts": bench.plan.accounts})


def _inside(bench: Bench, bank: Bank, capacity: float, number: int) -> dict[float, dict[str, Any]]:
    databases = Databases.create(bench.server, f"visibility_{number}")
    found = {}
    with bank.inside("engine", databases) as child:
        _open(bench, bank, child)
        for share in SHARES:
            wanted = {"workload": UNIFORM, "rate": capacity * share}
            seed = f"{bench.plan.seed}-{number}-{share}"
            job = {**wanted, "seed": seed, "seconds": bench.plan.open_loop_seconds}
            found[share] = child.ask(job) | {"rate": capacity * share}
    bench.server.drop(databases.events)
    return found


def _add(bench: Bench, where: str, share: float, rounds: list[dict[str, Any]]) -> None:
    rate = max(each["rate"] for each in rounds)
    count = sum(each["transfers"] for each in rounds)
    for key, name in NAMES.items():
        bench.figures.append(
            Figure(
                group="visibility",
                name=f"{where} at {share * 100:.0f} %, {name}",
                what=f"{WHAT[where]}; {count:,} transfers",
                unit="s",
                rounds=[each[key] for each in rounds],
                setting=f"{rate:,.0f} transfers/s",
                settings={"share_of_capacity": share, "arrivals": "poisson"},
            )
        )
