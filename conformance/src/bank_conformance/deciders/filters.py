"""The filters of a history, and what a traversal under them must show.

Written from the contract: all filters apply together; `from` is inclusive, `to` is exclusive; a
text is searched without regard to case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from bank_conformance.bank.shapes import Entry, instant

FILTERS: dict[str, Callable[[Entry, str], bool]] = {
    "booked_from": lambda entry, value: instant(entry.booking_time) >= instant(value),
    "booked_to": lambda entry, value: instant(entry.booking_time) < instant(value),
    "value_from": lambda entry, value: entry.value_date >= value,
    "value_to": lambda entry, value: entry.value_date < value,
    "code": lambda entry, value: entry.code == value,
    "direction": lambda entry, value: entry.direction == value,
    "min_amount_minor": lambda entry, value: entry.amount_minor >= int(value),
    "max_amount_minor": lambda entry, value: entry.amount_minor <= int(value),
    "counterparty": lambda entry, value: entry.counterparty == value,
    "transfer_id": lambda entry, value: entry.transfer_id == value,
    "text": lambda entry, value: value.casefold() in (entry.narrative or "").casefold(),
}


def matches(entry: Entry, query: Mapping[str, object]) -> bool:
    """Say whether an entry passes all filters of a query."""
    return all(FILTERS[name](entry, str(value)) for name, value in query.items() if name != "order")


def wrong(
    shown: Sequence[Entry], query: Mapping[str, object], before: int, after: Sequence[Entry]
) -> str:
    """Say what is wrong with a traversal; empty for nothing.

    `before` entries showed before it began, `after` is the history once all is over. It must show
    all of the former that match, in order and once; of the later ones it may show the first few.
    """
    due = [entry for entry in after if matches(entry, query)]
    told = list(shown) if query.get("order") != "desc" else list(reversed(shown))
    numbers = [entry.sequence for entry in told]
    last = max([before, *numbers])
    expected = [entry.sequence for entry in due if entry.sequence <= last]
    repeated = len(numbers) - len(set(numbers))
    missing = sorted(set(expected) - set(numbers))
    strange = sorted(set(numbers) - set(expected))
    found = [f"{repeated} entries are shown twice"] if repeated else []
    found += [f"{len(missing)} are missing, the first is {missing[0]}"] if missing else []
    found += [f"{len(strange)} do not match, the first is {strange[0]}"] if strange else []
    if not found and numbers != expected:
        found = ["the order is not that of the sequence"]
    if not found and told != [entry for entry in due if entry.sequence <= last]:
        found = ["an entry is shown otherwise than later"]
    return "; ".join(found)
