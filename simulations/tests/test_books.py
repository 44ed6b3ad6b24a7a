"""The model's books never blame a correct bank, and notice a wrong one."""

from __future__ import annotations

from bank_simulations.load.books import INSUFFICIENT_FUNDS, Asked, Books
from bank_simulations.load.plan import Planned
from hypothesis import given
from hypothesis import strategies as st

ACCOUNTS, OPENING = 3, 100

# What happens next: ask for a transfer, let the bank decide one, or let an answer arrive.
moves = st.lists(
    st.tuples(
        st.sampled_from(["ask", "decide", "answer"]),
        st.integers(0, 99),
        st.permutations(range(ACCOUNTS)),
        st.integers(1, 80),
    ),
    max_size=80,
)


def transfer(source: int, target: int, amount: int) -> Planned:
    return Planned(0, 0.0, "s", "uniform", source, target, amount)


class CorrectBank:
    """Decides strictly one after the other; asking, deciding and answering interleave freely."""

    def __init__(self) -> None:
        self.balances = [OPENING] * ACCOUNTS
        self.asked: list[tuple[Planned, Asked]] = []
        self.decided: list[tuple[Planned, Asked, bool]] = []

    def decide(self, which: int) -> None:
        if self.asked:
            planned, asked = self.asked.pop(which % len(self.asked))
            enough = self.balances[planned.source] >= planned.amount_minor
            if enough:
                self.balances[planned.source] -= planned.amount_minor
                self.balances[planned.target] += planned.amount_minor
            self.decided.append((planned, asked, enough))

    def answer(self, which: int, books: Books) -> bool:
        if not self.decided:
            return True
        planned, asked, done = self.decided.pop(which % len(self.decided))
        if done:
            return books.complete(planned, asked)
        return books.refuse(planned, asked, INSUFFICIENT_FUNDS)


@given(moves)
def test_a_correct_bank_is_never_blamed(steps: list[tuple[str, int, list[int], int]]) -> None:
    bank, books = CorrectBank(), Books(ACCOUNTS, OPENING)
    for move, which, (source, target, _), amount in steps:
        match move:
            case "ask":
                planned = transfer(source, target, amount)
                bank.asked.append((planned, books.ask(planned)))
            case "decide":
                bank.decide(which)
            case _:
                assert bank.answer(which, books)
    for balance, booked in zip(books.balances, bank.balances, strict=True):
        assert balance.least_minor <= booked <= balance.most_minor


@given(moves)
def test_once_all_is_answered_every_balance_is_known_exactly(
    steps: list[tuple[str, int, list[int], int]],
) -> None:
    bank, books = CorrectBank(), Books(ACCOUNTS, OPENING)
    for _, which, (source, target, _), amount in steps:
        planned = transfer(source, target, amount)
        bank.asked.append((planned, books.ask(planned)))
        bank.decide(which)
        bank.answer(which, books)
    for balance, booked in zip(books.balances, bank.balances, strict=True):
        assert balance.least_minor == booked == balance.most_minor


def test_money_whose_arrival_nobody_was_told_of_yet_may_be_spent() -> None:
    books = Books(2, OPENING)
    incoming, outgoing = transfer(1, 0, OPENING), transfer(0, 1, OPENING + 50)
    books.ask(incoming)
    assert books.complete(outgoing, books.ask(outgoing))


def test_money_held_for_a_transfer_that_fails_later_may_be_missing_until_then() -> None:
    books = Books(2, OPENING, {"settlement-timeout"})
    failing, refused = transfer(0, 1, 80), transfer(0, 1, 50)
    asked_first, asked_second = books.ask(failing), books.ask(refused)
    assert books.refuse(failing, asked_first, "settlement-timeout")
    assert books.refuse(refused, asked_second, INSUFFICIENT_FUNDS)


def test_an_overdraft_is_noticed() -> None:
    books, planned = Books(2, OPENING), transfer(0, 1, OPENING + 1)
    assert not books.complete(planned, books.ask(planned))


def test_a_refusal_although_there_is_money_is_noticed() -> None:
    books, planned = Books(2, OPENING), transfer(0, 1, OPENING)
    assert not books.refuse(planned, books.ask(planned), INSUFFICIENT_FUNDS)


def test_a_refusal_for_a_foreign_reason_is_noticed_unless_the_scenario_expects_it() -> None:
    planned = transfer(0, 1, OPENING + 1)
    for expected, agreed in (((), False), (("account-blocked",), True)):
        books = Books(2, OPENING, expected)
        assert books.refuse(planned, books.ask(planned), "account-blocked") is agreed
