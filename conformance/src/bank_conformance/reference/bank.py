"""The bank: its parts put together, any of which a mutant may replace."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .accounts import Account, Accounts, Hold
from .bodies import Forms
from .histories import Histories
from .idempotency import Outcomes
from .ids import new_id
from .log import Log
from .pages import Pages
from .problems import RefusalError
from .security import Doors
from .transfers import Transfers
from .vault import Vault

STEP_SECONDS = 0.02
"""How long a transfer is on its way: long enough that others come in between."""


@dataclass(slots=True)
class Customer:
    """A customer; the personal data is sealed."""

    customer_id: str
    sealed: str | None
    registered_at: str
    version: int = 1
    erased_at: str | None = None


@dataclass(frozen=True, slots=True)
class Parts:
    """The classes a bank is made of."""

    log: type[Log] = Log
    accounts: type[Accounts] = Accounts
    transfers: type[Transfers] = Transfers
    histories: type[Histories] = Histories
    outcomes: type[Outcomes] = Outcomes
    doors: type[Doors] = Doors
    pages: type[Pages] = Pages
    forms: type[Forms] = Forms


class Bank:
    """Everything the bank knows, in memory."""

    def __init__(
        self, secret: str, parts: Parts | None = None, step_seconds: float = STEP_SECONDS
    ) -> None:
        made = parts or Parts()
        self.step_seconds = step_seconds
        self.log = made.log()
        self.vault = Vault()
        self.accounts = made.accounts(self)
        self.transfers = made.transfers(self)
        self.histories = made.histories(self)
        self.outcomes = made.outcomes()
        self.doors = made.doors(secret)
        self.pages = made.pages()
        self.forms = made.forms()
        self.customers: dict[str, Customer] = {}

    def register(self, personal: dict[str, Any]) -> Customer:
        """Register a customer, sealing the personal data first of all."""
        customer_id = new_id("cus")
        self.vault.enrol(customer_id)
        sealed = self.vault.seal(customer_id, json.dumps(personal))
        customer = Customer(customer_id, sealed, datetime.now(UTC).isoformat())
        self.customers[customer_id] = customer
        self.log.append(customer_id, "CustomerRegistered", {"personal": sealed})
        return customer

    def customer(self, customer_id: str) -> Customer:
        """Return a customer, or refuse."""
        if customer_id not in self.customers:
            raise RefusalError(404, "customer-not-found")
        return self.customers[customer_id]

    def require_known(self, customer_id: str) -> None:
        """Refuse commands for somebody who was erased."""
        if self.customer(customer_id).erased_at:
            raise RefusalError(409, "customer-erased")

    def erase(self, customer: Customer) -> None:
        """Destroy the customer's key; what was sealed with it is gone for good."""
        if customer.erased_at:
            return
        self.vault.destroy(customer.customer_id)
        event = self.log.append(customer.customer_id, "PersonalDataErased")
        customer.sealed, customer.erased_at = None, event.recorded_at
        customer.version = event.version

    def customer_view(self, customer: Customer) -> dict[str, Any]:
        """Return a customer as the contract shows it."""
        view: dict[str, Any] = {
            "customer_id": customer.customer_id,
            "state": "ERASED" if customer.erased_at else "ACTIVE",
            "registered_at": customer.registered_at,
            "version": customer.version,
        }
        personal = self.vault.unseal(customer.customer_id, customer.sealed)
        return view | ({"personal": json.loads(personal)} if personal else {})


def account_view(account: Account) -> dict[str, Any]:
    """Return an account as the contract shows it."""
    return {
        "account_id": account.account_id,
        "customer_id": account.customer_id,
        "currency": account.currency,
        "state": account.state,
        "freeze_scope": account.scope,
        "booked_minor": account.booked,
        "held_minor": account.held,
        "available_minor": account.available,
        "credit_line_minor": account.credit_line,
        "version": account.version,
        "sequence": account.sequence,
        "as_of": datetime.now(UTC).isoformat(),
    }


def hold_view(account: Account, hold: Hold) -> dict[str, Any]:
    """Return a hold as the contract shows it."""
    return {
        "hold_id": hold.hold_id,
        "account_id": account.account_id,
        "state": hold.state,
        "amount_minor": hold.amount,
        "captured_minor": hold.captured,
        "currency": account.currency,
        "expires_at": hold.expires_at.isoformat(),
        "version": account.version,
    }
