"""CON-9 on records made by hand, and its decider against brute force."""

from __future__ import annotations

from typing import Any

import pytest
from bank_conformance.deciders.aborted import Sight, aborted
from bank_conformance.history import History
from bank_conformance.requirements.refusals import refused_never_seen
from bank_conformance.verdict import Verdict
from bank_conformance.workloads.refusals import Refusals
from builders import ACCOUNT, ORDER, TRANSFER, entry, operation
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict
from msgspec.structs import replace as with_

amounts = st.integers(0, 4)


@given(st.sets(amounts), st.lists(amounts, max_size=6))
def test_an_aborted_read_is_the_first_sight_of_a_refused_amount(
    rejected: set[int], seen: list[int]
) -> None:
    found = aborted(rejected, [Sight(amount, place) for place, amount in enumerate(seen)])
    expected = {(a, n) for n, a in enumerate(seen) if a in rejected and a not in seen[:n]}
    assert {(sight.amount, sight.operation) for sight in found} == expected


def _record(status: int, *views: tuple[str, Any]) -> Refusals:
    """A withdrawal of 7, and what was read then."""
    history = History("refusals")
    body = {"code": "CASH_WITHDRAWAL", "amount_minor": 7}
    answer = {"code": "insufficient-funds"} if status >= 400 else asdict(entry(2, 1, "DBIT", 7))
    url = "/v1/accounts/acc_1/entries"
    operation(history, "POST", url, route="postEntry", status=status, body=body, answer=answer)
    for route, answer in views:
        operation(history, route=route, answer=answer)
    return Refusals(history, "acc_1", "acc_2", funds_minor=10)


def _page(amount: int) -> tuple[str, Any]:
    return "listEntries", {"items": [asdict(entry(2, 1, "DBIT", amount))], "next": None}


def _feed(amount: int) -> tuple[str, Any]:
    event = {
        "partition": 0,
        "position": 1,
        "stream_id": "acc_1",
        "version": 2,
        "type": "FundsDebited",
        "schema_version": 1,
        "recorded_at": "",
        "data": {"amount_minor": amount},
        "postings": [],
    }
    return "readEvents", {"items": [event], "next": "x"}


def _account(**changed: int) -> tuple[str, Any]:
    return "getAccount", asdict(with_(ACCOUNT, **changed))


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (_record(422, _page(8), _feed(8), _account()), ""),
        (_record(422, _page(7)), "7 minor units, which were refused, are shown"),
        (_record(422, _feed(7)), "7 minor units, which were refused, are shown"),
        (_record(201, _page(7), _feed(7)), ""),
        (_record(0, _page(7), _feed(7), _account(booked_minor=3)), ""),
        (_record(422, _account(booked_minor=3)), "booked 3, held 0, where only 10"),
        (_record(422, _account(held_minor=7)), "booked 10, held 7, where only 10"),
        (_record(422, _account(booked_minor=11)), "booked 11"),
    ],
)
def test_what_was_refused_is_never_seen(record: Refusals, said: str) -> None:
    found = " ".join(finding.evidence for finding in refused_never_seen(record).findings)
    assert said in found
    assert bool(said) == bool(found)
    assert refused_never_seen(record).verdict is not Verdict.PASS


def test_the_legs_of_a_transfer_that_failed_are_never_seen() -> None:
    record = _record(422, _page(4))
    answer = TRANSFER | {"state": "FAILED"}
    path = "/v1/transfers"
    operation(
        record.history, "POST", path, route="requestTransfer", status=202, body=ORDER, answer=answer
    )
    assert "4 minor units, which were refused" in refused_never_seen(record).reason
