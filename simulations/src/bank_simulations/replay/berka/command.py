"""`bank-simulations replay berka`: read, send, compare, say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_simulations.client import BankClient
from bank_simulations.console import err, out
from bank_simulations.files import write_json

from .days import TOLERANCE_MINOR
from .driver import Replayed, send
from .journals import CURRENCY, find_folder, read_books

if TYPE_CHECKING:
    from pathlib import Path

    from bank_simulations.tokens import TokenSource

WRONG_DAYS_SHOWN = 10


def replay(
    data: Path | None,
    url: str,
    tokens: TokenSource,
    run: str,
    concurrency: int,
    json_file: Path | None,
) -> bool:
    """Replay the books in the folder against the bank at `url`; whether every day agrees."""
    folder = find_folder(data)
    books = read_books(folder)
    total = sum(len(book.transactions) for book in books)
    err.print(f"{folder}: {total:,} transactions of {len(books):,} accounts")
    bank = BankClient(url, tokens, connections=concurrency, timeout_seconds=60)
    try:
        bank.require_answer()
        replayed = send(bank, books, run, concurrency)
    finally:
        bank.close()
    write_json(json_file, replayed.document())
    _tell(replayed)
    return replayed.agrees


def _tell(outcome: Replayed) -> None:
    """The figures, and what is wrong where something is."""
    out.print(
        f"{outcome.transactions:,} transactions of {outcome.accounts:,} accounts "
        f"in {outcome.seconds:.0f} s; {outcome.read_back:,} entries read back"
    )
    for reason, count in outcome.refusals.most_common():
        out.print(f"refused {count:,} times: {reason}", style="red")
    for stray in outcome.strays[:WRONG_DAYS_SHOWN]:
        out.print(stray, style="red")
    for day in outcome.wrong_days[:WRONG_DAYS_SHOWN]:
        out.print(
            f"account {day.account_id} on {day.day}: {_money(day.ours_minor)}, "
            f"published {_money(day.published_minor)}, {_money(day.apart_minor)} apart",
            style="red",
        )
    days, wrong = len(outcome.days), len(outcome.wrong_days)
    out.print(
        f"{days - wrong:,} of {days:,} account-days within {_money(TOLERANCE_MINOR)}",
        style="green" if outcome.agrees else "red",
    )


def _money(minor: int) -> str:
    sign = "-" if minor < 0 else ""
    return f"{sign}{abs(minor) // 100:,}.{abs(minor) % 100:02d} {CURRENCY}"
