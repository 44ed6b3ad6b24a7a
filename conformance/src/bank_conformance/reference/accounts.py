"""Accounts: booked, held and available, with a gapless sequence of entries."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from .disk import Doc
from .ids import new_id
from .problems import RefusalError
from .vault import place_of

if TYPE_CHECKING:
    from .bank import Bank
    from .log import Event

CREDITS = {"CASH_DEPOSIT", "INCOMING_PAYMENT", "INTEREST", "TRANSFER_IN"}
CONTRA = {
    "CASH_DEPOSIT": "control:cash",
    "CASH_WITHDRAWAL": "control:cash",
    "CARD_WITHDRAWAL": "control:cash",
    "INCOMING_PAYMENT": "control:nostro",
    "OUTGOING_PAYMENT": "control:nostro",
    "CAPTURE": "control:nostro",
    "INTEREST": "control:interest",
    "PENALTY_INTEREST": "control:interest",
    "FEE": "control:fees",
    "LOAN_PAYMENT": "control:loans",
    "TRANSFER_IN": "control:in-transit",
    "TRANSFER_OUT": "control:in-transit",
}
"""The control account on the other side of each transaction code."""

PLAIN = (
    "account_id",
    "customer_id",
    "currency",
    "credit_line",
    "booked",
    "held",
    "version",
    "sequence",
    "scope",
    "dormant",
    "closed",
)
"""What is kept of an account as it is."""


@dataclass(slots=True)
class Hold:
    """Money set aside on an account, by a client or by a transfer on its way."""

    hold_id: str
    amount: int
    expires_at: datetime
    state: str = "ACTIVE"
    captured: int = 0

    def doc(self, account_id: str) -> Doc:
        """Return what is kept of the hold."""
        kept: Doc = msgspec.to_builtins(self)
        return kept | {"account_id": account_id}

    @property
    def active(self) -> bool:
        """Whether the money is still set aside."""
        return self.state == "ACTIVE"

    @property
    def left(self) -> int:
        """What has not been captured."""
        return self.amount - self.captured


@dataclass(slots=True)
class Account:
    """An account; amounts are minor units."""

    account_id: str
    customer_id: str
    currency: str
    credit_line: int
    booked: int = 0
    held: int = 0
    version: int = 0
    sequence: int = 0
    scope: str | None = None
    dormant: bool = False
    closed: bool = False
    holds: dict[str, Hold] = field(default_factory=dict)

    @property
    def available(self) -> int:
        """What may be spent."""
        return self.booked - self.held + self.credit_line

    def doc(self) -> Doc:
        """Return what is kept of the account; each hold is kept by itself."""
        return {name: getattr(self, name) for name in PLAIN}

    @property
    def state(self) -> str:
        """The state that the contract shows."""
        frozen = "FROZEN" if self.scope else ""
        return "CLOSED" if self.closed else frozen or ("DORMANT" if self.dormant else "ACTIVE")


@dataclass(frozen=True, slots=True)
class Posting:
    """What is to be booked on an account."""

    code: str
    amount: int
    value_date: str | None = None
    narrative: str | None = None
    counterparty: str | None = None
    counterparty_bank: str | None = None
    transfer_id: str | None = None
    hold_id: str | None = None


class Accounts:
    """The commands on accounts. The steps that a mutant breaks are methods of their own."""

    def __init__(self, bank: Bank) -> None:
        self.bank = bank
        kept = bank.disk.things("account")
        self.by_id = {one: Account(**doc) for one, doc in kept.items()}
        for hold_id, doc in bank.disk.things("hold").items():
            holds = self.by_id[doc["account_id"]].holds
            holds[hold_id] = msgspec.convert(doc, Hold)

    def find(self, account_id: str) -> Account:
        """Return an account, or refuse."""
        if account_id not in self.by_id:
            raise RefusalError(404, "account-not-found")
        return self.by_id[account_id]

    def open(self, customer_id: str, currency: str, credit_line: int) -> Account:
        """Open an account."""
        account = Account(new_id("acc"), customer_id, currency, credit_line)
        self.by_id[account.account_id] = account
        self.record(account, "AccountOpened", {"customer_id": customer_id})
        return account

    def record(self, account: Account, kind: str, data: dict[str, Any], **posted: Any) -> Event:
        """Append an event of an account."""
        event = self.bank.log.append(account.account_id, kind, data, account.currency, **posted)
        account.version = event.version
        self.bank.disk.put("account", account.account_id, account.doc)
        return event

    async def post(self, account: Account, posting: Posting, currency: str) -> Event:
        """Book an entry that a client asked for."""
        direction = "CREDIT" if posting.code in CREDITS else "DEBIT"
        self.require_usable(account, direction, currency)
        if direction == "DEBIT":
            await self.require_available(account, posting.amount)
        return self.book(account, posting)

    async def place(self, account: Account, amount: int, currency: str, seconds: int) -> Hold:
        """Set an amount aside."""
        self.require_usable(account, "DEBIT", currency)
        await self.require_available(account, amount)
        return self.hold(account, amount, seconds)

    def require_usable(self, account: Account, direction: str, currency: str) -> None:
        """Refuse what a closed, frozen or other account must not do."""
        if account.closed:
            raise RefusalError(422, "account-closed", version=account.version)
        if account.scope in {direction, "ALL"}:
            raise RefusalError(422, "account-blocked", version=account.version)
        if account.currency != currency:
            raise RefusalError(422, "currency-mismatch", version=account.version)

    async def require_available(self, account: Account, amount: int) -> None:
        """Refuse what the account has not got. Never waits: check and effect are one step."""
        if account.available < amount:
            raise RefusalError(422, "insufficient-funds", version=account.version)

    def book(self, account: Account, posting: Posting) -> Event:
        """Book an entry against its control account."""
        credit = posting.code in CREDITS
        signed = posting.amount if credit else -posting.amount
        account.booked += signed
        account.sequence = self.number(account)
        place = place_of(account.account_id, account.version + 1, "narrative")
        data = {
            "sequence": account.sequence,
            "code": posting.code,
            "amount_minor": posting.amount,
            "currency": account.currency,
            "balance_after_minor": account.booked,
            "transfer_id": posting.transfer_id,
            "hold_id": posting.hold_id,
            "counterparty": posting.counterparty,
            "counterparty_bank": posting.counterparty_bank,
            "booking_time": datetime.now(UTC).isoformat(),
            "value_date": posting.value_date or datetime.now(UTC).date().isoformat(),
            "narrative": self.bank.vault.seal(account.customer_id, posting.narrative, place),
        }
        kind = "FundsCredited" if credit else "FundsDebited"
        sides = ((account.account_id, signed), (CONTRA[posting.code], -signed))
        event = self.record(account, kind, data, postings=sides)
        self.bank.histories.project(account.account_id, event)
        return event

    def number(self, account: Account) -> int:
        """Return the sequence of the next entry."""
        return account.sequence + 1

    def hold(self, account: Account, amount: int, seconds: int) -> Hold:
        """Set money aside that is known to be there."""
        hold = Hold(new_id("hld"), amount, datetime.now(UTC) + timedelta(seconds=seconds))
        account.holds[hold.hold_id] = hold
        account.held += amount
        self.keep(account, hold)
        self.record(account, "HoldPlaced", {"hold_id": hold.hold_id, "amount_minor": amount})
        return hold

    def keep(self, account: Account, hold: Hold) -> None:
        """Keep a hold with the next commit."""
        doc = partial(hold.doc, account.account_id)
        self.bank.disk.put("hold", hold.hold_id, doc)

    def end_hold(self, account: Account, hold: Hold, state: str) -> None:
        """End a hold: what it held is free, or about to be booked."""
        account.held -= hold.left
        hold.state = state
        self.keep(account, hold)
        kind = "HoldReleased" if state == "RELEASED" else "HoldCaptured"
        self.record(account, kind, {"hold_id": hold.hold_id})

    def capture(self, account: Account, hold: Hold, amount: int, *, final: bool) -> Event:
        """Debit an account against a hold; a final capture releases what is left of it."""
        if not hold.active:
            raise RefusalError(409, "hold-ended", version=account.version)
        if amount > hold.left:
            raise RefusalError(422, "above-maximum", version=account.version)
        account.held -= amount
        hold.captured += amount
        self.keep(account, hold)
        if final or not hold.left:
            self.end_hold(account, hold, "PARTIALLY_CAPTURED" if hold.left else "CAPTURED")
        return self.book(account, Posting("CAPTURE", amount, hold_id=hold.hold_id))

    def release(self, account: Account, hold: Hold) -> None:
        """Give back what is held."""
        if not hold.active:
            raise RefusalError(409, "hold-ended", version=account.version)
        self.end_hold(account, hold, "RELEASED")

    def set_scope(self, account: Account, scope: str | None) -> None:
        """Freeze or unfreeze."""
        if account.scope != scope:
            account.scope = scope
            self.record(account, "AccountFrozen" if scope else "AccountUnfrozen", {"scope": scope})

    def set_credit_line(self, account: Account, amount: int) -> None:
        """Set how far below zero the account may go."""
        if account.credit_line != amount:
            account.credit_line = amount
            self.record(account, "CreditLineSet", {"credit_line_minor": amount})

    def set_dormant(self, account: Account, *, dormant: bool) -> None:
        """Mark as dormant or reactivate."""
        if account.dormant != dormant:
            account.dormant = dormant
            self.record(account, "AccountMarkedDormant" if dormant else "AccountReactivated", {})

    def close(self, account: Account) -> None:
        """Close an account with nothing on it."""
        if account.booked or account.held:
            raise RefusalError(409, "account-not-empty", version=account.version)
        if not account.closed:
            account.closed = True
            self.record(account, "AccountClosed", {})


def today() -> date:
    """Return the business date."""
    return datetime.now(UTC).date()
