"""Reading the books: every line means one thing, and a bad one is told by file and line."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from bank_simulations.console import BadInputError
from bank_simulations.replay.berka.days import compare, end_of_day
from bank_simulations.replay.berka.driver import credit_line_minor, posting
from bank_simulations.replay.berka.journals import (
    find_folder,
    parse_birth_number,
    parse_transaction,
    read_books,
)
from bank_simulations.replay.rows import parse_amount
from books import write_books
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from pathlib import Path

ROW = {
    "trans_id": "7",
    "account_id": "1",
    "date": "930105",
    "type": "PRIJEM",
    "operation": "VKLAD",
    "amount": "700.00",
    "balance": "700.00",
    "k_symbol": "",
    "bank": "",
    "account": "",
}


@pytest.mark.parametrize(
    ("kind", "operation", "purpose", "code"),
    [
        ("PRIJEM", "VKLAD", "", "CASH_DEPOSIT"),
        ("PRIJEM", "PREVOD Z UCTU", "DUCHOD", "INCOMING_PAYMENT"),
        ("PRIJEM", "", "UROK", "INTEREST"),
        ("VYDAJ", "VYBER", "", "CASH_WITHDRAWAL"),
        ("VYBER", "VYBER", "", "CASH_WITHDRAWAL"),
        ("VYDAJ", "VYBER KARTOU", "", "CARD_WITHDRAWAL"),
        ("VYDAJ", "VYBER", "SLUZBY", "FEE"),
        ("VYDAJ", "VYBER", "SANKC. UROK", "PENALTY_INTEREST"),
        ("VYDAJ", "PREVOD NA UCET", "SIPO", "OUTGOING_PAYMENT"),
        ("VYDAJ", "PREVOD NA UCET", " ", "OUTGOING_PAYMENT"),
        ("VYDAJ", "PREVOD NA UCET", "UVER", "LOAN_PAYMENT"),
    ],
)
def test_operation_and_purpose_give_the_code(
    kind: str, operation: str, purpose: str, code: str
) -> None:
    row = {**ROW, "type": kind, "operation": operation, "k_symbol": purpose}
    assert parse_transaction(row).code == code


@pytest.mark.parametrize(
    "change",
    [
        {"type": "VYDAJ"},
        {"type": "JINY"},
        {"operation": "PREVOD"},
        {"amount": "1.005"},
        {"amount": "much"},
        {"amount": "NaN"},
        {"date": "930230"},
        {"date": "19930101"},
    ],
)
def test_what_nobody_can_mean_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_transaction({**ROW, **change})


@given(st.integers(-(10**15), 10**15))
def test_amounts_are_exact(minor: int) -> None:
    assert parse_amount(str(Decimal(minor) / 100)) == minor


def test_women_have_fifty_added_to_their_month() -> None:
    assert parse_birth_number("706213") == date(1970, 12, 13)
    assert parse_birth_number("450204") == date(1945, 2, 4)


def test_the_posting_says_what_the_line_said() -> None:
    row = {**ROW, "operation": "PREVOD Z UCTU", "k_symbol": "DUCHOD", "bank": "YZ", "account": "8"}
    assert posting(parse_transaction(row)) == {
        "code": "INCOMING_PAYMENT",
        "amount_minor": 70000,
        "currency": "CZK",
        "value_date": "1993-01-05",
        "other_party": {"bank": "YZ", "account": "8"},
        "narrative": "pension",
    }


def test_more_months_in_the_folder_are_more_transactions(tmp_path: Path) -> None:
    write_books(tmp_path)
    before = [len(book.transactions) for book in read_books(tmp_path)]
    january = (tmp_path / "trans-1993.asc").read_text(encoding="latin-1")
    (tmp_path / "trans-1994.asc").write_text(january.replace(";93", ";94"), encoding="latin-1")
    assert [len(book.transactions) for book in read_books(tmp_path)] == [
        2 * count for count in before
    ]


def test_the_credit_line_covers_all_that_ever_leaves(tmp_path: Path) -> None:
    write_books(tmp_path)
    assert [credit_line_minor(book) for book in read_books(tmp_path)] == [25060, 0]


def test_a_bad_line_is_told_by_file_and_line(tmp_path: Path) -> None:
    write_books(tmp_path)
    path = tmp_path / "trans-1993.asc"
    path.write_text(path.read_text(encoding="latin-1").replace("930115", "931315"))
    with pytest.raises(BadInputError, match=r"trans-1993.asc, line \d: month must be"):
        read_books(tmp_path)


def test_a_missing_file_and_a_missing_folder_are_told(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="--data"):
        find_folder(tmp_path)
    write_books(tmp_path / "berka")
    assert find_folder(tmp_path) == tmp_path / "berka"
    (tmp_path / "berka" / "client.asc").unlink()
    with pytest.raises(BadInputError, match=r"client\.asc"):
        read_books(tmp_path / "berka")


def entry(day: str, direction: str, amount: int) -> dict[str, object]:
    return {"value_date": day, "direction": direction, "amount_minor": amount}


def test_end_of_day_balances_do_not_depend_on_the_order_of_entries() -> None:
    entries = [
        entry("1993-01-02", "DBIT", 30),
        entry("1993-01-01", "CRDT", 100),
        entry("1993-01-02", "CRDT", 5),
    ]
    expected = {date(1993, 1, 1): 100, date(1993, 1, 2): 75}
    assert end_of_day(entries) == end_of_day(reversed(entries)) == expected


@pytest.mark.parametrize(("off", "agrees"), [(0, True), (60, True), (-60, True), (61, False)])
def test_a_day_agrees_within_sixty_hellers(tmp_path: Path, off: int, agrees: bool) -> None:
    write_books(tmp_path)
    book = read_books(tmp_path)[1]
    days = compare(book, [entry("1993-01-07", "CRDT", 50000 + off)])
    assert [day.agrees for day in days] == [agrees]


def test_a_missing_and_an_invented_day_disagree(tmp_path: Path) -> None:
    write_books(tmp_path)
    book = read_books(tmp_path)[1]
    assert [day.agrees for day in compare(book, [])] == [False]
    invented = [entry("1993-01-07", "CRDT", 50000), entry("1993-01-09", "CRDT", 100)]
    assert [day.agrees for day in compare(book, invented)] == [True, False]
