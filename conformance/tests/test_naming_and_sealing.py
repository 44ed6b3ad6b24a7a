"""SHR-7 and 8 on records made by hand: what passes, what fails, and what is no verdict."""

from __future__ import annotations

import base64
import os
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import anyio
import pytest
from bank_conformance.bank.shapes import FeedEvent
from bank_conformance.catalogue import catalogue
from bank_conformance.deciders.scanner import Scanner
from bank_conformance.history import Operation
from bank_conformance.reference.mutants import MUTANTS
from bank_conformance.report import document, write_all
from bank_conformance.requirements.naming import names_say_nothing, seals_are_random_and_bound
from bank_conformance.runner import Run, run
from bank_conformance.serving import serving
from bank_conformance.verdict import Verdict
from bank_conformance.workloads.erasure import make_personal
from bank_conformance.workloads.naming import Naming
from bank_conformance.workloads.sealing import Person, Sealing, Swap, Text
from builders import Silent, operation
from people import HISTORY, saying, somebody

# SHR-7

PARTY = replace(somebody("one party"), personal=make_personal())
PERSONAL, NARRATIVE = dict(PARTY.personal), PARTY.narratives["own narrative"]
CUSTOMER = {
    "customer_id": PARTY.customer_id,
    "personal": PERSONAL,
    "items": [{"narrative": NARRATIVE}],
}
EVENT = {"stream_id": "cus_1", "data": {"personal": base64.b64encode(os.urandom(64)).decode()}}


def _feed(*events: dict[str, Any]) -> list[Operation]:
    page = saying({"items": [EVENT] * 10 + list(events), "next": "t"}, "readEvents")
    return [page, saying({"items": [], "next": "t"}, "readEvents")]


def _naming(*more: Operation, feed: list[Operation] | None = None) -> Naming:
    usual = [saying(CUSTOMER, "getCustomer")] * 30
    return Naming(HISTORY, [*usual, *more, *(feed or _feed())], (PARTY,), "our bank")


def _header(value: str) -> Operation:
    return operation(HISTORY, headers={"location": f"/v1/customers/{value}"}, answer={})


def _hash(name: str, salt: str = "") -> str:
    return sha256((salt + PERSONAL[name]).encode()).hexdigest()


NAMING: dict[str, tuple[Naming, Verdict, str]] = {
    "good": (_naming(), Verdict.PASS, "32 answers scanned"),
    "an e-mail in a stream id": (
        _naming(feed=_feed(EVENT | {"stream_id": f"customer-{PERSONAL['email']}"})),
        Verdict.FAIL,
        "the email of the one party (raw) is in what GET readEvents",
    ),
    "in clear in the feed": (
        _naming(feed=_feed(EVENT | {"data": {"narrative": NARRATIVE}})),
        Verdict.FAIL,
        "the own narrative",
    ),
    "a digest as an id": (
        _naming(saying({"customer_id": f"cus_{_hash('email')[:32]}"}, "getCustomer")),
        Verdict.FAIL,
        "the email of the one party (sha256, hex)",
    ),
    "a salted digest in a header": (
        _naming(_header(_hash("phone", PARTY.customer_id))),
        Verdict.FAIL,
        "the phone of the one party (sha256, salted with something obvious, hex)",
    ),
    "a name beside what is personal": (
        _naming(saying(CUSTOMER | {"slug": PERSONAL["national_id"].lower()}, "getCustomer")),
        Verdict.FAIL,
        "the national_id",
    ),
    "an empty feed": (
        _naming(feed=[saying({"items": [], "next": "t"}, "readEvents")] * 2),
        Verdict.INCONCLUSIVE,
        "0 events",
    ),
    "not looked": (replace(_naming(), said=_feed()), Verdict.INCONCLUSIVE, "2 answers scanned"),
}


@pytest.mark.parametrize("name", NAMING)
def test_names_say_nothing_of_a_person(name: str) -> None:
    record, verdict, said = NAMING[name]
    decision = names_say_nothing(record)
    assert decision.verdict is verdict
    assert said in decision.reason


# SHR-8

SAME = {"name": "A"}
TWINS = (
    Person("cus_1", "acc_1", SAME, {2: "equal", 3: "equal", 4: "third", 5: "fourth"}),
    Person("cus_2", "acc_2", SAME, {2: "equal"}),
)
STRANGERS = (
    Person("cus_3", "acc_3", {"name": "C"}, {2: "of the third"}),
    Person("cus_4", "acc_4", {"name": "D"}, {2: "of the fourth"}),
    Person("cus_5", "acc_5", {"name": "E"}, {2: "of the fifth"}),
)
PEOPLE = (*TWINS, *STRANGERS)
SWAPS = [
    Swap("another event of the same subject", Text("acc_1", 4), Text("acc_1", 5)),
    Swap("an event of another subject", Text("acc_3", 2), Text("acc_4", 2)),
    Swap("another field", Text("cus_5", 1), Text("acc_5", 2)),
]
SWAPPED = {text for swap in SWAPS for text in (swap.one, swap.other)}


