"""The bank: its parts put together, any of which a mutant may replace."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from .accounts import Account, Accounts, Hold
from .audit import Auditor
from .bodies import Forms
from .disk import Disk, Doc
from .erasures import Erasures
from .fraud import Fraud
from .histories import Histories
from .idempotency import Outcomes
from .ids import Names
from .intake import Intake
from .log import Log
from .pages import Pages
from .past import Balances, Snapshots, Statements
from .problems import RefusalError
from .receipts import Receipts
from .reports import Reports
from .security import Doors
from .signing import Signer
from .transfers import Transfers
from .vault import Vault, place_of

STEP_SECONDS = 0.02
"""How long a transfer is on its way: long enough that others come in between."""


@dataclass(slots=True)
class Customer:
    """A customer; the personal data is sealed."""

    customer_id: str
    sealed: str | None
    registered_at: str
    version: int = 1
    erasing: bool = False
    """Whether the erasure was asked for: kept first of all, so that it is carried on to its end."""
    held_until: str | None = None
    """The end, exclusive, of a legal hold."""
    erased_at: str | None = None
    key_id: str = field(default_factory=lambda: secrets.token_hex(16))
    """Of their data key: random, and all that a receipt may speak of."""
    erasure_id: str = field(default_factory=lambda: secrets.token_hex(16))

    def doc(self) -> Doc:
        """Return what is kept of the customer."""
        kept: Doc = msgspec.to_builtins(self)
        return kept


@dataclass(frozen=True, slots=True)
class Parts:
    """The classes a bank is made of."""

    disk: type[Disk] = Disk
    vault: type[Vault] = Vault
    names: type[Names] = Names
    log: type[Log] = Log
    accounts: type[Accounts] = Accounts
    transfers: type[Transfers] = Transfers
    histories: type[Histories] = Histories
    outcomes: type[Outcomes] = Outcomes
    doors: type[Doors] = Doors
    pages: type[Pages] = Pages
    forms: type[Forms] = Forms
    intake: type[Intake] = Intake
    balances: type[Balances] = Balances
    statements: type[Statements] = Statements
    snapshots: type[Snapshots] = Snapshots
    reports: type[Reports] = Reports
    fraud: type[Fraud] = Fraud
    auditor: type[Auditor] = Auditor
    receipts: type[Receipts] = Receipts
    erasures: type[Erasures] = Erasures


class Bank:
    """Everything the bank knows. It is in memory, and kept on disk where a folder is given."""

    def __init__(
        self,
        secret: str,
        parts: Parts | None = None,
        step_seconds: float = STEP_SECONDS,
        folder: Path | None = None,
    ) -> None:
        made = parts or Parts()
        self.step_seconds = step_seconds
        self.disk = made.disk(folder, "bank.db")
        self.vault = made.vault(Disk(folder, "keys.db"))
        self.names = made.names()
        self.log = made.log(self.disk)
        kept = self.disk.things("customer")
        self.customers = {one: msgspec.convert(doc, Customer) for one, doc in kept.items()}
        self.accounts = made.accounts(self)
        self.transfers = made.transfers(self)
        self.histories = made.histories(self)
        self.outcomes = made.outcomes(self.disk)
        self.doors = made.doors(secret)
        self.pages = made.pages()
        self.forms = made.forms()
        self.intake = made.intake()
        self.balances = made.balances(self)
        self.statements = made.statements(self)
        self.snapshots = made.snapshots(self)
        self.reports = made.reports(self)
        self.fraud = made.fraud(self)
        signer = Signer(secret)
        self.auditor = made.auditor(self, signer)
        self.receipts = made.receipts(signer)
        self.erasures = made.erasures(self)

    def resume(self) -> None:
        """Carry on what a process before this one has begun; called where transfers can run."""
        self.erasures.recall()
        self.erasures.resume()
        self.transfers.resume()

    def register(self, personal: dict[str, Any]) -> Customer:
        """Register a customer, sealing the personal data first of all."""
        customer_id = self.names.customer(personal)
        self.vault.enrol(customer_id)
        sealed = self.vault.seal(customer_id, json.dumps(personal), _place(customer_id))
        customer = Customer(customer_id, sealed, datetime.now(UTC).isoformat())
        self.customers[customer_id] = customer
        stream_id = self.names.stream(customer_id, personal)
        self.log.append(stream_id, "CustomerRegistered", {"personal": sealed})
        self.disk.put("customer", customer_id, customer.doc)
        return customer

    def customer(self, customer_id: str) -> Customer:
        """Return a customer, or refuse."""
        if customer_id not in self.customers:
            raise RefusalError(404, "customer-not-found")
        return self.customers[customer_id]

    def require_known(self, customer_id: str) -> None:
        """Refuse commands for somebody who was erased."""
        if not self.vault.knows(self.customer(customer_id).customer_id):
            raise RefusalError(409, "customer-erased")

    def customer_view(self, customer: Customer) -> dict[str, Any]:
        """Return a customer as the contract shows it."""
        view: dict[str, Any] = {
            "customer_id": customer.customer_id,
            "state": "ERASED" if customer.erased_at else "ACTIVE",
            "registered_at": customer.registered_at,
            "version": customer.version,
        }
        place = _place(customer.customer_id)
        personal = self.vault.unseal(customer.customer_id, customer.sealed, place)
        return view | ({"personal": json.loads(personal)} if personal else {})


def _place(customer_id: str) -> str:
    """Return the place of the personal data of a customer: their first event."""
    return place_of(customer_id, 1, "personal")


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
