"""What Elle is given: histories that its tools can read, and that say what was seen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import anyio
import pytest
from bank_conformance.catalogue import catalogue
from bank_conformance.history import Answer, Call, History, Operation, Outcome
from bank_conformance.reference.security import mint
from bank_conformance.report.elle import list_append
from bank_conformance.report.events import Span, events
from bank_conformance.runner import run
from bank_conformance.target import Limits, Target
from bank_conformance.tokens import Principal
from builders import Silent
from hypothesis import given
from hypothesis import strategies as st
from reference_process import reference

Events = list[dict[str, Any]]


def entry(sequence: int, direction: str = "CRDT", amount: int = 5, **more: str) -> dict[str, Any]:
    return {
        "account_id": "acc_1",
        "sequence": sequence,
        "version": sequence + 1,
        "direction": direction,
        "code": "CASH_DEPOSIT",
        "amount_minor": amount,
        "currency": "EUR",
        "balance_after_minor": 0,
        "booking_time": "2026-11-23T00:00:00Z",
        "value_date": "2026-11-23",
        **more,
    }


class Book:
    """A history written by hand: each call takes one second, the times are given."""

    def __init__(self) -> None:
        self.history = History("test", started=0.0)

    def call(
        self, route: str, url: str, at: float, body: object, *, who: str = "a", status: int = 200
    ) -> None:
        method = "GET" if route.startswith(("list", "get")) else "POST"
        outcome = Outcome.OK if status < 300 else Outcome.FAIL if status else Outcome.INFO
        answer = Answer(status, {}, json.dumps(body), body) if status else None
        call = Call(route, method, url, "staff")
        index = len(self.history)
        self.history.operations.append(
            Operation(index, who, call, at, at + 1, outcome, answer, "" if answer else "timeout")
        )

    def post(self, at: float, booked: dict[str, Any], *, who: str = "a") -> None:
        self.call("postEntry", "/v1/accounts/acc_1/entries", at, booked, who=who, status=201)

    def read(self, at: float, *entries: object, query: str = "", **more: Any) -> None:
        page = {"items": list(entries), "next": more.pop("next", None)}
        self.call("listEntries", f"/v1/accounts/acc_1/entries{query}", at, page, **more)


def transactions(found: Events) -> list[tuple[str, Any]]:
    return [(one["type"], one["value"]) for one in found if one["type"] != "invoke"]


def test_entries_are_appends_and_whole_histories_are_reads() -> None:
    book = Book()
    book.post(0, entry(1))
    book.post(1, entry(2, "DBIT"))
    book.read(3, entry(1), entry(2, "DBIT"))
    book.read(5, entry(2, "DBIT"), entry(1), query="?order=desc&limit=9")
    assert transactions(list_append(book.history)) == [
        ("ok", [["append", "acc_1", 1]]),
        ("ok", [["append", "acc_1", 2]]),
        ("ok", [["r", "acc_1", [1, 2]]]),
        ("ok", [["r", "acc_1", [1, 2]]]),
    ]


def test_pages_of_one_traversal_are_one_read_from_the_first_to_the_last() -> None:
    book = Book()
    book.post(0, entry(1))
    book.read(2, entry(1), query="?limit=1", next="c1")
    book.read(3, entry(7), query="?limit=1", next="c1", who="b")  # somebody else, never ends
    book.read(5, entry(2), query="?limit=1&cursor=c1")
    found = [one for one in list_append(book.history) if one["value"][0][0] == "r"]
    assert [(one["time"] / 1e9, one["value"][0][2]) for one in found] == [(2, None), (6, [1, 2])]


@pytest.mark.parametrize(
    "query", ["?code=FEE", "?known_at=2026-11-23", "?cursor=unknown", "?min_amount_minor=3"]
)
def test_a_part_of_a_history_is_no_read(query: str) -> None:
    book = Book()
    book.post(0, entry(1))
    book.read(2, entry(1), query=query)
    assert list_append(book.history) == []


def test_a_leg_is_appended_between_the_request_and_the_sight_of_the_end() -> None:
    book = Book()
    transfer = {
        "transfer_id": "trf_1",
        "state": "RESERVED",
        "source_account_id": "acc_1",
        "target_account_id": "acc_2",
        "amount_minor": 5,
        "version": 1,
    }
    book.call("requestTransfer", "/v1/transfers", 0, transfer, status=202)
    book.read(2, entry(1, "DBIT", transfer_id="trf_1"))
    book.call("getTransfer", "/v1/transfers/trf_1", 4, transfer | {"state": "COMPLETED"})
    found = [one for one in list_append(book.history) if one["value"][0][0] == "append"]
    assert [(one["type"], one["time"] / 1e9) for one in found] == [("invoke", 0), ("ok", 5)]


def test_what_no_answer_explains_may_have_been_appended_at_any_time() -> None:
    book = Book()
    book.read(2, entry(1), entry(2))
    assert transactions(list_append(book.history)).count(("info", [["append", "acc_1", 1]])) == 1


def test_what_is_malformed_is_left_out() -> None:
    book = Book()
    book.post(0, {"sequence": "one"})
    book.read(2, {"no": "entry"})
    book.call("getTransfer", "/v1/transfers/trf_1", 4, ["no transfer"])
    assert list_append(book.history) == []


def contradictions(found: Events) -> Iterator[str]:
    """What no order of single appends and reads explains: Elle's rules for one list at a time."""
    appended: dict[str, list[int]] = {}
    reads: dict[str, list[list[int]]] = {}
    for kind, [[f, key, value]] in transactions(found):
        if f == "append":
            appended.setdefault(key, []).append(value)
        elif kind == "ok":
            reads.setdefault(key, []).append(value)
    for key, lists in reads.items():
        mine = appended.get(key, [])
        for one in lists:
            yield from (f"{key}: {x} was never appended" for x in one if x not in mine)
            if len(one) != len(set(one)):
                yield f"{key}: an element is there twice"
        for shorter, longer in pairwise(sorted(lists, key=len)):
            if longer[: len(shorter)] != shorter:
                yield f"{key}: incompatible orders"


