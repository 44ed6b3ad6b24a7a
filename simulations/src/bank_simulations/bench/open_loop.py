"""The bank over HTTP under the open loop of `bank-simulations load`, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from bank_simulations.console import BrokenRunError

from .bank_peers import BankOverHttp
from .http_peers import Load, Setting
from .inside.workloads import UNIFORM

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .bank import Bank
    from .plan import Bench

AROUND_SECONDS = 30.0
RUN_SECONDS_MAX = 1_800
DECIDED = (0, 1, 3)
INVALID = 4
SCENARIO = """
title = "Visibility at shares of the capacity"
arrivals = "poisson"
seed = {seed}
wait_seconds = 2

[accounts]
count = {accounts}
customers = 1

[claim]
bound_seconds = 2.0
share = 0.999
confidence = 0.95
"""
STEP = """
[[steps]]
name = "{share}"
rate_of_capacity = {share}
seconds = {seconds}
"""


class VisibleBank(BankOverHttp):
    """The bank with databases of its own."""

    kind = "visibility"


class OverHttp:
    """Runs of the load, one for each share, so that one which is too much spoils no other; what was
    invalid is left out of the results, with its reason.
    """

    def __init__(self, bench: Bench, bank: Bank, shares: Sequence[float]) -> None:
        self._bench, self._shares = bench, shares
        load = Load(bench.plan.accounts, UNIFORM, bench.plan.seed)
        self._peer = VisibleBank(bank, bench.server, load)
        self._peer.make_database()

    def run(self, number: int) -> dict[float, dict[str, Any]]:
        """Percentiles in seconds by share of the capacity, which is measured first."""
        found = {}
        for share in self._shares:
            run = self._measured(number, share)
            if run["verdict"]["decision"] != "invalid":
                found[share] = _found(run["parts"][0]["visible"], run["steps"][0]["rate"])
                continue
            reason = "; ".join(run["verdict"]["reasons"])
            name = f"visibility over HTTP at {share * 100:.0f} %, round {number}"
            self._bench.left_out[name] = f"invalid: {reason}"
        return found

    def _measured(self, number: int, share: float) -> dict[str, Any]:
        """What the load wrote of a run at this share."""
        scenario = self._bench.room / f"visibility-{number}-{share}.toml"
        scenario.write_text(self._scenario(number, share), encoding="utf-8")
        result = scenario.with_suffix(".json")
        with self._peer.serve(Setting(1, 1)) as served:
            self._load(scenario, result, served.url)
        written: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
        return written

    def _scenario(self, number: int, share: float) -> str:
        plan = self._bench.plan
        head = SCENARIO.format(seed=plan.seed + number, accounts=plan.accounts)
        return head + STEP.format(share=share, seconds=plan.open_loop_seconds)

    def _load(self, scenario: Path, result: Path, url: str) -> None:
        command = (sys.executable, "-m", "bank_simulations", "load", str(scenario))
        done = subprocess.run(  # noqa: S603 - our own program
            [*command, "--url", url, "--json", str(result)],
            env={**os.environ, "BANKWRIGHT_TOKEN": self._peer.token()},
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS_MAX,
            check=False,
        )
        if done.returncode not in (*DECIDED, INVALID) or not result.exists():
            last = done.stderr.strip().splitlines()[-1:]
            raise BrokenRunError(f"the load ended with {done.returncode}: {''.join(last)}")


def _found(visible: dict[str, Any], rate: float) -> dict[str, Any]:
    return {
        "transfers": visible["count"],
        "rate": rate,
        "p50": visible["p50"],
        "p99": visible["p99"],
        "p999": visible["p99_9"],
        "worst": visible["worst"],
    }
