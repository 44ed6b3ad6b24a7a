"""An account to tell stories about: EUR, opened at eight, everything counted in cents."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from ourbank.domain.entry import (
    FundsCredited,
    FundsDebited,
    PostEntry,
)
from ourbank.domain.hold import CaptureHold, HoldPlaced, PlaceHold
from ourbank.domain.ledger import TransactionCode
from ourbank.domain.lifecycle import AccountOpened

EIGHT = datetime(2026, 3, 2, 8, tzinfo=UTC)
TODAY = date(2026, 3, 2)
ACCOUNT, CUSTOMER, EUR = "acc_1", "cus_1", "EUR"
DEPOSIT, WITHDRAWAL = TransactionCode.CASH_DEPOSIT, TransactionCode.CASH_WITHDRAWAL


def at(minutes: int) -> datetime:
    """So many minutes past eight."""
    return EIGHT + timedelta(minutes=minutes)


NOW = at(60)


def opened(credit_line_minor: int = 0, account_id: str = ACCOUNT) -> AccountOpened:
    return AccountOpened(account_id, CUSTOMER, EUR, credit_line_minor, EIGHT)


def credited(amount_minor: int, sequence: int, balance_minor: int, **rest: Any) -> FundsCredited:
    return FundsCredited(**_entry(DEPOSIT, amount_minor, sequence, balance_minor) | rest)


def debited(amount_minor: int, sequence: int, balance_minor: int, **rest: Any) -> FundsDebited:
    return FundsDebited(**_entry(WITHDRAWAL, amount_minor, sequence, balance_minor) | rest)


def _entry(
    code: TransactionCode, amount_minor: int, sequence: int, balance_minor: int
) -> dict[str, Any]:
    return {
        "account_id": ACCOUNT,
        "sequence": sequence,
        "code": code,
        "amount_minor": amount_minor,
        "currency": EUR,
        "balance_after_minor": balance_minor,
        "booking_time": NOW,
        "value_date": TODAY,
    }


def funded(amount_minor: int) -> tuple[AccountOpened, FundsCredited]:
    """An account with so much on it."""
    return opened(), credited(amount_minor, 1, amount_minor)


def held(hold_id: str, amount_minor: int, expires_at: datetime | None = None) -> HoldPlaced:
    return HoldPlaced(hold_id, amount_minor, EUR, expires_at, NOW)


def deposit(amount_minor: int, now: datetime = NOW, **rest: Any) -> PostEntry:
    return PostEntry(DEPOSIT, amount_minor, EUR, TODAY, now, **rest)


def withdraw(amount_minor: int, now: datetime = NOW, **rest: Any) -> PostEntry:
    return PostEntry(WITHDRAWAL, amount_minor, EUR, TODAY, now, **rest)


def hold(
    hold_id: str, amount_minor: int, expires_at: datetime | None = None, now: datetime = NOW
) -> PlaceHold:
    return PlaceHold(hold_id, amount_minor, EUR, expires_at, now)


def capture(
    hold_id: str, amount_minor: int, now: datetime = NOW, *, final: bool = True
) -> CaptureHold:
    return CaptureHold(hold_id, amount_minor, EUR, TODAY, now, final=final)
