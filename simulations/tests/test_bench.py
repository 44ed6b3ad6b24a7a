"""The benchmark: turns, expected time, the command line, and its page."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from bank_simulations.bench.bank import Bank
from bank_simulations.bench.figures import Measured
from bank_simulations.bench.packages import missing
from bank_simulations.bench.peers import Contest, Peer
from bank_simulations.bench.surroundings import describe, warning
from bank_simulations.console import BadInputError
from bank_simulations.report.bench_page import render

if TYPE_CHECKING:
    from pathlib import Path

COMMAND_SECONDS_MAX = 180


class Scripted(Peer):
    """A peer whose rates are known; it notes when it was asked."""

    what = "nothing"
    preparing_seconds, around_seconds = 5.0, 1.0

    def __init__(self, name: str, variants: tuple[Any, ...], diary: list[str]) -> None:
        self.name, self.variants, self.diary = name, variants, diary

    def prepare(self) -> None:
        self.diary.append(f"{self.name} prepares")

    def measure(self, variant: Any, seconds: float) -> Measured:
        self.diary.append(f"{self.name} {variant} {seconds:g}")
        return Measured(variant * 10, 1.0)

    def close(self) -> None:
        self.diary.append(f"{self.name} closes")


def test_peers_are_tried_first_and_then_take_turns_at_their_best() -> None:
    diary: list[str] = []
    peers = [Scripted("a", (1, 3, 2), diary), Scripted("b", (5,), diary)]
    scores = Contest(rounds=2, seconds=9, trial_seconds=1).hold(peers)
    trials = ["a prepares", "a 1 1", "a 3 1", "a 2 1", "b prepares"]
    ends = ["a closes", "b closes"]
    assert diary == [*trials, "a 3 9", "b 5 9", "a 3 9", "b 5 9", *ends]
    found = [score.figure("transfers") for score in scores]
    assert [(each.setting, each.median) for each in found] == [("3", 30.0), ("5", 50.0)]
    assert found[0].trials == {"1": 10.0, "3": 30.0, "2": 20.0}


def test_without_trials_the_setting_in_the_middle_is_measured() -> None:
    diary: list[str] = []
    Contest(rounds=1, seconds=2, trial_seconds=0).hold([Scripted("a", (1, 3, 9), diary)])
    assert diary == ["a prepares", "a 3 2", "a closes"]


def test_the_time_a_contest_takes_is_known_before_it() -> None:
    peers = [Scripted("a", (1, 3, 2), []), Scripted("b", (5,), [])]
    contest = Contest(rounds=2, seconds=9, trial_seconds=2)
    assert contest.expected_seconds(peers) == (5 + 3 * 3 + 2 * 10) + (5 + 2 * 10)


def test_peers_are_closed_when_one_of_them_fails() -> None:
    diary: list[str] = []
    broken = Scripted("b", ("no number",), diary)
    with pytest.raises(TypeError):
        Contest(rounds=1, seconds=1, trial_seconds=0).hold(
            [Scripted("a", (1,), diary), _failing(broken)]
        )
    assert diary[-2:] == ["a closes", "b closes"]


def _failing(peer: Scripted) -> Scripted:
    def prepare() -> None:
        raise TypeError("for the test")

    peer.prepare = prepare  # type: ignore[method-assign]
    return peer


def test_a_folder_without_a_bank_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="no generated bank"):
        Bank.find(tmp_path, tmp_path)


def test_a_bank_is_found_by_its_package(tmp_path: Path) -> None:
    package = tmp_path / "src" / "zedledger"
    package.mkdir(parents=True)
    (package / "__main__.py").touch()
    bank = Bank.find(tmp_path, tmp_path / "room")
    assert bank.command("serve") == (sys.executable, "-m", "zedledger", "serve")


def test_a_peer_that_is_not_installed_is_told_with_its_cure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bank_simulations.bench.packages.find_spec", lambda _name: None)
    reason = missing("UmaDB")
    assert reason == "umadb is not installed: pip install 'bank-simulations[bench,peers]'"
    assert missing("pgbench TPC-B") is None


def test_a_busy_machine_is_warned_of_and_one_at_rest_is_not(tmp_path: Path) -> None:
    described = describe(tmp_path)
    assert described["disk_sync_us"] > 0
    assert described["memory_bytes"] > 0
    assert "50%" in (warning(described | {"busy_before": 0.5}) or "")
    assert warning(described | {"busy_before": 0.1}) is None


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--only", "appends,speed"], "error: no group 'speed': there are appends, transfers"),
        (["--bank", "/nonexistent"], "error: /nonexistent holds no generated bank"),
        (["--json", "/nonexistent/a.json"], "error: cannot write /nonexistent/a.json"),
        (["--peers", "oracle"], "error: no peer 'oracle' in these groups: there are INSERT"),
    ],
)
def test_a_bad_option_is_one_line_that_names_the_cure(options: list[str], words: str) -> None:
    done = bench(*options)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.postgres
def test_a_look_gives_tables_json_and_a_page_of_one_piece(tmp_path: Path) -> None:
    result, page = tmp_path / "bench.json", tmp_path / "bench.html"
    options = ("--quick", "--seconds=1", "--accounts=20", "--scale=1", "--seed=4711")
    done = bench(
        *options,
        "--only=appends,transfers",
        "--peers=pgbench TPC-B,CRUD,INSERT",
        f"--json={result}",
        f"--html={page}",
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(result.read_text())
    names = {figure["name"] for figure in found["figures"]}
    assert names == {"pgbench TPC-B", "CRUD service", "INSERT … unnest, 500 a batch"}
    assert all(figure["median"] > 0 for figure in found["figures"])
    assert (found["postgres"]["fsync"], found["postgres"]["synchronous_commit"]) == ("on", "on")
    assert "this takes about" in done.stderr
    assert "seed 4711" in done.stdout
    html = page.read_text()
    assert html == render(found)
    assert "<script" not in html
    assert "http://" not in html.replace("http://127.0.0.1", "")
    assert "https://" not in html


def bench(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bank_simulations.bench", *options],
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS_MAX,
        check=False,
    )
