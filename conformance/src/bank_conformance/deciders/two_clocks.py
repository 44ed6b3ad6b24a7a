"""Balances under two clocks: when an entry counts, and when it was known."""

from __future__ import annotations

from collections.abc import Iterable

from bank_conformance.bank.shapes import Entry, instant


def balance(entries: Iterable[Entry], as_of: str | None, known_at: str | None) -> int:
    """Return the fold of a history: what counted by `as_of`, of what was known at `known_at`.

    Both are inclusive; None excludes nothing.
    """
    until = instant(known_at) if known_at else None
    return sum(
        entry.signed_minor
        for entry in entries
        if (as_of is None or entry.value_date <= as_of)
        and (until is None or instant(entry.booking_time) <= until)
    )
