"""What has to come of a book: its transfers, one after the other, on balances in a dictionary."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .book import Book, Transfer

COMPLETED = "completed"
INSUFFICIENT_FUNDS = "insufficient-funds"
PUBLISHED = {"20K_fanin200": {COMPLETED: 45_237, INSUFFICIENT_FUNDS: 73_013}}
"""What is known of a sample, by the name of its folder: how many complete, how many do not."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What is right.

    Attributes:
        outcomes: of each transfer: `completed`, or the code of the refusal.
        balances_minor: of each account at the end.
    """

    outcomes: tuple[str, ...]
    balances_minor: dict[str, int]

    @property
    def counts(self) -> Counter[str]:
        """How many transfers have which outcome."""
        return Counter(self.outcomes)


def one_at_a_time(book: Book, *, unlimited_credit: bool = False) -> Answers:
    """The answers: a transfer completes if its source has the money by then, or unlimited credit.

    With unlimited credit every balance ends as its opening less all that leaves plus all that
    comes, whatever the order.
    """
    balances = {account.node_id: account.opening_minor for account in book.accounts}
    outcomes = []
    for transfer in book.transfers:
        if unlimited_credit or balances[transfer.source] >= transfer.amount_minor:
            balances[transfer.source] -= transfer.amount_minor
            balances[transfer.target] += transfer.amount_minor
            outcomes.append(COMPLETED)
        else:
            outcomes.append(INSUFFICIENT_FUNDS)
    return Answers(tuple(outcomes), balances)


def is_right(transfer: Transfer, said: str, expected: str) -> bool:
    """Whether the bank may say this of the transfer.

    A transfer from an account to itself moves nothing, so a bank may also refuse it as such.
    """
    return said == expected or (transfer.is_to_itself and said != COMPLETED)
