"""The chart of control accounts, and what each transaction code books against.

Double entry without hot control accounts: every money event names its customer account *and* its
contra account, so it balances by itself. Control balances, the general ledger and the trial
balance are folds of the log, never streams of their own, and so never a bottleneck. At rest *in
transit* is zero; in between it shows exactly the money on its way.
"""

from enum import StrEnum

from .value import value


class Direction(StrEnum):
    """ISO 20022 credit/debit indicator, seen from the customer's account."""

    CREDIT = "CRDT"
    DEBIT = "DBIT"


class ControlAccount(StrEnum):
    """The bank's own side of an entry."""

    CASH = "control:cash"
    NOSTRO = "control:nostro"
    IN_TRANSIT = "control:in-transit"
    CARDS = "control:cards"
    INTEREST_EXPENSE = "control:interest-expense"
    INTEREST_INCOME = "control:interest-income"
    FEES = "control:fees"
    LOANS = "control:loans"


class TransactionCode(StrEnum):
    """What an entry is for. The names are stored and public."""

    CASH_DEPOSIT = "CASH_DEPOSIT"
    CASH_WITHDRAWAL = "CASH_WITHDRAWAL"
    CARD_WITHDRAWAL = "CARD_WITHDRAWAL"
    INCOMING_PAYMENT = "INCOMING_PAYMENT"
    OUTGOING_PAYMENT = "OUTGOING_PAYMENT"
    INTEREST = "INTEREST"
    PENALTY_INTEREST = "PENALTY_INTEREST"
    FEE = "FEE"
    LOAN_PAYMENT = "LOAN_PAYMENT"
    CAPTURE = "CAPTURE"
    TRANSFER_IN = "TRANSFER_IN"
    TRANSFER_OUT = "TRANSFER_OUT"


@value
class Booking:
    """How a transaction code books: direction, contra account, ISO 20022 bank transaction code."""

    direction: Direction
    contra: ControlAccount
    bank_transaction_code: str


_C, _D = Direction.CREDIT, Direction.DEBIT

BOOKINGS = {
    TransactionCode.CASH_DEPOSIT: Booking(_C, ControlAccount.CASH, "PMNT/CNTR/CDPT"),
    TransactionCode.CASH_WITHDRAWAL: Booking(_D, ControlAccount.CASH, "PMNT/CNTR/CWDL"),
    TransactionCode.CARD_WITHDRAWAL: Booking(_D, ControlAccount.CARDS, "PMNT/CCRD/CWDL"),
    TransactionCode.INCOMING_PAYMENT: Booking(_C, ControlAccount.NOSTRO, "PMNT/RCDT/DMCT"),
    TransactionCode.OUTGOING_PAYMENT: Booking(_D, ControlAccount.NOSTRO, "PMNT/ICDT/DMCT"),
    TransactionCode.INTEREST: Booking(_C, ControlAccount.INTEREST_EXPENSE, "ACMT/MCOP/INTR"),
    TransactionCode.PENALTY_INTEREST: Booking(_D, ControlAccount.INTEREST_INCOME, "ACMT/MDOP/INTR"),
    TransactionCode.FEE: Booking(_D, ControlAccount.FEES, "ACMT/MDOP/CHRG"),
    TransactionCode.LOAN_PAYMENT: Booking(_D, ControlAccount.LOANS, "LDAS/CSLN/PPAY"),
    TransactionCode.CAPTURE: Booking(_D, ControlAccount.CARDS, "PMNT/CCRD/POSD"),
    TransactionCode.TRANSFER_IN: Booking(_C, ControlAccount.IN_TRANSIT, "PMNT/RCDT/BOOK"),
    TransactionCode.TRANSFER_OUT: Booking(_D, ControlAccount.IN_TRANSIT, "PMNT/ICDT/BOOK"),
}
"""Bank transaction codes from the ISO 20022 External Code Sets (domain/family/sub-family)."""


@value
class Posting:
    """One side of an entry; `amount_minor` is signed, credits to the account are positive."""

    account: str
    amount_minor: int
    currency: str


def postings(
    account_id: str, code: TransactionCode, amount_minor: int, currency: str
) -> tuple[Posting, Posting]:
    """Both sides of an entry of `amount_minor` (positive) on a customer account: they add up to
    zero.
    """
    booking = BOOKINGS[code]
    signed = amount_minor if booking.direction is Direction.CREDIT else -amount_minor
    return Posting(account_id, signed, currency), Posting(booking.contra, -signed, currency)
