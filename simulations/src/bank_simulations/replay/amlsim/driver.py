"""Sending a book through the API: accounts, opening balances, transfers; then the balances read.

Every idempotency key is made of the run's name and the data's own ids, so a run that broke off is
taken up by giving the same name, and nothing is booked twice.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import gevent
from gevent.pool import Pool
from gevent.queue import PriorityQueue

from bank_simulations.console import BrokenRunError, Progress
from bank_simulations.load.watch import TERMINAL

from .book import CURRENCY, Account, Book, Transfer
from .model import COMPLETED, Answers, is_right
from .schedule import Schedule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from bank_simulations.client import Answer, BankClient

ACCEPTED = 202
WAIT_SECONDS = 10
LOOK_SECONDS = 0.05
ENDED_SECONDS_MAX = 60.0
ACCOUNTS_PER_CUSTOMER = 100
CREDIT_LINE_MAX_MINOR = 1_000_000_000_000_000
WRONG_SHOWN = 10

T = TypeVar("T")
R = TypeVar("R")


@dataclass
class Replayed:
    """What came of a replay; `expected` counts the outcomes that are right, one at a time."""

    accounts: int
    transfers: int
    to_itself: int
    expected: Counter[str]
    outcomes: Counter[str] = field(default_factory=Counter)
    wrong_outcomes: list[str] = field(default_factory=list)
    wrong_balances: list[str] = field(default_factory=list)
    set_up_seconds: float = 0.0
    transfer_seconds: float = 0.0

    @property
    def agrees(self) -> bool:
        """Whether every outcome and every balance is right."""
        return not (self.wrong_outcomes or self.wrong_balances)

    @property
    def transfers_per_second(self) -> float:
        """How many ended in a second."""
        return self.transfers / self.transfer_seconds if self.transfer_seconds else 0.0

    def document(self) -> dict[str, Any]:
        """The outcome as JSON; of what is wrong, the first few."""
        return {
            "accounts": self.accounts,
            "transfers": self.transfers,
            "transfers_from_an_account_to_itself": self.to_itself,
            "outcomes": dict(self.outcomes),
            "expected_outcomes": dict(self.expected),
            "wrong_outcomes_count": len(self.wrong_outcomes),
            "wrong_outcomes": self.wrong_outcomes[:WRONG_SHOWN],
            "wrong_balances_count": len(self.wrong_balances),
            "wrong_balances": self.wrong_balances[:WRONG_SHOWN],
            "set_up_seconds": round(self.set_up_seconds, 1),
            "transfer_seconds": round(self.transfer_seconds, 1),
            "transfers_per_second": round(self.transfers_per_second, 1),
            "agrees": self.agrees,
        }


@dataclass(frozen=True, slots=True)
class Driver:
    """Replays one book against one bank.

    Attributes:
        run: begins every idempotency key.
        concurrency: how many requests are under way at a time, at most.
        unlimited_credit: accounts may go below zero, so the order does not matter.
    """

    bank: BankClient
    book: Book
    run: str
    concurrency: int
    unlimited_credit: bool = False

    def replay(self, answers: Answers) -> Replayed:
        """Send it all and compare; raises BrokenRunError when the bank cannot be used."""
        replayed = Replayed(
            accounts=len(self.book.accounts),
            transfers=len(self.book.transfers),
            to_itself=sum(transfer.is_to_itself for transfer in self.book.transfers),
            expected=answers.counts,
        )
        began = time.monotonic()
        ids = self._open_all()
        opened = time.monotonic()
        for transfer, said in self._send_all(ids):
            replayed.outcomes[said] += 1
            expected = answers.outcomes[transfer.number]
            if not is_right(transfer, said, expected):
                replayed.wrong_outcomes.append(_wrong(transfer, said, expected))
        replayed.set_up_seconds = opened - began
        replayed.transfer_seconds = time.monotonic() - opened
        replayed.wrong_balances = self._compare_all(ids, answers)
        return replayed

    def _open_all(self) -> dict[str, str]:
        """The bank's id of each account; the data name no owners, so a few hold them all."""
        numbers = sorted({_owner(account) for account in self.book.accounts})
        owners = dict(self._each("Registering customers", self._register, numbers, len(numbers)))
        opened = self._each(
            "Opening accounts",
            lambda account: self._open(account, owners[_owner(account)]),
            self.book.accounts,
            len(self.book.accounts),
        )
        return {account.node_id: account_id for account, account_id in opened}

    def _register(self, number: int) -> str:
        personal = {"name": f"Customer {number}", "email": f"customer-{number}@amlsim.example"}
        key = f"{self.run}-c{number}"
        return self.bank.create("/v1/customers", {"personal": personal}, key, "customer_id")

    def _open(self, account: Account, owner: str) -> str:
        """Open it, and bring in its money by an entry."""
        opening = {
            "customer_id": owner,
            "currency": CURRENCY,
            "credit_line_minor": CREDIT_LINE_MAX_MINOR if self.unlimited_credit else 0,
        }
        key = f"{self.run}-a{account.node_id}"
        account_id = self.bank.create("/v1/accounts", opening, key, "account_id")
        if account.opening_minor:
            deposit = {"code": "CASH_DEPOSIT", **_money(account.opening_minor)}
            key = f"{self.run}-d{account.node_id}"
            self.bank.create(f"/v1/accounts/{account_id}/entries", deposit, key, "account_id")
        return account_id

    def _send_all(self, ids: dict[str, str]) -> Iterator[tuple[Transfer, str]]:
        """Each transfer with its outcome, as they end; the earliest of the free ones start first.

        Every transfer is freed once, so there are as many to wait for as there are transfers.
        """
        schedule = Schedule(self.book.transfers, in_order=not self.unlimited_credit)
        free = PriorityQueue(items=schedule.free_at_first())
        count = len(self.book.transfers)
        starting = (self.book.transfers[free.get()] for _ in range(count))
        ended = self._each(
            "Replaying transfers", lambda transfer: self._send(transfer, ids), starting, count
        )
        for transfer, said in ended:
            for number in schedule.free_after(transfer.number):
                free.put(number)
            yield transfer, said

    def _send(self, transfer: Transfer, ids: dict[str, str]) -> str:
        """Ask for it, and wait for its end: `completed`, or the code of the refusal."""
        body = {
            "source_account_id": ids[transfer.source],
            "target_account_id": ids[transfer.target],
            **_money(transfer.amount_minor),
        }
        key = f"{self.run}-t{transfer.number}"
        answer = self.bank.insist("/v1/transfers", body, key, wait_seconds=WAIT_SECONDS)
        if answer.status == ACCEPTED:
            return self._end_of(answer)
        return COMPLETED if answer.accepted else answer.code

    def _end_of(self, accepted: Answer) -> str:
        """The outcome of a transfer that was on its way when the answer came."""
        body = accepted.body if isinstance(accepted.body, dict) else {}
        path = f"/v1/transfers/{body.get('transfer_id')}"
        give_up_at = time.monotonic() + ENDED_SECONDS_MAX
        while time.monotonic() < give_up_at:
            found = self.bank.fetch(path)
            if found.get("state") in TERMINAL:
                completed = found["state"] == "COMPLETED"
                return COMPLETED if completed else str(found.get("code") or found["state"])
            gevent.sleep(LOOK_SECONDS)
        raise BrokenRunError(f"{path} shows no end after {ENDED_SECONDS_MAX:.0f} s")

    def _compare_all(self, ids: dict[str, str], answers: Answers) -> list[str]:
        """What is wrong with the balances, strongly consistent and with nothing under way."""

        def compare(account: Account) -> str:
            shown = self.bank.fetch(f"/v1/accounts/{ids[account.node_id]}")
            found = shown["booked_minor"], shown["held_minor"]
            expected = answers.balances_minor[account.node_id]
            if found == (expected, 0):
                return ""
            return (
                f"account {account.node_id}: {found[0]} booked and {found[1]} held, not {expected}"
            )

        accounts = self.book.accounts
        compared = self._each("Comparing balances", compare, accounts, len(accounts))
        return [wrong for _, wrong in compared if wrong]

    def _each(
        self, title: str, work: Callable[[T], R], items: Iterable[T], count: int
    ) -> Iterator[tuple[T, R]]:
        """Work on items side by side; each with its result, as they end."""
        with Progress(title, count) as progress:
            done = Pool(self.concurrency).imap_unordered(lambda item: (item, work(item)), items)
            for item, result in done:
                progress.advance()
                yield item, result


def _owner(account: Account) -> int:
    return account.number // ACCOUNTS_PER_CUSTOMER


def _money(amount_minor: int) -> dict[str, Any]:
    return {"amount_minor": amount_minor, "currency": CURRENCY}


def _wrong(transfer: Transfer, said: str, expected: str) -> str:
    return (
        f"transfer {transfer.number} of {transfer.amount_minor} from {transfer.source} to "
        f"{transfer.target}: {said}, not {expected}"
    )
