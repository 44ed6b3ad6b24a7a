"""The contract's answers to questions about the past, to be read as `shapes` reads the others."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field


class Balance(Struct, frozen=True):
    """A booked balance under both clocks; `as_of` and `known_at` are None where not asked for."""

    account_id: str
    as_of: str | None
    known_at: str | None
    booked_minor: int


class SnapshotItem(Struct, frozen=True):
    """The booked balance of one account of a snapshot."""

    account_id: str
    booked_minor: int


class Snapshot(Struct, frozen=True):
    """Balances of several accounts at one instant."""

    items: list[SnapshotItem]


class StatementBalance(Struct, frozen=True):
    """A balance of camt.053: unsigned, with its direction."""

    type: Literal["OPBD", "CLBD"]
    direction: Literal["CRDT", "DBIT"]
    amount_minor: int

    @property
    def signed_minor(self) -> int:
        """The balance, below zero where the customer owes."""
        return self.amount_minor if self.direction == "CRDT" else -self.amount_minor


class StatementEntry(Struct, frozen=True):
    """An entry as a statement shows it."""

    sequence: int
    direction: Literal["CRDT", "DBIT"]
    code: str
    amount_minor: int
    balance_after_minor: int
    booking_time: str
    value_date: str
    transfer_id: str | None = None

    @property
    def signed_minor(self) -> int:
        """The change of the booked balance."""
        return self.amount_minor if self.direction == "CRDT" else -self.amount_minor


class Statement(Struct, frozen=True):
    """The statement of a closed period."""

    account_id: str
    start: str = field(name="from")
    end: str = field(name="to")
    opening: StatementBalance
    entries: list[StatementEntry]
    closing: StatementBalance
    closing_sequence: int


class CodeTotal(Struct, frozen=True):
    """The sums of one transaction code on a day."""

    code: str
    count: int
    credit_minor: int
    debit_minor: int


class TrialLine(Struct, frozen=True):
    """A line of a trial balance: a control account, or all customers together."""

    account: str
    amount_minor: int


class CurrencyReport(Struct, frozen=True):
    """The report of a day in one currency."""

    currency: str
    totals: list[CodeTotal]
    trial_balance: list[TrialLine]


class DailyReport(Struct, frozen=True):
    """The report of a day."""

    date: str
    basis: Literal["BOOKING", "VALUE"]
    currencies: list[CurrencyReport]


class FraudRule(Struct, frozen=True):
    """A rule in force."""

    rule: str
    version: int
    parameters: dict[str, int]


class FraudRules(Struct, frozen=True):
    """The rules in force."""

    items: list[FraudRule]


class FraudInput(Struct, frozen=True):
    """An entry that an alert rests on."""

    account_id: str
    sequence: int
    amount_minor: int


class FraudAlert(Struct, frozen=True):
    """What a rule found on an account."""

    alert_id: str
    rule: str
    rule_version: int
    account_id: str
    inputs: list[FraudInput]


class FraudAlertPage(Struct, frozen=True):
    """A page of alerts."""

    items: list[FraudAlert]
    next: str | None
