"""The sample as it was published: accounts with opening balances, and transfers in their order.

`nodes.csv` and `transactions.csv` name no currency and no owners; the labels of laundering play no
part here.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from bank_simulations.console import BadInputError
from bank_simulations.replay.rows import Row, parse_amount, read_rows

if TYPE_CHECKING:
    from collections.abc import Collection

CURRENCY = "USD"
NODES, TRANSACTIONS = "nodes.csv", "transactions.csv"


@dataclass(frozen=True, slots=True)
class Account:
    """An account; `number` is its place in the file."""

    number: int
    node_id: str
    opening_minor: int


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer; `number` is its place in the file."""

    number: int
    source: str
    target: str
    amount_minor: int

    @property
    def is_to_itself(self) -> bool:
        """Whether it moves nothing, being from an account to the same one."""
        return self.source == self.target


@dataclass(frozen=True, slots=True)
class Book:
    """All of it."""

    accounts: tuple[Account, ...]
    transfers: tuple[Transfer, ...]

    def first(self, limit: int | None) -> Book:
        """The first `limit` transfers and the accounts they touch; without a limit, everything."""
        if limit is None:
            return self
        transfers = self.transfers[:limit]
        touched = {node for each in transfers for node in (each.source, each.target)}
        return Book(tuple(each for each in self.accounts if each.node_id in touched), transfers)


def find_folder(given: Path | None) -> Path:
    """The folder with the transactions: the only one in `given`, or in ../shared/data/amlsim."""
    top = given or Path("../shared/data/amlsim")
    found = [path.parent for path in sorted(top.rglob(TRANSACTIONS))]
    if len(found) != 1:
        raise BadInputError(
            f"{'no' if not found else 'more than one'} {TRANSACTIONS} in {top}: give the folder "
            "with --data or BANKWRIGHT_DATA"
        )
    return found[0]


def read_book(folder: Path) -> Book:
    """The accounts and transfers in `folder`.

    Raises:
        BadInputError: a file is missing, or a line cannot be read; the text says which.
    """
    numbers = count()
    nodes = read_rows(folder / NODES, lambda row: parse_account(row, next(numbers)))
    accounts = {account.node_id: account for account in nodes}
    if len(accounts) != (read := next(numbers)):
        raise BadInputError(f"{folder / NODES} has {read:,} lines of {len(accounts):,} accounts")
    lines = count()
    transfers = read_rows(
        folder / TRANSACTIONS, lambda row: parse_transfer(row, next(lines), accounts)
    )
    return Book(tuple(accounts.values()), tuple(transfers))


def parse_account(row: Row, number: int) -> Account:
    """One line of nodes.csv; raises ValueError where it opens below zero."""
    opening = parse_amount(row["init_balance"])
    if opening < 0:
        raise ValueError(f"init_balance {row['init_balance']} is below zero")
    return Account(number, row["nodeid"], opening)


def parse_transfer(row: Row, number: int, known: Collection[str]) -> Transfer:
    """One line of transactions.csv; raises ValueError where nobody could send that."""
    transfer = Transfer(
        number, row["sourceNodeId"], row["targetNodeId"], parse_amount(row["value"])
    )
    if transfer.amount_minor <= 0:
        raise ValueError(f"value {row['value']} is not above zero")
    for node_id in (transfer.source, transfer.target):
        if node_id not in known:
            raise ValueError(f"{NODES} has no account {node_id!r}")
    return transfer
