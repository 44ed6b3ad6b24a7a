"""Every entry balances by itself, against the control account its code names."""

import re
from collections import Counter

import pytest

from ourbank.domain.ledger import (
    BOOKINGS,
    ControlAccount,
    Direction,
    Posting,
    TransactionCode,
    postings,
)


@pytest.mark.parametrize("code", TransactionCode)
def test_every_transaction_code_has_a_booking(code: TransactionCode) -> None:
    assert re.fullmatch(r"[A-Z]{4}/[A-Z]{4}/[A-Z]{4}", BOOKINGS[code].bank_transaction_code)


@pytest.mark.parametrize("code", TransactionCode)
@pytest.mark.parametrize("amount_minor", [1, 30, 10**15])
def test_both_sides_add_up_to_zero_in_one_currency(
    code: TransactionCode, amount_minor: int
) -> None:
    own, contra = postings("acc_1", code, amount_minor, "EUR")
    assert own.amount_minor + contra.amount_minor == 0
    assert abs(own.amount_minor) == amount_minor
    assert (own.account, own.currency, contra.currency) == ("acc_1", "EUR", "EUR")
    assert contra.account == BOOKINGS[code].contra


def test_the_customers_side_has_the_sign_of_the_customers_balance() -> None:
    assert postings("acc_1", TransactionCode.CASH_DEPOSIT, 30, "EUR") == (
        Posting("acc_1", 30, "EUR"),
        Posting("control:cash", -30, "EUR"),
    )
    assert postings("acc_1", TransactionCode.FEE, 30, "EUR") == (
        Posting("acc_1", -30, "EUR"),
        Posting("control:fees", 30, "EUR"),
    )


def test_a_completed_transfer_leaves_nothing_in_transit() -> None:
    totals: Counter[str] = Counter()
    for account, code in [
        ("acc_2", TransactionCode.TRANSFER_IN),
        ("acc_1", TransactionCode.TRANSFER_OUT),
    ]:
        for posting in postings(account, code, 40, "EUR"):
            totals[posting.account] += posting.amount_minor
    assert totals == {"acc_1": -40, "acc_2": 40, ControlAccount.IN_TRANSIT: 0}


def test_the_direction_is_the_iso_20022_indicator() -> None:
    assert {direction.value for direction in Direction} == {"CRDT", "DBIT"}
