"""The application: loads aggregates, calls them, and saves what happened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, TypeVar
from uuid import UUID, uuid4

from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.persistence import IntegrityError
from eventsourcing.utils import retry

from .domain import Account, Customer

Found = TypeVar("Found", Account, Customer)


class NotFoundError(Exception):
    """There is no such customer or account."""


class SameAccountError(Exception):
    """A transfer needs two accounts."""


class CurrencyMismatchError(Exception):
    """The two accounts of a transfer are kept in different currencies."""


@dataclass(frozen=True)
class Transaction:
    """One line of an account's history, with the balance after it."""

    id: UUID
    type: str
    amount: Decimal
    balance: Decimal
    reference: str | None
    transfer_id: UUID | None
    other_account_id: UUID | None
    created_at: datetime


# Two commands at once on one account: whoever saves second finds that the version is taken, and is
# run again from the start, on the account as it is then.
retried = retry(IntegrityError, max_attempts=20, wait=0.01)


class Bank(Application[UUID]):
    """Customers, accounts and transfers."""

    snapshotting_intervals: ClassVar[dict[type[Any], int]] = {Account: 50}

    def register_customer(self, full_name: str, email: str) -> Customer:
        """Register a customer."""
        customer = Customer(full_name, email)
        self.save(customer)
        return customer

    def open_account(self, customer_id: UUID, currency: str, overdraft_limit: Decimal) -> Account:
        """Open an account for a customer."""
        self.customer(customer_id)
        account = Account(customer_id, currency, overdraft_limit)
        self.save(account)
        return account

    @retried
    def deposit(self, account_id: UUID, amount: Decimal, reference: str | None) -> UUID:
        """Add money to an account, and return the id of the transaction."""
        account = self.account(account_id)
        transaction_id = account.credit(amount, reference)
        self.save(account)
        return transaction_id

    @retried
    def withdraw(self, account_id: UUID, amount: Decimal, reference: str | None) -> UUID:
        """Take money from an account, and return the id of the transaction."""
        account = self.account(account_id)
        transaction_id = account.debit(amount, reference)
        self.save(account)
        return transaction_id

    @retried
    def transfer(self, from_id: UUID, to_id: UUID, amount: Decimal, reference: str | None) -> UUID:
        """Move money; both accounts are saved together, in one transaction of the database."""
        if from_id == to_id:
            raise SameAccountError
        payer, payee = self.account(from_id), self.account(to_id)
        if payer.currency != payee.currency:
            raise CurrencyMismatchError
        transfer_id = uuid4()
        payer.debit(amount, reference, transfer_id, to_id)
        payee.credit(amount, reference, transfer_id, from_id)
        self.save(payer, payee)
        return transfer_id

    @retried
    def change_overdraft_limit(self, account_id: UUID, limit: Decimal) -> None:
        """Set how far below zero an account may go."""
        account = self.account(account_id)
        account.change_overdraft_limit(limit)
        self.save(account)

    @retried
    def close_account(self, account_id: UUID) -> None:
        """Close an account."""
        account = self.account(account_id)
        account.close()
        self.save(account)

    def customer(self, customer_id: UUID) -> Customer:
        """Return a customer."""
        return self._get(customer_id, Customer)

    def account(self, account_id: UUID) -> Account:
        """Return an account."""
        return self._get(account_id, Account)

    def transactions(self, account_id: UUID) -> Iterator[Transaction]:
        """Return the history of an account from its events, oldest first."""
        balance = Decimal("0.00")
        for one in self.events.get(account_id):
            if not isinstance(one, Account.Booked):
                continue
            credited = isinstance(one, Account.Credited)
            balance += one.amount if credited else -one.amount
            yield Transaction(
                one.transaction_id,
                _type(transfer=one.transfer_id is not None, credited=credited),
                one.amount,
                balance,
                one.reference,
                one.transfer_id,
                one.other_account_id,
                one.timestamp,
            )

    def _get(self, aggregate_id: UUID, kind: type[Found]) -> Found:
        try:
            found: Any = self.repository.get(aggregate_id)
        except AggregateNotFoundError:
            raise NotFoundError(aggregate_id) from None
        if not isinstance(found, kind):
            raise NotFoundError(aggregate_id)
        return found


def _type(*, transfer: bool, credited: bool) -> str:
    if transfer:
        return "transfer in" if credited else "transfer out"
    return "deposit" if credited else "withdrawal"
