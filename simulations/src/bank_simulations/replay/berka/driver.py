"""Sending books through the API: accounts side by side, each one's transactions in order.

Every idempotency key is made of the run's name and the data's own ids, so the same run against the
same bank registers, opens and books nothing twice; what is new in the folder is added.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from gevent.pool import Pool

from bank_simulations.console import Progress

from .days import Day, compare
from .journals import CURRENCY, AccountBook, Transaction

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bank_simulations.client import BankClient

CREDIT_LINE_MAX_MINOR = 1_000_000_000_000_000
CATCH_UP_SECONDS = 30
PAGE = 1000


@dataclass
class Replayed:
    """What came of a replay."""

    accounts: int = 0
    transactions: int = 0
    read_back: int = 0
    days: list[Day] = field(default_factory=list)
    refusals: Counter[str] = field(default_factory=Counter)
    strays: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def wrong_days(self) -> list[Day]:
        """Days that disagree, the worst first."""
        wrong = [day for day in self.days if not day.agrees]
        return sorted(wrong, key=lambda day: -day.apart_minor)

    @property
    def agrees(self) -> bool:
        """Whether every day agrees, and nothing is missing, doubled or refused."""
        complete = self.read_back == self.transactions
        return complete and not (self.wrong_days or self.refusals or self.strays)

    def document(self) -> dict[str, Any]:
        """The outcome as JSON."""
        return {
            "accounts": self.accounts,
            "transactions": self.transactions,
            "entries_read_back": self.read_back,
            "account_days": len(self.days),
            "account_days_agreeing": len(self.days) - len(self.wrong_days),
            "refusals": dict(self.refusals),
            "balances_astray": self.strays,
            "seconds": round(self.seconds, 1),
            "agrees": self.agrees,
        }


def send(bank: BankClient, books: Sequence[AccountBook], run: str, concurrency: int) -> Replayed:
    """Replay all books, then compare; raises BrokenRunError when the bank cannot be used."""
    outcome, began = Replayed(), time.monotonic()
    total = sum(len(book.transactions) for book in books)
    with Progress("Replaying transactions", total) as progress:

        def one(book: AccountBook) -> None:
            _replay_account(bank, book, run, outcome, progress)

        for _ in Pool(concurrency).imap_unordered(one, _longest_first(books)):
            outcome.accounts += 1
    outcome.seconds = time.monotonic() - began
    return outcome


def _replay_account(
    bank: BankClient, book: AccountBook, run: str, outcome: Replayed, progress: Progress
) -> None:
    account = _open(bank, book, run)
    token = ""
    for transaction in book.transactions:
        answer = bank.insist(
            f"/v1/accounts/{account}/entries",
            posting(transaction),
            f"{run}-t{transaction.trans_id}",
        )
        if not answer.accepted:
            outcome.refusals[f"{transaction.code}: {answer.code}"] += 1
        token = answer.consistency_token or token
        outcome.transactions += 1
        progress.advance()
    entries = list(_history(bank, account, token))
    outcome.read_back += len(entries)
    outcome.days.extend(compare(book, entries))
    outcome.strays.extend(_stray(bank, account, book, entries))


def posting(transaction: Transaction) -> dict[str, Any]:
    """The request that books it."""
    body: dict[str, Any] = {
        "code": transaction.code,
        "amount_minor": transaction.amount_minor,
        "currency": CURRENCY,
        "value_date": transaction.value_date.isoformat(),
    }
    if transaction.other_bank and transaction.other_account:
        body["other_party"] = {
            "bank": transaction.other_bank,
            "account": transaction.other_account,
        }
    if transaction.narrative:
        body["narrative"] = transaction.narrative
    return body


def credit_line_minor(book: AccountBook) -> int:
    """Enough for any order within a day: all that ever leaves the account."""
    leaving = -sum(min(0, transaction.signed_minor) for transaction in book.transactions)
    return min(leaving, CREDIT_LINE_MAX_MINOR)


def _open(bank: BankClient, book: AccountBook, run: str) -> str:
    """Register the owner and open the account; the account's id."""
    client = book.owner.client_id
    personal = {
        "name": f"Client {client}",
        "email": f"client-{client}@berka.example",
        "birth_date": book.owner.birth_date.isoformat(),
    }
    customer_id = bank.create(
        "/v1/customers", {"personal": personal}, f"{run}-c{client}", "customer_id"
    )
    opening = {
        "customer_id": customer_id,
        "currency": CURRENCY,
        "credit_line_minor": credit_line_minor(book),
    }
    return bank.create("/v1/accounts", opening, f"{run}-a{book.account_id}", "account_id")


def _history(bank: BankClient, account: str, token: str) -> Iterator[dict[str, Any]]:
    """All entries of the account, read no older than the last answer."""
    cursor = ""
    headers = {"Consistency-Token": token, "Prefer": f"wait={CATCH_UP_SECONDS}"} if token else {}
    while True:
        after = f"&cursor={quote(cursor, safe='')}" if cursor else ""
        page = bank.fetch(f"/v1/accounts/{account}/entries?limit={PAGE}{after}", headers)
        yield from page["items"]
        cursor = page["next"] or ""
        if not cursor:
            return


def _stray(
    bank: BankClient, account: str, book: AccountBook, entries: list[dict[str, Any]]
) -> list[str]:
    """Where the strong balance is not the sum of the history."""
    signs = {"CRDT": 1, "DBIT": -1}
    summed = sum(signs[entry["direction"]] * entry["amount_minor"] for entry in entries)
    booked = bank.fetch(f"/v1/accounts/{account}")["booked_minor"]
    if booked == summed:
        return []
    return [f"account {book.account_id}: balance {booked}, its history adds up to {summed}"]


def _longest_first(books: Sequence[AccountBook]) -> list[AccountBook]:
    """So that no long account is left over at the end, alone."""
    return sorted(books, key=lambda book: -len(book.transactions))