def _event(text: Text, sealed: bytes) -> FeedEvent:
    data = {"sealed": base64.b64encode(sealed).decode()}
    return FeedEvent(0, 1, text.stream_id, text.version, "Happened", 1, "then", data, [])


def _texts() -> dict[Text, Any]:
    found: dict[Text, Any] = {}
    for person in PEOPLE:
        found[person.registration] = dict(person.personal)
        found |= dict(zip(person.texts(), person.narratives.values(), strict=True))
    return found


def _views(**wrong: Any) -> list[Operation]:
    """Return what is read: the own texts, but for those named by stream and version."""
    shown = {text: wrong.get(f"{text.stream_id}_{text.version}", value)
             for text, value in _texts().items()}  # fmt: skip
    views = []
    for person in PEOPLE:
        answer = {"customer_id": person.customer_id, "personal": shown[person.registration]}
        views.append(saying(answer, "getCustomer"))
        items = [
            {"account_id": text.stream_id, "version": text.version, "narrative": shown[text]}
            for text in person.texts()
        ]
        views.append(saying({"items": items, "next": None}, "listEntries"))
    return views


CLOSED = {f"{text.stream_id}_{text.version}": None for text in SWAPPED}


def _sealing(**members: Any) -> Sealing:
    events = {text: _event(text, os.urandom(60)) for text in _texts()}
    record = Sealing(HISTORY, TWINS, STRANGERS, events, SWAPS, "", _views(), _views(**CLOSED))
    return replace(record, **members)


def _alike(*texts: Text) -> Sealing:
    record, sealed = _sealing(), os.urandom(60)
    return replace(record, events=record.events | {one: _event(one, sealed) for one in texts})


SEALING: dict[str, tuple[Sealing, Verdict, str]] = {
    "good": (_sealing(), Verdict.PASS, "6 of them not shown any more"),
    "read models keep their own": (
        _sealing(views=_views(acc_1_4=None, acc_1_5=None)),
        Verdict.PASS,
        "2 of them not shown any more",
    ),
    "does not start": (
        _sealing(views=[], refused="the hook start: forged"),
        Verdict.PASS,
        "does not start on swapped seals",
    ),
    "alike for one": (
        _alike(Text("acc_1", 2), Text("acc_1", 3)),
        Verdict.FAIL,
        "equal narratives of one customer",
    ),
    "alike for two": (
        _alike(Text("acc_1", 2), Text("acc_2", 2)),
        Verdict.FAIL,
        "equal narratives of two customers",
    ),
    "alike persons": (
        _alike(Text("cus_1", 1), Text("cus_2", 1)),
        Verdict.FAIL,
        "equal personal data of two customers",
    ),
    "opens elsewhere": (
        _sealing(views=_views(**(CLOSED | {"acc_1_4": "fourth"}))),
        Verdict.FAIL,
        "acc_1 version 4 shows another text than its own: the seal of another event of the same",
    ),
    "opens in another field": (
        _sealing(views=_views(**(CLOSED | {"acc_5_2": '{"name": "E"}'}))),
        Verdict.FAIL,
        "the seal of another field",
    ),
    "a person turned into another": (
        _sealing(views=_views(**(CLOSED | {"cus_5_1": SAME}))),
        Verdict.FAIL,
        "cus_5 version 1",
    ),
    "forged events nobody reads": (
        _sealing(views=_views()),
        Verdict.INCONCLUSIVE,
        "0 of them not shown any more",
    ),
    "the feed shows no seals": (
        _sealing(events={text: _event(text, b"") for text in _texts()}),
        Verdict.INCONCLUSIVE,
        "0 texts found sealed",
    ),
    "not in the feed": (_sealing(events={}), Verdict.INCONCLUSIVE, "0 texts found sealed"),
}


@pytest.mark.parametrize("name", SEALING)
def test_seals_are_random_and_bound(name: str) -> None:
    record, verdict, said = SEALING[name]
    decision = seals_are_random_and_bound(record)
    assert decision.verdict is verdict
    assert said in decision.reason


@pytest.mark.slow
def test_what_is_written_names_nobody_even_where_a_text_is_shown_in_the_wrong_place(
    tmp_path: Path,
) -> None:
    async def decide() -> Run:
        async with serving(MUTANTS["M39"]) as bank:
            chosen = [catalogue()["SHR-8"]]
            return await run(bank.target, chosen, seed=7, reporter=Silent())

    outcome = anyio.run(decide)
    assert outcome.results[0].verdict is Verdict.FAIL
    write_all(tmp_path, document(outcome), outcome)
    sent = [one.call.body for history in outcome.histories for one in history if one.call.body]
    canaries = {
        f"{name} {number}": value
        for number, body in enumerate(sent)
        for name, value in {**body.get("personal", {}), "words": body.get("narrative")}.items()
        if isinstance(value, str) and name != "birth_date"
    }
    assert len(canaries) > 20
    assert Scanner(canaries).scan_folder(tmp_path).sightings == []
