"""The demo tells a sound bank from a broken one, and shows what it found."""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from _demo import harness, page
from _demo.bank import Bank, DemoError, generate
from _demo.checks import Check
from _demo.walk import Walk
from bank_conformance.reference.security import mint
from bank_conformance.target import load_target


@dataclass(slots=True)
class ReferenceBank(Bank):
    """The suite's reference bank in the place of a generated one."""

    secret: str = ""

    def token(self, subject: str, scope: str) -> str:
        return mint(self.secret, subject, scope, 60)


@contextmanager
def serving(mutant: str = "") -> Iterator[ReferenceBank]:
    secret = secrets.token_hex(32)
    command = [sys.executable, "-m", "bank_conformance.reference", "serve"]
    with subprocess.Popen(
        [*command, "--mutant", mutant] if mutant else command,
        env={**os.environ, "BANK_REFERENCE_SECRET": secret},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        url = json.loads(process.stdout.readline())["url"]
        yield ReferenceBank(Path(), url, Path(os.devnull), secret=secret)
        process.stdin.close()


def test_a_sound_bank_holds_every_promise() -> None:
    with serving() as bank:
        checks = list(Walk(bank).checks())
    assert len(checks) == 6
    assert [check for check in checks if not check.passed] == []


@pytest.mark.parametrize(
    ("mutant", "station"), [("M21", Walk.repeat), ("M58", Walk.trespass)], ids=["M21", "M58"]
)
def test_a_broken_bank_is_found_out(mutant: str, station: Callable[[Walk], Check]) -> None:
    with serving(mutant) as bank:
        walk = Walk(bank)
        walk.deposit()
        walk.transfer()
        assert not station(walk).passed


def test_the_suite_understands_the_target_file(tmp_path: Path) -> None:
    (tmp_path / "target.toml").write_text(
        harness.target_file(Bank(tmp_path, "http://x:1", tmp_path))
    )
    target = load_target(tmp_path / "target.toml")
    assert target.base_url == "http://x:1"
    assert target.mints_short_tokens


def test_a_suite_that_could_not_decide_holds_nothing() -> None:
    (check,) = harness.requirement_checks({"invalid": "no answer", "requirements": []})
    assert not check.passed


def test_an_undecided_requirement_does_not_hold() -> None:
    row = {"id": "ORD-1", "must": "…", "reason": "too little seen"}
    verdicts = ("PASS", "WARN", "FAIL", "SKIP", "INCONCLUSIVE")
    rows = [{**row, "verdict": verdict} for verdict in verdicts]
    checks = harness.requirement_checks({"invalid": "", "requirements": rows})
    assert [check.passed for check in checks] == [True, True, False, False, False]


@pytest.mark.parametrize(
    ("reason", "counts"),
    [
        ("the bank does not offer: proofs", False),
        ("the target file names no replicas", False),
        ("the bank does not offer: feed", True),
        ("the bank does not offer: proofs, feed", True),
        ("the target file gives no hook: kill", True),
    ],
)
def test_only_what_the_bank_does_not_offer_yet_is_left_out(reason: str, counts: bool) -> None:
    row = {"id": "TMP-1", "must": "…", "reason": reason, "verdict": "SKIP"}
    checks = harness.requirement_checks({"invalid": "", "requirements": [row]})
    assert [check.passed for check in checks] == [False] * counts


DAYS = {"account_days_agreeing": 5, "account_days": 6, "transactions": 9, "seconds": 1.0}
OUTCOMES = {
    "transfers": 9,
    "wrong_outcomes_count": 2,
    "wrong_balances_count": 1,
    "transfers_per_second": 300.0,
}


@pytest.mark.parametrize(
    ("file", "found", "told"),
    [
        ("trans-1993.asc", DAYS, "5 of 6 account-days agree"),
        ("transactions.csv", OUTCOMES, "7 of 9 outcomes and 3 of 4 balances are right"),
    ],
)
def test_whatever_books_lie_in_the_folder_are_replayed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, found: harness.Json, told: str
) -> None:
    (tmp_path / file).touch()
    answer = {**found, "accounts": 4, "exit_code": 1}
    monkeypatch.setattr(harness, "_run", lambda command, _: {**answer, "command": command})
    monkeypatch.setattr(Bank, "token_command", lambda _: ["true"])
    replayed = harness.replay(Bank(tmp_path, "http://x:1", tmp_path), tmp_path, tmp_path)
    assert ("amlsim" in replayed["command"]) == (file == "transactions.csv")
    check = harness.replay_check(replayed)
    assert told in check.measured
    assert not check.passed


def test_a_harness_that_breaks_off_ends_the_demo(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match="ended with code 4"):
        harness._run(["python", "-c", "raise SystemExit(4)"], {"--json": tmp_path / "x.json"})


def test_the_page_is_one_file_and_says_what_is_broken() -> None:
    checks = [Check("<b> holds", "1 ms", passed=True), Check("breaks", "3 s", passed=False)]
    text = page.render(checks, None, {"started": "today"})
    assert "1 of 2 promises hold." in text
    assert "&lt;b&gt; holds" in text
    assert 'class="broken">broken' in text
    assert "http" not in text


def test_a_bank_that_is_there_already_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "demo-bank").mkdir()
    with pytest.raises(DemoError, match="remove it, or name another --into"):
        generate(tmp_path)
