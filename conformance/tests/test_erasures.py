"""SHR-4, 5, 6 and 14 on records made by hand: what passes, what fails, and what is no verdict."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from bank_conformance.bank.shapes import Customer, Entry, Erasure, Transfer
from bank_conformance.history import Operation
from bank_conformance.requirements.erasures import (
    money_and_order_kept,
    no_key_comes_back,
    other_side_readable,
    rebuilt_without,
)
from bank_conformance.verdict import Verdict
from bank_conformance.workloads.aftermath import Aftermath, Books
from bank_conformance.workloads.parties import TRANSFERS
from bank_conformance.workloads.rehydration import Rehydration, Shown
from bank_conformance.workloads.resurrection import Looked, Resurrection
from builders import ACCOUNT, TRANSFER
from builders import entry as make_entry
from msgspec import convert
from msgspec.structs import replace as with_
from people import (
    GONE,
    HELD,
    HISTORY,
    NOT_YET,
    customer,
    erasure,
    saying,
    showing,
    showing_all_of,
    somebody,
)

WORDS = "words-of-both-31415926535"
SUBJECT = somebody("subject", shared=WORDS)
OTHER = somebody("other-party", shared=WORDS)
LATE = {"deposit": "late-deposit-2718281828459"}


# SHR-4


def _looked(*views: Operation, after: str = "something", **members: Any) -> Looked:
    shown = {"state": "ERASED", "erased_at": "then"} | members
    return Looked(after, list(views), customer(), erasure(**shown))


def _resurrection(**members: Any) -> Resurrection:
    record = Resurrection(HISTORY, SUBJECT, OTHER, [], [], showing_all_of(SUBJECT))
    record.erasure, record.late = GONE, LATE
    record.attempts = [showing("no", status=422, method="POST")] * 10
    record.looks = [_looked(showing("nothing")) for _ in range(4)]
    record.reborn = Customer("cus_2", "ACTIVE", 1)
    record.reborn_views = [customer("ACTIVE", personal={"name": "x"}), erasure("NONE")]
    return replace(record, **members)


NOBODY = _looked(showing("nothing"))

RESURRECTIONS: dict[str, tuple[dict[str, Any], Verdict, str]] = {
    "good": ({}, Verdict.PASS, "10 attempts afterwards"),
    "an old text is back": (
        {"looks": [NOBODY] * 3 + [_looked(showing(SUBJECT.personal["email"]), after="a rebuild")]},
        Verdict.FAIL,
        "after a rebuild: the email",
    ),
    "a late text is readable": (
        {"looks": [NOBODY] * 3 + [_looked(showing(LATE["deposit"]))]},
        Verdict.FAIL,
        "the deposit",
    ),
    "an answer from before": (
        {"attempts": [showing(SUBJECT.narratives["own narrative"])] * 10},
        Verdict.FAIL,
        "in an answer afterwards: the own narrative",
    ),
    "words of both in an answer": (
        {"attempts": [showing(WORDS)] * 10},
        Verdict.PASS,
        "",
    ),
    "active again": (
        {"looks": [NOBODY] * 3 + [_looked(state="NONE", erased_at=None, after="a restart")]},
        Verdict.FAIL,
        "after a restart the customer is ERASED, and the erasure NONE",
    ),
    "erased again": (
        {"looks": [NOBODY] * 3 + [_looked(erased_at="now")]},
        Verdict.FAIL,
        "the erasure is of now, and no longer of then",
    ),
    "the same customer": (
        {"reborn": Customer(SUBJECT.customer_id, "ACTIVE", 1)},
        Verdict.FAIL,
        "gave the erased customer",
    ),
    "born erased": (
        {"reborn_views": [customer(), erasure()]},
        Verdict.FAIL,
        "without personal data",
    ),
    "nothing readable before": ({"control": [showing("nothing")]}, Verdict.INCONCLUSIVE, "before"),
    "too few looks": ({"looks": [NOBODY]}, Verdict.INCONCLUSIVE, "looks"),
    "held": ({"erasure": HELD}, Verdict.SKIP, "2027-01-01"),
    "not ended": ({"erasure": NOT_YET}, Verdict.INCONCLUSIVE, "REQUESTED"),
}


@pytest.mark.parametrize("name", RESURRECTIONS)
def test_no_key_comes_back(name: str) -> None:
    members, verdict, said = RESURRECTIONS[name]
    decision = no_key_comes_back(_resurrection(**members))
    assert decision.verdict is verdict
    assert said in decision.reason


# SHR-5 and SHR-14


def _entries(*narratives: str | None, transfer_id: str | None = None) -> list[Entry]:
    return [
        with_(
            make_entry(number, number, "CRDT", 1),
            balance_after_minor=number,
            narrative=text,
            transfer_id=transfer_id,
        )
        for number, text in enumerate(narratives, 1)
    ]


def _transfer(
    number: int, narrative: str | None, state: str = "COMPLETED"
) -> tuple[Transfer, Operation]:
    told = TRANSFER | {"transfer_id": f"trf_{number}", "narrative": narrative, "state": state}
    return convert(told, Transfer), saying(told, "getTransfer")


def _books(when: str, entries: list[Entry], **members: Any) -> Books:
    accounts = {OTHER.account_id: with_(ACCOUNT, booked_minor=len(entries), held_minor=0)}
    transfers = {f"trf_{number}": _transfer(number, WORDS) for number in range(TRANSFERS)}
    books = Books(when, accounts, {OTHER.account_id: entries}, transfers, showing_all_of(OTHER), [])
    return replace(books, **members)


BOOKED = _entries(*["text"] * 2 * TRANSFERS)
BEFORE = _books("before", BOOKED)


def _aftermath(after: Books, **members: Any) -> Aftermath:
    record = Aftermath(HISTORY, SUBJECT, OTHER, GONE, BEFORE, ["trf_9"], [after, after])
    return replace(record, **members)


def _on_its_way(narrative: str | None) -> list[Entry]:
    return [*BOOKED, *_entries(*["text"] * 2 * TRANSFERS, narrative, transfer_id="trf_9")[-1:]]


SIDES: dict[str, tuple[Books, Verdict, str]] = {
    "good": (_books("after", BOOKED), Verdict.PASS, f"{TRANSFERS} shared transfers"),
    "a text is gone": (
        _books("after", BOOKED, other_views=showing_all_of(OTHER)[1:]),
        Verdict.FAIL,
        "after: the name is gone",
    ),
    "a transfer is silent": (
        _books("after", BOOKED, transfers=BEFORE.transfers | {"trf_1": _transfer(1, None)}),
        Verdict.FAIL,
        "another narrative, or none",
    ),
    "an entry is silent": (
        _books("after", [*_entries(None), *BOOKED[1:]]),
        Verdict.FAIL,
        "entry 1 lost its narrative",
    ),
    "one on its way speaks": (_books("after", _on_its_way("text")), Verdict.PASS, ""),
    "one on its way is silent": (
        _books("after", _on_its_way(None)),
        Verdict.FAIL,
        f"entry {2 * TRANSFERS + 1}, of a transfer on its way, has no narrative",
    ),
}


@pytest.mark.parametrize("name", SIDES)
def test_the_other_side_stays_readable(name: str) -> None:
    after, verdict, said = SIDES[name]
    decision = other_side_readable(_aftermath(after))
    assert decision.verdict is verdict, decision.reason
    assert said in decision.reason


HELD_MONEY = {OTHER.account_id: with_(ACCOUNT, booked_minor=len(BOOKED), held_minor=5)}

BOOKS: dict[str, tuple[Books, Verdict, str]] = {
    "good": (_books("after", BOOKED), Verdict.PASS, ""),
    "texts are gone": (
        _books("after", [with_(one, narrative=None) for one in BOOKED]),
        Verdict.PASS,
        "",
    ),
    "an entry is gone": (_books("after", BOOKED[:-1]), Verdict.FAIL, "it is gone"),
    "an entry is another": (
        _books("after", [with_(BOOKED[0], value_date="2000-01-01"), *BOOKED[1:]]),
        Verdict.FAIL,
        "value_date 2026-11-23 → 2000-01-01",
    ),
    "money is held": (_books("after", BOOKED, accounts=HELD_MONEY), Verdict.FAIL, "5 is held"),
    "one side of a transfer": (
        _books("after", _on_its_way("text")),
        Verdict.FAIL,
        "the two parties together have 1 more",
    ),
    "one that never ends": (
        _books("after", BOOKED, transfers={"trf_9": _transfer(9, WORDS, "SETTLING")}),
        Verdict.FAIL,
        "1 transfers that the erasure met have not ended",
    ),
    "a deposit": (
        _books("after", _entries(*["text"] * (2 * TRANSFERS + 1))),
        Verdict.PASS,
        "",
    ),
}


@pytest.mark.parametrize("name", BOOKS)
def test_money_and_order_are_kept(name: str) -> None:
    after, verdict, said = BOOKS[name]
    decision = money_and_order_kept(_aftermath(after))
    assert decision.verdict is verdict, decision.reason
    assert said in decision.reason


@pytest.mark.parametrize("decide", [other_side_readable, money_and_order_kept])
@pytest.mark.parametrize(("state", "verdict"), [(HELD, "SKIP"), (NOT_YET, "INCONCLUSIVE")])
def test_what_was_not_erased_shows_nothing(decide: Any, state: Erasure, verdict: str) -> None:
    assert decide(_aftermath(BEFORE, erasure=state)).verdict == verdict


# SHR-6


def _shown(*entries: Entry, subject: list[Operation], other: list[Operation]) -> Shown:
    return Shown({"acc_1": list(entries)}, subject, other)


ALL, NONE = showing_all_of(SUBJECT), [showing("nothing")]
OTHERS = showing_all_of(OTHER)
FIRST = _shown(*BOOKED, subject=ALL, other=OTHERS)
ERASED = _shown(*BOOKED, subject=NONE, other=OTHERS)


def _rehydration(after: Shown | None, **members: Any) -> Rehydration:
    record = Rehydration(HISTORY, SUBJECT, OTHER, FIRST, GONE, ERASED, after)
    return replace(record, **members)


REBUILDS: dict[str, tuple[Rehydration, Verdict, str]] = {
    "good": (_rehydration(ERASED), Verdict.PASS, f"{2 * TRANSFERS} entries"),
    "it raised": (_rehydration(None, failure="LookupError"), Verdict.FAIL, "LookupError"),
    "rehydrated": (
        _rehydration(_shown(*BOOKED, subject=ALL, other=OTHERS)),
        Verdict.FAIL,
        "after the rebuild: the",
    ),
    "an entry is missing": (
        _rehydration(_shown(*BOOKED[:-1], subject=NONE, other=OTHERS)),
        Verdict.FAIL,
        f"entry {2 * TRANSFERS} of acc_1 is gone",
    ),
    "the projector stands still": (
        _rehydration(_shown(*BOOKED, subject=NONE, other=OTHERS[:-1])),
        Verdict.FAIL,
        "the other party's shared is not shown",
    ),
    "no control": (
        _rehydration(ERASED, control=_shown(*BOOKED, subject=NONE, other=OTHERS)),
        Verdict.INCONCLUSIVE,
        "after a first rebuild",
    ),
    "held": (_rehydration(ERASED, erasure=HELD), Verdict.SKIP, "legal hold"),
}


@pytest.mark.parametrize("name", REBUILDS)
def test_a_rebuild_neither_crashes_nor_rehydrates(name: str) -> None:
    record, verdict, said = REBUILDS[name]
    decision = rebuilt_without(record)
    assert decision.verdict is verdict, decision.reason
    assert said in decision.reason
