"""Statements: each by itself, against the history, and one after the other.

Written from the contract: a period is half open by booking time, entries stand in order of
sequence, and the opening balance and the entries make the closing one.
"""

from __future__ import annotations

from collections.abc import Sequence

from bank_conformance.bank.past import Statement, StatementEntry
from bank_conformance.bank.shapes import Entry, instant


def wrong(statement: Statement, entries: Sequence[Entry], period: tuple[str, str]) -> str:
    """Say what is wrong with one statement, given the account's history; empty for nothing."""
    opening, closing = statement.opening.signed_minor, statement.closing.signed_minor
    moved = sum(entry.signed_minor for entry in statement.entries)
    numbers = [entry.sequence for entry in statement.entries]
    due = [
        one
        for one in entries
        if instant(period[0]) <= instant(one.booking_time) < instant(period[1])
    ]
    missing = sorted({one.sequence for one in due} - set(numbers))
    strange = sorted(set(numbers) - {one.sequence for one in due})
    found = []
    if opening + moved != closing:
        found.append(f"opening {opening} and entries of {moved} are not closing {closing}")
    if numbers != sorted(set(numbers)):
        found.append("its entries are not in order of sequence, each once")
    found += [f"entry {missing[0]} is missing (of {len(missing)})"] if missing else []
    found += [f"entry {strange[0]} is not of this period (of {len(strange)})"] if strange else []
    if not found:
        found = _inexact(statement, entries, due, period)
    return "; ".join(found)


def _inexact(
    statement: Statement, entries: Sequence[Entry], due: Sequence[Entry], period: tuple[str, str]
) -> list[str]:
    """Say what is wrong with a statement that has the right entries, in the right order."""
    until = [one for one in entries if instant(one.booking_time) < instant(period[1])]
    closing = sum(one.signed_minor for one in until)
    last = max((one.sequence for one in until), default=0)
    found = []
    if statement.closing.signed_minor != closing:
        found.append(f"closing is {statement.closing.signed_minor}, the history says {closing}")
    if statement.closing_sequence != last:
        found.append(f"its closing sequence is {statement.closing_sequence}, expected {last}")
    kinds = statement.opening.type, statement.closing.type
    if kinds != ("OPBD", "CLBD"):
        found.append(f"its balances are of the types {', '.join(kinds)}")
    if statement.entries != [_shown(one) for one in due]:
        found.append("an entry is shown otherwise than in the history")
    return found


def _shown(entry: Entry) -> StatementEntry:
    names = StatementEntry.__struct_fields__
    return StatementEntry(**{name: getattr(entry, name) for name in names})


def broken_link(earlier: Statement, later: Statement) -> str:
    """Say why the statement of one period does not follow on that of the period before it."""
    closing, opening = earlier.closing.signed_minor, later.opening.signed_minor
    if closing != opening:
        return f"one closes with {closing} and the next opens with {opening}"
    numbers = [entry.sequence for entry in later.entries]
    due = list(range(earlier.closing_sequence + 1, later.closing_sequence + 1))
    return "" if numbers == due else f"entries {due} are due between two statements, not {numbers}"
