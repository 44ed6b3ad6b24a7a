"""The model's books never blame a correct bank, and notice a wrong one."""

from __future__ import annotations

from random import Random

from bank_simulations.load.books import INSUFFICIENT_FUNDS, Asked, Books, judge
from bank_simulations.load.measurement import Observation
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


@given(moves, st.integers(1, 4), st.randoms())
def test_parts_of_several_processes_are_judged_as_one(
    steps: list[tuple[str, int, list[int], int]], processes: int, dice: Random
) -> None:
    bank, whole = CorrectBank(), Books(ACCOUNTS, OPENING)
    parts: list[list[Observation]] = [[] for _ in range(processes)]
    for now, (_, which, (source, target, _), amount) in enumerate(steps):
        planned = transfer(source, target, amount)
        seen = Observation(planned, 0.0, asked_at=now)
        enough = bank.balances[source] >= amount
        bank.asked.append((planned, whole.ask(planned)))
        bank.decide(0)
        bank.answer(0, whole)
        seen.refusal = None if enough else INSUFFICIENT_FUNDS
        seen.decided_at = now + 0.5
        parts[which % processes].append(seen)
    dice.shuffle(parts)
    books = Books(ACCOUNTS, OPENING)
    judge([seen for part in parts for seen in part], books)
    assert all(seen.agreed for part in parts for seen in part)
    assert books.balances == whole.balances


def test_a_refusal_is_wrong_in_the_light_of_what_another_process_was_told() -> None:
    incoming = Observation(transfer(1, 0, 50), 0.0, asked_at=1.0, decided_at=2.0)
    refused = Observation(transfer(0, 1, 150), 0.0, asked_at=3.0, decided_at=4.0)
    refused.refusal = INSUFFICIENT_FUNDS
    judge([refused], Books(2, OPENING))
    assert refused.agreed
    judge([refused, incoming], Books(2, OPENING))
    assert not refused.agreed


def test_what_was_asked_and_never_decided_stays_in_doubt() -> None:
    books = Books(2, OPENING)
    judge([Observation(transfer(0, 1, 30), 0.0, asked_at=1.0)], books)
    assert [(each.least_minor, each.most_minor) for each in books.balances] == [
        (OPENING - 30, OPENING),
        (OPENING, OPENING + 30),
    ]


def test_an_answer_counts_from_when_it_came_and_not_from_when_it_was_asked_for() -> None:
    failing = Observation(transfer(0, 1, 80), 0.0, asked_at=1.0, decided_at=4.0)
    failing.refusal = "settlement-timeout"
    refused = Observation(transfer(0, 1, 50), 0.0, asked_at=2.0, decided_at=3.0)
    refused.refusal = INSUFFICIENT_FUNDS
    judge([failing, refused], Books(2, OPENING, {"settlement-timeout"}))
    assert refused.agreed  # the 80 were still held
    failing.decided_at = 1.5
    judge([failing, refused], Books(2, OPENING, {"settlement-timeout"}))
    assert not refused.agreed  # nobody held them any more
