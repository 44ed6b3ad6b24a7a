"""`bank-simulations replay amlsim`: read, send, compare, say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_simulations.client import BankClient
from bank_simulations.console import BadInputError, err, out
from bank_simulations.files import write_json

from .book import find_folder, read_book
from .driver import WRONG_SHOWN, Driver, Replayed
from .model import PUBLISHED, one_at_a_time

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bank_simulations.tokens import TokenSource

    from .book import Book


def replay(
    data: Path | None,
    url: str,
    tokens: TokenSource,
    run: str,
    concurrency: int,
    json_file: Path | None,
    *,
    limit: int | None,
    unlimited_credit: bool,
) -> bool:
    """Replay the sample in the folder against the bank at `url`; whether the bank is right.

    With unlimited credit it is another run: the same name begins other keys.
    """
    folder = find_folder(data)
    whole = read_book(folder)
    _require_published(folder, whole)
    book = whole.first(limit)
    answers = one_at_a_time(book, unlimited_credit=unlimited_credit)
    err.print(f"{folder}: {len(book.transfers):,} transfers of {len(book.accounts):,} accounts")
    bank = BankClient(url, tokens, connections=concurrency, timeout_seconds=60)
    try:
        bank.require_answer()
        name = f"{run}-credit" if unlimited_credit else run
        replayed = Driver(bank, book, name, concurrency, unlimited_credit).replay(answers)
    finally:
        bank.close()
    write_json(json_file, replayed.document())
    _tell(replayed)
    return replayed.agrees


def _require_published(folder: Path, book: Book) -> None:
    """Hold a sample whose answers are published against them, before anything is sent."""
    published = PUBLISHED.get(folder.name)
    if published and (found := one_at_a_time(book).counts) != published:
        raise BadInputError(
            f"{folder} does not hold the published sample: {_counts(found)} one at a time, not "
            f"{_counts(published)}; fetch it again, or give a folder of another name"
        )


def _tell(replayed: Replayed) -> None:
    """The figures, and what is wrong where something is."""
    out.print(
        f"{replayed.transfers:,} transfers of {replayed.accounts:,} accounts: "
        f"{_counts(replayed.outcomes)}"
    )
    out.print(
        f"set up in {replayed.set_up_seconds:.0f} s, then {replayed.transfers_per_second:,.0f} "
        f"transfers a second for {replayed.transfer_seconds:.0f} s"
    )
    itself = "; from an account to itself, which a bank may refuse: "
    out.print(
        f"one at a time: {_counts(replayed.expected)}"
        + (f"{itself}{replayed.to_itself:,}" if replayed.to_itself else "")
    )
    for wrong in replayed.wrong_outcomes[:WRONG_SHOWN] + replayed.wrong_balances[:WRONG_SHOWN]:
        out.print(wrong, style="red")
    outcomes = replayed.transfers - len(replayed.wrong_outcomes)
    balances = replayed.accounts - len(replayed.wrong_balances)
    out.print(
        f"{outcomes:,} of {replayed.transfers:,} outcomes and {balances:,} of "
        f"{replayed.accounts:,} balances are right",
        style="green" if replayed.agrees else "red",
    )


def _counts(outcomes: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {outcome}" for outcome, count in sorted(outcomes.items()))
