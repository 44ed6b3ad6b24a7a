"""The replay from end to end, against banks that move money rightly and wrongly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest
from bank_simulations.client import Answer, BankClient
from bank_simulations.console import BrokenRunError
from bank_simulations.replay.amlsim import driver
from bank_simulations.replay.amlsim.book import Book, Transfer
from bank_simulations.stub.faults import Faults
from bank_simulations.stub.process import serve
from geventhttpclient.header import Headers
from sample import write_sample

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import RunCommand

TRANSFER = Transfer(0, "a", "b", 5)


@pytest.fixture
def sample(tmp_path: Path) -> tuple[str, ...]:
    write_sample(tmp_path)
    return ("replay", "amlsim", "--data", str(tmp_path), "--json", "result.json")


def test_a_good_bank_is_right_and_books_nothing_twice(
    sample: tuple[str, ...], run_command: RunCommand
) -> None:
    with serve() as url:
        for _ in range(2):
            ended = run_command(*sample, "--url", url)
            assert ended.code == 0
            assert "9 of 9 outcomes and 4 of 4 balances are right" in ended.out
            assert "a bank may refuse: 2" in ended.out
            assert ended.result["outcomes"] == {"completed": 5, "insufficient-funds": 4}
            assert ended.result["agrees"]


def test_a_run_is_taken_up_where_a_limit_ended_it(
    sample: tuple[str, ...], run_command: RunCommand
) -> None:
    with serve() as url:
        first = run_command(*sample, "--url", url, "--limit", "2")
        assert "2 of 2 outcomes and 3 of 3 balances" in first.out
        rest = run_command(*sample, "--url", url)
    assert first.code == rest.code == 0
    assert "9 of 9 outcomes and 4 of 4 balances" in rest.out


def test_with_unlimited_credit_everything_completes(
    sample: tuple[str, ...], run_command: RunCommand
) -> None:
    with serve() as url:
        ended = run_command(*sample, "--url", url, "--unlimited-credit")
    assert ended.code == 0
    assert ended.result["outcomes"] == ended.result["expected_outcomes"] == {"completed": 9}


@pytest.mark.parametrize(
    ("faults", "told"),
    [
        (Faults(refused_share=1.0), "transfer 0 of 6000 from 0 to 2: account-blocked, not compl"),
        (Faults(silent_share=1.0), "transfer 1 of 6000 from 0 to 1: completed, not insufficient"),
        (Faults(silent_share=1.0), "account 0: 10000 booked and 0 held, not 15770"),
        (Faults(dangling_share=1.0), "account 0: 15770 booked and 12000 held, not 15770"),
        (Faults(lost_share=0.5, deaf_to_keys=True), "balances are right"),
    ],
)
def test_a_bad_bank_is_told_what_is_wrong(
    sample: tuple[str, ...], run_command: RunCommand, faults: Faults, told: str
) -> None:
    with serve(faults) as url:
        ended = run_command(*sample, "--url", url)
    assert ended.code == 1
    assert told in ended.out
    assert not ended.result["agrees"]


def test_a_bad_file_and_no_bank_end_in_one_line(
    tmp_path: Path, sample: tuple[str, ...], run_command: RunCommand
) -> None:
    nobody = run_command(*sample, "--url", "http://127.0.0.1:1")
    assert nobody.code == 4
    assert "is the bank up?" in nobody.err
    (tmp_path / "nodes.csv").write_text("nodeid\n0\n")
    bad = run_command(*sample)
    assert bad.code == 2
    assert "nodes.csv, line 2: no column 'init_balance'" in bad.err
    assert bad.err.count("\n") == 1


class SlowBank:
    """Answers 202, and then shows these states one after the other."""

    def __init__(self, *shown: dict[str, Any]) -> None:
        self.shown: Iterator[dict[str, Any]] = iter(shown)

    def insist(self, *_: Any, wait_seconds: int) -> Answer:
        assert wait_seconds > 0
        return Answer(202, {"transfer_id": "trf_1", "state": "RESERVED"}, Headers())

    def fetch(self, path: str) -> dict[str, Any]:
        assert path == "/v1/transfers/trf_1"
        return next(self.shown)


def said_by(bank: SlowBank) -> str:
    sending = driver.Driver(cast("BankClient", bank), Book((), (TRANSFER,)), "run", 1)
    return sending._send(TRANSFER, {"a": "acc_1", "b": "acc_2"})


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ({"state": "COMPLETED"}, "completed"),
        ({"state": "REJECTED", "code": "insufficient-funds"}, "insufficient-funds"),
        ({"state": "EXPIRED"}, "EXPIRED"),
    ],
)
def test_a_transfer_on_its_way_is_looked_at_until_it_ended(end: dict[str, Any], said: str) -> None:
    assert said_by(SlowBank({"state": "RESERVED"}, {"state": "SETTLING"}, end)) == said


def test_a_transfer_that_never_ends_breaks_the_run_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "ENDED_SECONDS_MAX", 0.0)
    with pytest.raises(BrokenRunError, match="trf_1 shows no end"):
        said_by(SlowBank())
