"""Faults from end to end, against the stub: broken by signals, and wrong in every known way."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest
from bank_simulations.client import BankClient
from bank_simulations.faults.checks import Invariant
from bank_simulations.faults.gather import decide_at_rest
from bank_simulations.faults.history import Sent, Told
from bank_simulations.load.population import Population, populate
from bank_simulations.load.scenario import Accounts
from bank_simulations.stub.faults import Faults
from bank_simulations.stub.process import free_port, serve, stop, wait_until_ready
from bank_simulations.tokens import TokenSource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Ended, RunCommand

pytestmark = pytest.mark.slow

LOAD = ("--rate", "25", "--seconds", "6", "--json", "result.json")


@contextmanager
def a_bank(folder: Path, faults: Faults | None = None) -> Iterator[None]:
    """A stub, and a target file that offers to suspend it, to fail, and to do nothing."""
    port = free_port()
    options = [
        f"--{name.replace('_', '-')}={float(value)}"
        for name, value in asdict(faults or Faults()).items()
    ]
    command = [sys.executable, "-m", "bank_simulations.stub", "--port", str(port), *options]
    process = subprocess.Popen(command)
    (folder / "bank.toml").write_text(f"""
        [target]
        name = "The stub"
        base_url = "http://127.0.0.1:{port}"
        [token]
        command = "echo token"
        [faults.pause]
        about = "it is suspended"
        begin = "kill -STOP {process.pid}"
        end = "kill -CONT {process.pid}"
        [faults.fail]
        begin = "exit 3"
        [faults.nothing]
        begin = "true"
    """)
    try:
        wait_until_ready(f"http://127.0.0.1:{port}", 20)
        yield
    finally:
        stop(process)


def run(run_command: RunCommand, folder: Path, faults: Faults | None, *arguments: str) -> Ended:
    with a_bank(folder, faults):
        return run_command("faults", "--target", "bank.toml", *LOAD, *arguments)


def test_a_stall_is_measured_and_a_fault_that_did_not_happen_decides_nothing(
    run_command: RunCommand, tmp_path: Path
) -> None:
    both = ("--only", "pause", "--only", "fail", "--broken", "1.1", "--html", "report.html")
    ended = run(run_command, tmp_path, None, *both)
    assert ended.code == 4, ended.out + ended.err
    assert "exit code 3" in ended.out
    pause, fail = ended.result["trials"]
    assert fail["ending"] == "invalid"
    assert pause["ending"] in {"held", "invalid"}  # a busy machine may have starved the generator
    for trial in (pause, fail):
        assert set(trial["invariants"].values()) == {0}
    phases = {phase["phase"]: phase for phase in pause["phases"]}
    assert phases["fault"]["worst"] >= 1  # it is suspended for that long
    (mark,) = pause["load"]["marks"]
    assert mark["label"] == "pause"
    assert mark["until_seconds"] - mark["at_seconds"] >= 1.1
    page = (tmp_path / "report.html").read_text()
    assert page.count("nothing acknowledged is lost") == 2
    assert page.count("<svg") == 2
    assert "http" not in page.replace("http://127.0.0.1", "")


@pytest.mark.parametrize(
    ("faults", "invariant"),
    [
        (Faults(), None),
        (Faults(silent_share=0.2), Invariant.KEPT),
        (Faults(lost_share=0.2, deaf_to_keys=True), Invariant.ONCE),
        (Faults(dangling_share=0.2), Invariant.EXACT),
    ],
)
def test_a_bank_that_is_wrong_is_found_out_at_rest(
    monkeypatch: pytest.MonkeyPatch, faults: Faults, invariant: Invariant | None
) -> None:
    monkeypatch.setattr("bank_simulations.faults.gather.PATIENCE_SECONDS", 0.5)
    with serve(faults) as url:
        bank = BankClient(url, TokenSource("token"), connections=20)
        population = populate(bank, Accounts(count=4, customers=1), "run")
        sent = [transfer(bank, population, number) for number in range(40)]
        findings = decide_at_rest(bank, population, sent)
    assert invariant in {finding.invariant for finding in findings} or not invariant
    assert bool(findings) is bool(invariant), findings


def transfer(bank: BankClient, population: Population, number: int) -> Sent:
    source, target = population.accounts[number % 4], population.accounts[(number + 1) % 4]
    body = {"source_account_id": source, "target_account_id": target, "amount_minor": 5}
    order = {**body, "currency": population.currency}
    answer = bank.post("/v1/transfers", order, f"key-{number}")
    if not answer.accepted:
        return Sent(f"key-{number}", source, target, 5)
    return Sent(f"key-{number}", source, target, 5, Told.COMPLETED, answer.body["transfer_id"])


def test_a_bank_that_does_not_come_back_has_broken_its_promise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bank_simulations.client.PATIENCE_SECONDS", 0.2)
    nobody = BankClient(f"http://127.0.0.1:{free_port()}", TokenSource("token"), connections=1)
    (finding,) = decide_at_rest(nobody, Population(("acc_1",), "EUR", 0), [])
    assert finding.invariant is Invariant.ENDED
    assert "the bank does not come back" in finding.text


def test_what_is_claimed_of_the_bound_is_decided_too(
    run_command: RunCommand, tmp_path: Path
) -> None:
    late = Faults(visible_after_seconds=2.3)
    ended = run(run_command, tmp_path, late, "--only", "nothing", "--claim", "0.99")
    assert ended.code in {1, 4}, ended.out + ended.err
    (trial,) = ended.result["trials"]
    assert set(trial["invariants"].values()) == {0}
    assert trial["phases"][0]["share_over_least"] > 0.5
