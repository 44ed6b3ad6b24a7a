"""Reading the sample, the model of its answers, and the schedule that keeps to them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from bank_simulations.console import BadInputError
from bank_simulations.replay.amlsim.book import Account, Book, Transfer, find_folder, read_book
from bank_simulations.replay.amlsim.command import _require_published
from bank_simulations.replay.amlsim.model import (
    COMPLETED,
    INSUFFICIENT_FUNDS,
    PUBLISHED,
    Answers,
    is_right,
    one_at_a_time,
)
from bank_simulations.replay.amlsim.schedule import Schedule
from hypothesis import given
from hypothesis import strategies as st
from sample import write_sample

SHARED = Path(__file__).parent.parent.parent.parent / "shared" / "data"
DATA = Path(os.environ.get("BANKWRIGHT_DATA", SHARED)) / "amlsim"
NODES = ("a", "b", "c", "d")


def book_of(openings: list[int], transfers: list[tuple[str, str, int]]) -> Book:
    accounts = zip(NODES, openings, strict=True)
    return Book(
        tuple(Account(number, *account) for number, account in enumerate(accounts)),
        tuple(Transfer(number, *transfer) for number, transfer in enumerate(transfers)),
    )


books = st.builds(
    book_of,
    st.lists(st.integers(0, 20), min_size=4, max_size=4),
    st.lists(st.tuples(st.sampled_from(NODES), st.sampled_from(NODES), st.integers(1, 15))),
)


class Bank:
    """Any bank that ends transfers when it likes: it moves the money at one moment of each."""

    def __init__(self, book: Book, *, in_order: bool) -> None:
        self.book = book
        self.balances = {account.node_id: account.opening_minor for account in book.accounts}
        self.outcomes: dict[int, str] = {}
        self.schedule = Schedule(book.transfers, in_order=in_order)
        self.free = self.schedule.free_at_first()
        self.asked: list[int] = []
        self.moved: list[int] = []
        self.ended: set[int] = set()

    def run(self, choices: st.DataObject) -> None:
        """Take steps that are possible, drawn one by one, until there are none."""
        steps = (self.ask, self.move, self.end)
        while possible := [
            (step, number)
            for step, numbers in zip(steps, (self.free, self.asked, self.moved), strict=True)
            for number in numbers
        ]:
            step, number = choices.draw(st.sampled_from(possible))
            step(number)

    def ask(self, number: int) -> None:
        self.free.remove(number)
        self.asked.append(number)

    def move(self, number: int) -> None:
        self.asked.remove(number)
        self.moved.append(number)
        transfer = self.book.transfers[number]
        covered = self.balances[transfer.source] >= transfer.amount_minor
        if covered:
            self.balances[transfer.source] -= transfer.amount_minor
            self.balances[transfer.target] += transfer.amount_minor
        self.outcomes[number] = COMPLETED if covered else INSUFFICIENT_FUNDS

    def end(self, number: int) -> None:
        self.moved.remove(number)
        self.ended.add(number)
        self.free += self.schedule.free_after(number)

    def answers(self) -> Answers:
        return Answers(tuple(self.outcomes[each] for each in sorted(self.outcomes)), self.balances)


@given(books, st.data())
def test_whatever_the_schedule_lets_run_together_ends_as_one_at_a_time(
    book: Book, choices: st.DataObject
) -> None:
    bank = Bank(book, in_order=True)
    bank.run(choices)
    assert bank.answers() == one_at_a_time(book)


@given(books, st.data())
def test_a_transfer_is_free_exactly_when_all_earlier_ones_of_its_accounts_have_ended(
    book: Book, choices: st.DataObject
) -> None:
    bank = Bank(book, in_order=True)
    while True:
        started = {*bank.free, *bank.asked, *bank.moved, *bank.ended}
        assert started == {
            transfer.number
            for transfer in book.transfers
            if all(each in bank.ended for each in earlier_conflicts(book, transfer))
        }
        if not bank.free:
            assert len(bank.ended) == len(book.transfers)
            return
        number = choices.draw(st.sampled_from(bank.free))
        for step in (bank.ask, bank.move, bank.end):
            step(number)


def earlier_conflicts(book: Book, transfer: Transfer) -> list[int]:
    accounts = {transfer.source, transfer.target}
    earlier = book.transfers[: transfer.number]
    return [each.number for each in earlier if accounts & {each.source, each.target}]


def test_without_the_schedule_the_order_shows() -> None:
    book = book_of([5, 0, 0, 0], [("a", "b", 5), ("b", "c", 5)])
    bank = Bank(book, in_order=False)
    for number in (1, 0):
        bank.ask(number)
        bank.move(number)
    assert bank.answers().outcomes == (COMPLETED, INSUFFICIENT_FUNDS)
    assert one_at_a_time(book).outcomes == (COMPLETED, COMPLETED)


@given(books)
def test_with_unlimited_credit_a_balance_is_its_opening_less_what_leaves_plus_what_comes(
    book: Book,
) -> None:
    answers = one_at_a_time(book, unlimited_credit=True)
    assert set(answers.outcomes) <= {COMPLETED}
    for account in book.accounts:
        leaves = sum(each.amount_minor for each in book.transfers if each.source == account.node_id)
        comes = sum(each.amount_minor for each in book.transfers if each.target == account.node_id)
        assert answers.balances_minor[account.node_id] == account.opening_minor - leaves + comes


def test_the_model_agrees_with_what_is_reckoned_by_hand(tmp_path: Path) -> None:
    write_sample(tmp_path)
    answers = one_at_a_time(read_book(tmp_path))
    completed = [number for number, said in enumerate(answers.outcomes) if said == COMPLETED]
    assert completed == [0, 2, 4, 5, 7]
    assert answers.balances_minor == {"0": 15770, "1": 4, "2": 1, "3": 0}


def test_the_published_sample_has_its_published_answers() -> None:
    if not DATA.is_dir():
        pytest.skip(f"no data in {DATA}: name its folder in BANKWRIGHT_DATA")
    answers = one_at_a_time(read_book(find_folder(DATA)))
    assert answers.counts == {COMPLETED: 45_237, INSUFFICIENT_FUNDS: 73_013}


def test_a_transfer_to_itself_may_be_refused_but_must_not_complete_without_the_money() -> None:
    itself, other = Transfer(0, "a", "a", 5), Transfer(1, "a", "b", 5)
    assert is_right(itself, "same-account", COMPLETED)
    assert is_right(itself, "same-account", INSUFFICIENT_FUNDS)
    assert not is_right(itself, COMPLETED, INSUFFICIENT_FUNDS)
    assert not is_right(other, "same-account", COMPLETED)
    assert not is_right(other, "account-blocked", INSUFFICIENT_FUNDS)


def test_a_limit_leaves_the_accounts_that_are_touched(tmp_path: Path) -> None:
    write_sample(tmp_path)
    book = read_book(tmp_path).first(1)
    assert [account.node_id for account in book.accounts] == ["0", "2"]
    assert len(book.transfers) == 1


@pytest.mark.parametrize(
    ("name", "before", "after", "told"),
    [
        ("transactions.csv", "0,2,60.00", "0,2,60.001", "line 2: '60.001' is no amount of whole"),
        ("transactions.csv", "0,2,60.00", "0,2,much", "line 2: 'much' is no amount"),
        ("transactions.csv", "0,2,60.00", "0,2,0.00", "line 2: value 0.00 is not above zero"),
        ("transactions.csv", "0,1,60.00", "0,9,60.00", "line 3: nodes.csv has no account '9'"),
        ("transactions.csv", "value", "amount", "line 2: no column 'value'"),
        ("nodes.csv", "1,0,50.5", "1,0,-50.5", "line 3: init_balance -50.5 is below zero"),
        ("nodes.csv", "1,0,50.5", "0,0,50.5", "4 lines of 3 accounts"),
    ],
)
def test_a_bad_line_is_told(tmp_path: Path, name: str, before: str, after: str, told: str) -> None:
    write_sample(tmp_path)
    path = tmp_path / name
    path.write_text(path.read_text().replace(before, after))
    with pytest.raises(BadInputError, match=name) as caught:
        read_book(tmp_path)
    assert told in str(caught.value)


def test_the_folder_is_found_where_there_is_one(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="--data"):
        find_folder(tmp_path)
    write_sample(tmp_path / "amlsim" / "sample")
    assert find_folder(tmp_path) == tmp_path / "amlsim" / "sample"
    write_sample(tmp_path / "amlsim" / "other")
    with pytest.raises(BadInputError, match="more than one"):
        find_folder(tmp_path)
    (tmp_path / "amlsim" / "other" / "nodes.csv").unlink()
    with pytest.raises(BadInputError, match=r"cannot read .*nodes\.csv"):
        read_book(tmp_path / "amlsim" / "other")


def test_a_folder_of_a_published_name_must_hold_what_was_published(tmp_path: Path) -> None:
    (name,) = PUBLISHED
    write_sample(tmp_path / name)
    with pytest.raises(BadInputError, match="5 completed, 4 insufficient-funds one at a time"):
        _require_published(tmp_path / name, read_book(tmp_path / name))
