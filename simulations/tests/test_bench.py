"""The benchmark: rounds, ratios, and the peers that can be built without the bank."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from bank_simulations.bench.bank import Bank
from bank_simulations.bench.peers import Peer, compete
from bank_simulations.bench.table import ratios
from bank_simulations.console import BadInputError

if TYPE_CHECKING:
    from pathlib import Path


class Scripted(Peer):
    """A peer whose rates are known; it notes when it was asked."""

    what = "nothing"

    def __init__(self, name: str, variants: tuple[Any, ...], diary: list[str]) -> None:
        self.name, self.variants, self.diary = name, variants, diary

    def prepare(self) -> None:
        self.diary.append(f"{self.name} prepares")

    def measure(self, variant: Any, seconds: float) -> float:
        self.diary.append(f"{self.name} {variant} {seconds:g}")
        return float(variant) * 10


def test_peers_are_tried_first_and_then_take_turns_at_their_best() -> None:
    diary: list[str] = []
    peers = [Scripted("a", (1, 3, 2), diary), Scripted("b", (5,), diary)]
    scores = compete(peers, rounds=2, seconds=9, trial_seconds=1)
    trials = ["a prepares", "a 1 1", "a 3 1", "a 2 1", "b prepares"]
    assert diary == [*trials, "a 3 9", "b 5 9", "a 3 9", "b 5 9"]
    assert [(score.variant, score.median) for score in scores] == [(3, 30.0), (5, 50.0)]


def test_ratios_are_of_medians_and_only_where_both_were_measured() -> None:
    diary: list[str] = []
    peers = [Scripted("engine", (6,), diary), Scripted("pgbench TPC-B", (4,), diary)]
    scores = compete(peers, rounds=3, seconds=1, trial_seconds=1)
    assert ratios(scores) == {"engine / pgbench TPC-B": 1.5}


def test_a_folder_without_a_bank_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="no generated bank"):
        Bank.find(tmp_path, tmp_path)


def test_a_bank_is_found_by_its_package(tmp_path: Path) -> None:
    package = tmp_path / "src" / "zedledger"
    package.mkdir(parents=True)
    (package / "__main__.py").touch()
    bank = Bank.find(tmp_path, tmp_path / "room")
    assert bank.command("", "serve") == (sys.executable, "-m", "zedledger", "serve")
    assert bank.command(".benchmark") == (sys.executable, "-m", "zedledger.benchmark")


@pytest.mark.slow
@pytest.mark.postgres
def test_the_peers_complete_transfers_on_one_postgresql(tmp_path: Path) -> None:
    result = tmp_path / "bench.json"
    options = ["--rounds=1", "--seconds=1", "--trial-seconds=0", "--accounts=20", "--scale=1"]
    options.append("--peers=pgbench,crud")
    command = [sys.executable, "-m", "bank_simulations.bench", *options, f"--json={result}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(result.read_text())
    rates = {peer["name"]: peer["median"] for peer in found["peers"]}
    assert rates.keys() == {"pgbench TPC-B", "CRUD service"}
    assert all(rate > 0 for rate in rates.values())
    assert (found["postgres"]["fsync"], found["postgres"]["synchronous_commit"]) == ("on", "on")
