"""The replay from end to end, against banks that keep their books well and badly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from bank_simulations.stub.faults import Faults
from bank_simulations.stub.process import serve
from books import write_books

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import RunCommand

SLOW_READ_MODEL = Faults(visible_after_seconds=0.3)


def arguments(url: str, folder: Path) -> tuple[str, ...]:
    return ("replay", "berka", "--data", str(folder), "--url", url, "--json", "result.json")


def test_a_good_bank_agrees_on_every_day_and_books_nothing_twice(
    tmp_path: Path, run_command: RunCommand
) -> None:
    write_books(tmp_path)
    with serve(SLOW_READ_MODEL) as url:
        for _ in range(2):
            ended = run_command(*arguments(url, tmp_path))
            assert ended.code == 0
            assert "6 transactions of 2 accounts" in ended.out
            assert "5 of 5 account-days within 0.60 CZK" in ended.out
            assert ended.result["entries_read_back"] == 6


@pytest.mark.parametrize(
    ("faults", "told"),
    [
        (Faults(forgotten_share=1.0), "0 of 5 account-days"),
        (Faults(flapping_share=1.0), "its history adds up to 0"),
    ],
)
def test_a_bad_bank_is_told_the_worst_days(
    tmp_path: Path, run_command: RunCommand, faults: Faults, told: str
) -> None:
    write_books(tmp_path)
    with serve(faults) as url:
        ended = run_command(*arguments(url, tmp_path))
    assert ended.code == 1
    assert told in ended.out
    assert "account 10 on 1993-01-05: 0.00 CZK, published 700.00 CZK" in ended.out


def test_no_bank_and_no_data_end_in_one_line(tmp_path: Path, run_command: RunCommand) -> None:
    ended = run_command("replay", "berka", "--data", str(tmp_path))
    assert ended.code == 2
    assert "no trans-*.asc" in ended.err
    assert ended.err.count("\n") == 1
