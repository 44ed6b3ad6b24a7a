"""Customers and accounts: aggregates whose state is what their events say."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID, uuid4

from eventsourcing.domain import Aggregate, event


class AccountClosedError(Exception):
    """The account is closed."""


class InsufficientFundsError(Exception):
    """The balance would go past the overdraft limit."""


class BalanceNotZeroError(Exception):
    """An account with a balance cannot be closed."""


class Customer(Aggregate):
    """Who owns accounts."""

    @event("Registered")
    def __init__(self, full_name: str, email: str) -> None:
        self.full_name = full_name
        self.email = email


class Account(Aggregate):
    """A bank account; its balance never goes below its overdraft limit."""

    class Booked(Aggregate.Event):
        """Money came or went: `transfer_id` and `other_account_id` tell of a transfer."""

        transaction_id: UUID
        amount: Decimal
        reference: str | None
        transfer_id: UUID | None
        other_account_id: UUID | None

    class Credited(Booked):
        """Money came."""

    class Debited(Booked):
        """Money went."""

    @event("Opened")
    def __init__(self, customer_id: UUID, currency: str, overdraft_limit: Decimal) -> None:
        self.customer_id = customer_id
        self.currency = currency
        self.overdraft_limit = overdraft_limit
        self.balance = Decimal("0.00")
        self.is_closed = False

    def credit(
        self,
        amount: Decimal,
        reference: str | None = None,
        transfer_id: UUID | None = None,
        other_account_id: UUID | None = None,
    ) -> UUID:
        """Add money and return the id of the transaction."""
        self._check_open()
        transaction_id = uuid4()
        self._credited(transaction_id, amount, reference, transfer_id, other_account_id)
        return transaction_id

    def debit(
        self,
        amount: Decimal,
        reference: str | None = None,
        transfer_id: UUID | None = None,
        other_account_id: UUID | None = None,
    ) -> UUID:
        """Take money and return the id of the transaction."""
        self._check_open()
        if self.balance - amount < -self.overdraft_limit:
            raise InsufficientFundsError
        transaction_id = uuid4()
        self._debited(transaction_id, amount, reference, transfer_id, other_account_id)
        return transaction_id

    @event(Credited)
    def _credited(
        self,
        transaction_id: UUID,
        amount: Decimal,
        reference: str | None,
        transfer_id: UUID | None,
        other_account_id: UUID | None,
    ) -> None:
        self.balance += amount

    @event(Debited)
    def _debited(
        self,
        transaction_id: UUID,
        amount: Decimal,
        reference: str | None,
        transfer_id: UUID | None,
        other_account_id: UUID | None,
    ) -> None:
        self.balance -= amount

    def change_overdraft_limit(self, overdraft_limit: Decimal) -> None:
        """Set how far below zero the balance may go."""
        self._check_open()
        self._overdraft_limit_changed(overdraft_limit)

    @event("OverdraftLimitChanged")
    def _overdraft_limit_changed(self, overdraft_limit: Decimal) -> None:
        self.overdraft_limit = overdraft_limit

    def close(self) -> None:
        """Close the account."""
        self._check_open()
        if self.balance:
            raise BalanceNotZeroError
        self._closed()

    @event("Closed")
    def _closed(self) -> None:
        self.is_closed = True

    def _check_open(self) -> None:
        if self.is_closed:
            raise AccountClosedError
