"""The stub's books: customers, accounts, entries and transfers, all in one process's memory."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

DEBITS = {
    "CASH_WITHDRAWAL",
    "CARD_WITHDRAWAL",
    "OUTGOING_PAYMENT",
    "PENALTY_INTEREST",
    "FEE",
    "LOAN_PAYMENT",
    "TRANSFER_OUT",
}


class RefusedError(Exception):
    """A rule said no; `code` names it, as in the contract's problems."""

    def __init__(self, code: str, status: int = 422) -> None:
        super().__init__(code)
        self.code, self.status = code, status


@dataclass(slots=True)
class Account:
    """An account with its history; `visible_at` runs beside `entries`."""

    account_id: str
    customer_id: str
    currency: str
    credit_line_minor: int
    booked_minor: int = 0
    held_minor: int = 0
    entries: list[dict[str, Any]] = field(default_factory=list)
    visible_at: list[float] = field(default_factory=list)

    def balances(self) -> dict[str, Any]:
        """The account as the contract shows it."""
        return {
            "account_id": self.account_id,
            "customer_id": self.customer_id,
            "currency": self.currency,
            "state": "ACTIVE",
            "freeze_scope": None,
            "booked_minor": self.booked_minor,
            "held_minor": self.held_minor,
            "available_minor": self.booked_minor - self.held_minor + self.credit_line_minor,
            "credit_line_minor": self.credit_line_minor,
            "version": len(self.entries) + 1,
            "sequence": len(self.entries),
            "as_of": datetime.now(UTC).isoformat(),
        }


class Ledger:
    """Books at once, shows later: an entry enters the read model `visible_after_seconds` on."""

    def __init__(self, visible_after_seconds: float = 0.0) -> None:
        self.visible_after_seconds = visible_after_seconds
        self.customers: dict[str, dict[str, Any]] = {}
        self.accounts: dict[str, Account] = {}
        self.transfers: dict[str, dict[str, Any]] = {}

    def register(self, personal: dict[str, Any]) -> dict[str, Any]:
        """A new customer."""
        customer_id = _new_id("cus")
        self.customers[customer_id] = {
            "customer_id": customer_id,
            "state": "ACTIVE",
            "personal": personal,
        }
        return self.customers[customer_id]

    def open(self, body: dict[str, Any]) -> dict[str, Any]:
        """A new account."""
        if body["customer_id"] not in self.customers:
            raise RefusedError("customer-not-found")
        account = Account(
            _new_id("acc"),
            body["customer_id"],
            body["currency"],
            body.get("credit_line_minor", 0),
        )
        self.accounts[account.account_id] = account
        return account.balances()

    def account(self, account_id: str) -> Account:
        """The account of this id."""
        if account_id not in self.accounts:
            raise RefusedError("account-not-found", 404)
        return self.accounts[account_id]

    def post(self, account_id: str, body: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Book one entry; the code decides the direction."""
        account = self.account(account_id)
        debit = body["code"] in DEBITS
        amount = body["amount_minor"]
        if debit and account.booked_minor + account.credit_line_minor < amount:
            raise RefusedError("insufficient-funds")
        account.booked_minor += -amount if debit else amount
        entry = {
            **_entry(account, body, "DBIT" if debit else "CRDT"),
            **more,
        }
        account.entries.append(entry)
        account.visible_at.append(time.monotonic() + self.visible_after_seconds)
        return entry

    def transfer(self, body: dict[str, Any]) -> dict[str, Any]:
        """Move money between two accounts, completed at once."""
        source, target = body["source_account_id"], body["target_account_id"]
        if source not in self.accounts or target not in self.accounts:
            raise RefusedError("account-not-found")
        transfer_id = _new_id("trf")
        amount = {"amount_minor": body["amount_minor"], "currency": body["currency"]}
        self.post(source, {**amount, "code": "TRANSFER_OUT"}, transfer_id=transfer_id)
        self.post(target, {**amount, "code": "TRANSFER_IN"}, transfer_id=transfer_id)
        transfer = {"transfer_id": transfer_id, "state": "COMPLETED", **body}
        self.transfers[transfer_id] = transfer
        return transfer


def _entry(account: Account, body: dict[str, Any], direction: str) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "account_id": account.account_id,
        "sequence": len(account.entries) + 1,
        "version": len(account.entries) + 2,
        "direction": direction,
        "code": body["code"],
        "amount_minor": body["amount_minor"],
        "currency": body["currency"],
        "balance_after_minor": account.booked_minor,
        "booking_time": now.isoformat(),
        "value_date": body.get("value_date", date(now.year, now.month, now.day).isoformat()),
        "transfer_id": None,
    }


def _new_id(prefix: str) -> str:
    return f"{prefix}_{uuid.uuid4().hex}"