def test_a_healthy_history_has_an_order_and_broken_ones_have_none() -> None:
    def booked(*shown: tuple[int, ...]) -> Events:
        book = Book()
        for n in (1, 2, 3):
            book.post(n, entry(n))
        for at, numbers in enumerate(shown):
            book.read(10 + 2 * at, *(entry(n) for n in numbers))
        return list_append(book.history)

    assert list(contradictions(booked((1,), (1, 2), (1, 2, 3)))) == []
    assert list(contradictions(booked((1, 2), (2, 1))))
    assert list(contradictions(booked((1, 1))))
    assert list(contradictions(booked((1, 3), (1, 2, 3))))


span_lists = st.lists(
    st.builds(
        lambda who, at, long, outcome: Span(who, at, at + long, outcome, "txn", None, None),
        st.sampled_from("ab"),
        st.integers(0, 20).map(float),
        st.integers(0, 5).map(float),
        st.sampled_from(["ok", "fail", "info"]),
    )
)


@given(span_lists)
def test_a_process_does_one_thing_at_a_time_and_none_after_an_unclear_end(
    spans: list[Span],
) -> None:
    """What Jepsen's history demands: dense indexes, time that grows, pairs in each process."""
    found = events(spans, 0.0)
    assert [one["index"] for one in found] == list(range(2 * len(spans)))
    times = [one["time"] for one in found]
    assert times == sorted(times)
    busy, dead = set[int](), set[int]()
    for one in found:
        process = one["process"]
        assert process not in dead
        if one["type"] == "invoke":
            assert process not in busy
            busy.add(process)
        else:
            busy.remove(process)
            dead |= {process} if one["type"] == "info" else set()
    assert not busy
    owners = {(one["process"], one["session"]) for one in found}
    assert len(owners) == len({process for process, _ in owners})


async def played(mutant: str) -> list[History]:
    """What a storm of commands on a bank leaves behind."""
    with reference(mutant) as (url, secret, _):

        async def minter(who: Principal) -> str:
            return mint(secret, who.subject, who.scope, who.seconds)

        target = Target("a bank", url, minter, limits=Limits(settle_seconds=3.0))
        outcome = await run(target, [catalogue()["ORD-5"]], seed=7, reporter=Silent())
        return outcome.histories


@pytest.mark.slow
@pytest.mark.parametrize(("mutant", "broken"), [("", False), ("M06", True)])
def test_what_elle_would_say_of_a_bank_does_not_rest_on_what_the_bank_claims(
    mutant: str, broken: bool
) -> None:
    """M06 projects in parallel: histories lack an entry in the middle, and have it later."""
    found = [one for history in anyio.run(played, mutant) for one in [list_append(history)] if one]
    assert len(found[-1]) > 400
    assert any(list(contradictions(one)) for one in found) is broken
