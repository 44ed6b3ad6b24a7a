"""What breaks an invariant is found in histories written by hand, and nothing is in a good one."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import pytest
from bank_simulations.faults.checks import Invariant, check
from bank_simulations.faults.history import Entry, Found, Sent, Shown, Told
from hypothesis import given
from hypothesis import strategies as st

OPENING = 1_000
A, B, C = "acc_a", "acc_b", "acc_c"
PAID = Sent("k1", A, B, 70, Told.COMPLETED, "trf_1")
BACK = Sent("k2", B, A, 20, Told.ACCEPTED, "trf_2")
POOR = Sent("k3", C, A, 9_000, Told.REFUSED, "trf_3")
LOST = Sent("k4", C, B, 5)
STATES = {"trf_1": "COMPLETED", "trf_2": "COMPLETED", "trf_3": "REJECTED", "trf_4": "COMPLETED"}
SENT = (PAID, BACK, POOR, LOST)

Book = dict[str, list[Entry]]


def book(sent: Sent, transfer_id: str) -> Book:
    return {
        sent.source: [Entry(transfer_id, "DBIT", sent.amount_minor)],
        sent.target: [Entry(transfer_id, "CRDT", sent.amount_minor)],
    }


def found(*booked: Book, held: int = 0, slip: int = 0, **states: str | None) -> Found:
    """The bank at rest after these; `slip` is what one balance differs from its history."""
    entries: defaultdict[str, list[Entry]] = defaultdict(list)
    for each in booked:
        for account, more in each.items():
            entries[account] += more
    accounts = {
        name: Shown(
            OPENING + sum(entry.change_minor for entry in entries[name]) + slip * (name == A),
            held * (name == A),
            [Entry("", "CRDT", OPENING), *entries[name]],
        )
        for name in (A, B, C)
    }
    return Found({"k4": "trf_4"}, {**STATES, **states}, accounts, OPENING)


GOOD = (book(PAID, "trf_1"), book(BACK, "trf_2"), book(LOST, "trf_4"))


def test_nothing_is_found_where_all_is_well() -> None:
    assert check(SENT, found(*GOOD)) == []


def without(booked: Book, account: str) -> Book:
    return {name: entries for name, entries in booked.items() if name != account}


@pytest.mark.parametrize(
    ("shown", "invariant", "told"),
    [
        (found(*GOOD, trf_1=None), Invariant.KEPT, "trf_1 was completed and is not there"),
        (found(*GOOD, trf_1="EXPIRED"), Invariant.KEPT, "trf_1 was completed and is EXPIRED"),
        (found(*GOOD[1:]), Invariant.KEPT, "without the entries acc_a DBIT 70, acc_b CRDT 70"),
        (found(without(GOOD[0], B), *GOOD[1:]), Invariant.KEPT, "without the entries acc_b CRDT"),
        (found(*GOOD, GOOD[0]), Invariant.ONCE, "acc_a DBIT 70, acc_a DBIT 70, acc_b CRDT 70"),
        (found(*GOOD, book(PAID, "trf_9")), Invariant.ONCE, "nobody asked for trf_9"),
        (found(*GOOD, book(LOST, "trf_1")), Invariant.ONCE, "trf_1 has the entries"),
        (found(*GOOD, trf_2="RESERVED"), Invariant.ENDED, "trf_2 is RESERVED for good"),
        (found(*GOOD, trf_4="COMPENSATING"), Invariant.ENDED, "trf_4 is COMPENSATING for good"),
        (found(*GOOD, trf_3="COMPLETED"), Invariant.REFUSED, "trf_3 was refused and is COMPLETED"),
        (found(*GOOD, book(POOR, "trf_3")), Invariant.REFUSED, "trf_3 is REJECTED with"),
        (found(*GOOD, held=7), Invariant.EXACT, "acc_a still holds 7"),
        (found(*GOOD, slip=-1), Invariant.EXACT, "acc_a changed by -51, its history says by -50"),
        (found(*GOOD, slip=-1), Invariant.EXACT, "all accounts together changed by -1, not by 0"),
    ],
)
def test_what_is_wrong_is_named(shown: Found, invariant: Invariant, told: str) -> None:
    findings = check(SENT, shown)
    assert any(each.invariant is invariant and told in each.text for each in findings), findings


def test_a_key_that_is_never_answered_leaves_its_transfer_in_limbo() -> None:
    shown = replace(found(*GOOD[:2]), answers={"k4": None})
    (finding,) = check(SENT, shown)
    assert (finding.invariant, finding.text) == (Invariant.ENDED, "the key k4 is never answered")


def test_a_key_that_gives_another_transfer_was_done_twice() -> None:
    shown = replace(found(*GOOD), answers={"k4": "trf_4", "k1": "trf_7"})
    (finding,) = check(SENT, shown)
    assert finding.invariant is Invariant.ONCE
    assert "k1 gives trf_7, and gave trf_1" in finding.text


def test_an_answer_that_names_no_transfer_is_an_end_too() -> None:
    shown = replace(found(*GOOD[:2]), answers={"k4": ""})
    assert check(SENT, shown) == []


@given(st.lists(st.integers(0, 5), min_size=1, max_size=3))
def test_any_entry_that_is_missing_or_there_twice_is_found(hits: list[int]) -> None:
    """Every entry of the three transfers is once left out, doubled, or both, in any combination."""
    kept = [
        (name, entry) for booked in GOOD for name, entries in booked.items() for entry in entries
    ]
    for hit in hits[:-1]:
        kept.append(kept[hit])
    del kept[hits[-1]]
    whole = sorted(
        (name, e.transfer_id, e.direction) for b in GOOD for name, es in b.items() for e in es
    )
    shown = found(*({name: [entry]} for name, entry in kept))
    same = sorted((name, e.transfer_id, e.direction) for name, e in kept) == whole
    assert bool(check(SENT, shown)) is not same
