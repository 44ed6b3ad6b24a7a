"""Books that must not change: against a reckoning from scratch, and with one thing spoilt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from bank_conformance.bank.shapes import Account, Entry, FeedEvent, Posting
from bank_conformance.deciders.kept_books import entry_changes, event_changes, wrong_sums
from builders import ACCOUNT
from builders import entry as make_entry
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

AMOUNTS = st.lists(st.integers(-50, 50).filter(bool), max_size=8)


def history(amounts: list[int]) -> list[Entry]:
    entries, total = [], 0
    for number, amount in enumerate(amounts, 1):
        total += amount
        entry = make_entry(number, number, "CRDT" if amount > 0 else "DBIT", abs(amount))
        entries.append(replace(entry, balance_after_minor=total, narrative=f"text {number}"))
    return entries


def account(amounts: list[int]) -> Account:
    return replace(ACCOUNT, booked_minor=sum(amounts), sequence=len(amounts))


@given(AMOUNTS, AMOUNTS)
def test_what_only_grew_is_unchanged(old: list[int], new: list[int]) -> None:
    after = [replace(one, narrative=None) for one in history(old + new)]
    assert not list(entry_changes(history(old), after))
    assert not list(wrong_sums(after, account(old + new)))


@given(AMOUNTS.filter(bool), st.data())
def test_every_entry_that_is_another_one_is_found(amounts: list[int], data: st.DataObject) -> None:
    before = history(amounts)
    place = data.draw(st.integers(0, len(before) - 1))
    spoilt: dict[str, Any] = data.draw(
        st.sampled_from(
            [
                {"amount_minor": 51},
                {"value_date": "2000-01-01"},
                {"code": "FEE"},
                {"counterparty": "acc_2"},
                {"transfer_id": "trf_1"},
            ]
        )
    )
    after = list(before)
    after[place] = replace(before[place], **spoilt)
    found = list(entry_changes(before, after))
    assert [one.place for one in found] == [f"entry {place + 1}"]
    assert list(entry_changes(before, before[:place] + before[place + 1 :]))


@given(
    st.lists(
        st.tuples(st.integers(1, 3), st.sampled_from([-1, 1]), st.integers(-3, 3)), max_size=4
    ),
    st.integers(-2, 2),
)
def test_sums_and_numbers_agree_with_a_reckoning_from_scratch(
    rows: list[tuple[int, int, int]], booked: int
) -> None:
    entries = [
        replace(
            make_entry(1, number, "CRDT" if sign > 0 else "DBIT", 1), balance_after_minor=balance
        )
        for number, sign, balance in rows
    ]
    signs = [sign for _, sign, _ in rows]
    right = (
        [number for number, _, _ in rows] == list(range(1, len(rows) + 1))
        and [balance for *_, balance in rows] == [sum(signs[: i + 1]) for i in range(len(rows))]
        and booked == sum(signs)
    )
    assert (not list(wrong_sums(entries, replace(ACCOUNT, booked_minor=booked)))) == right


def event(partition: int, position: int, amount: int = 5) -> FeedEvent:
    sides = [Posting("acc_1", amount, "EUR"), Posting("control:cash", -5, "EUR")]
    data = {"sequence": position, "amount_minor": 5, "narrative": "sealed"}
    name = f"acc_{partition}"
    return FeedEvent(partition, position, name, position, "FundsCredited", 1, "now", data, sides)


FEED = [event(partition, position) for position in range(3, 7) for partition in (0, 1)]

SPOILT: dict[str, tuple[Callable[[list[FeedEvent]], list[FeedEvent]], str]] = {
    "removed": (lambda feed: feed[:2] + feed[3:], "it is gone"),
    "removed, and the rest renumbered": (
        lambda feed: [
            replace(one, position=one.position - (one.partition == 0 and one.position > 4))
            for one in feed
            if (one.partition, one.position) != (0, 4)
        ],
        "position 4 of partition 0",
    ),
    "inserted twice": (lambda feed: [*feed, feed[-1]], "position 7 should come, and 6 does"),
    "other postings": (
        lambda feed: [replace(feed[0], postings=event(0, 3, 6).postings), *feed[1:]],
        "the postings up to there make 1 EUR",
    ),
    "another amount": (
        lambda feed: [replace(feed[0], data=feed[0].data | {"amount_minor": 6}), *feed[1:]],
        "position 3 of partition 0",
    ),
    "another time": (lambda feed: [replace(feed[0], recorded_at="then"), *feed[1:]], "then"),
}


def test_a_feed_that_grew_and_whose_texts_are_gone_is_unchanged() -> None:
    after = [replace(one, data=one.data | {"narrative": None}) for one in [*FEED, event(0, 7)]]
    assert not list(event_changes(FEED, after))
    assert not list(event_changes([], FEED))


@pytest.mark.parametrize("name", SPOILT)
def test_every_event_that_is_another_one_is_found(name: str) -> None:
    spoil, said = SPOILT[name]
    found = list(event_changes(FEED, spoil(list(FEED))))
    assert any(said in f"{one.place}: {one.what}" for one in found), found
