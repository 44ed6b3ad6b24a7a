"""The journals as they were published: semicolons, quotes, latin-1, YYMMDD, amounts in CZK.

Whatever months lie in the folder are read; nothing is counted beforehand.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

from bank_simulations.console import BadInputError
from bank_simulations.replay.rows import Row, parse_amount, read_rows

CURRENCY = "CZK"
CENTURY = 1900
WOMEN_MONTH_OFFSET, MONTHS = 50, 12
CREDIT = "PRIJEM"
DEBITS = {"VYDAJ", "VYBER"}
CODE_BY_PURPOSE = {
    "UROK": "INTEREST",
    "SANKC. UROK": "PENALTY_INTEREST",
    "SLUZBY": "FEE",
    "UVER": "LOAN_PAYMENT",
}
CODE_BY_OPERATION = {
    "VKLAD": "CASH_DEPOSIT",
    "VYBER": "CASH_WITHDRAWAL",
    "VYBER KARTOU": "CARD_WITHDRAWAL",
    "PREVOD Z UCTU": "INCOMING_PAYMENT",
    "PREVOD NA UCET": "OUTGOING_PAYMENT",
}
CREDIT_CODES = {"INTEREST", "CASH_DEPOSIT", "INCOMING_PAYMENT"}
NARRATIVES = {"SIPO": "household", "POJISTNE": "insurance", "DUCHOD": "pension", "UVER": "loan"}

_rows = partial(read_rows, delimiter=";", encoding="latin-1")


@dataclass(frozen=True, slots=True)
class Transaction:
    """One line of the bank's journal; `balance_minor` is the published balance after it."""

    trans_id: str
    account_id: str
    value_date: date
    code: str
    amount_minor: int
    balance_minor: int
    other_bank: str | None
    other_account: str | None
    narrative: str | None

    @property
    def signed_minor(self) -> int:
        """What it adds to the balance."""
        return self.amount_minor if self.code in CREDIT_CODES else -self.amount_minor


@dataclass(frozen=True, slots=True)
class Owner:
    """Who owns an account; the data are anonymous, so only the birth date is real."""

    client_id: str
    birth_date: date


@dataclass(frozen=True, slots=True)
class AccountBook:
    """An account's journal in the order of its value dates."""

    account_id: str
    owner: Owner
    transactions: tuple[Transaction, ...]


def read_books(folder: Path) -> list[AccountBook]:
    """All accounts that have transactions.

    Raises:
        BadInputError: a file is missing or a line cannot be read; the text says which.
    """
    owners = _owners(folder)
    journals: dict[str, list[Transaction]] = defaultdict(list)
    for path in _journals(folder):
        for transaction in _rows(path, parse_transaction):
            journals[transaction.account_id].append(transaction)
    return [
        AccountBook(account_id, _owner(owners, account_id, folder), tuple(_by_value_date(journal)))
        for account_id, journal in journals.items()
    ]


def find_folder(given: Path | None) -> Path:
    """The folder with the journals: `given`, its berka/, or ../shared/data/berka."""
    tried = [given, given / "berka"] if given else [Path("../shared/data/berka")]
    for folder in tried:
        if any(folder.glob("trans-*.asc")):
            return folder
    raise BadInputError(
        f"no trans-*.asc in {' or '.join(map(str, tried))}: give the folder with --data "
        "or BANKWRIGHT_DATA"
    )


def parse_transaction(row: Row) -> Transaction:
    """One line of trans-*.asc; raises ValueError where it says what nobody knows."""
    purpose, other_bank = row["k_symbol"].strip(), row["bank"].strip()
    code = _code(row["operation"].strip(), purpose)
    credit = row["type"] == CREDIT
    if credit != (code in CREDIT_CODES) or not (credit or row["type"] in DEBITS):
        raise ValueError(f"type {row['type']!r} does not go with {code}")
    return Transaction(
        trans_id=row["trans_id"],
        account_id=row["account_id"],
        value_date=parse_date(row["date"]),
        code=code,
        amount_minor=parse_amount(row["amount"]),
        balance_minor=parse_amount(row["balance"]),
        other_bank=other_bank or None,
        other_account=row["account"].strip() if other_bank else None,
        narrative=NARRATIVES.get(purpose),
    )


def parse_date(text: str) -> date:
    """YYMMDD, of the twentieth century."""
    if len(text) != len("YYMMDD") or not text.isdigit():
        raise ValueError(f"{text!r} is no date as YYMMDD")
    return date(CENTURY + int(text[:2]), int(text[2:4]), int(text[4:]))


def parse_birth_number(text: str) -> date:
    """YYMMDD, with 50 added to the month for women."""
    month = int(text[2:4])
    month -= WOMEN_MONTH_OFFSET if month > MONTHS else 0
    return parse_date(f"{text[:2]}{month:02d}{text[4:]}")


def _code(operation: str, purpose: str) -> str:
    code = CODE_BY_PURPOSE.get(purpose) or CODE_BY_OPERATION.get(operation)
    if code is None:
        raise ValueError(f"operation {operation!r} with k_symbol {purpose!r} is unknown")
    return code


def _by_value_date(journal: list[Transaction]) -> list[Transaction]:
    return sorted(journal, key=lambda transaction: transaction.value_date)


def _owners(folder: Path) -> dict[str, Owner]:
    births = dict(_rows(folder / "client.asc", _birth))
    links = _rows(folder / "disp.asc", lambda row: row)
    return {
        row["account_id"]: Owner(row["client_id"], births[row["client_id"]])
        for row in links
        if row["type"] == "OWNER" and row["client_id"] in births
    }


def _birth(row: Row) -> tuple[str, date]:
    return row["client_id"], parse_birth_number(row["birth_number"])


def _owner(owners: dict[str, Owner], account_id: str, folder: Path) -> Owner:
    if account_id not in owners:
        raise BadInputError(f"{folder / 'disp.asc'} names no owner of account {account_id}")
    return owners[account_id]


def _journals(folder: Path) -> list[Path]:
    return sorted(folder.glob("trans-*.asc"))
