"""What an answer means, what is written of it, and what never is."""

from __future__ import annotations

import json

import pytest
from bank_conformance.bank.observe import observations, traces
from bank_conformance.bank.shapes import Account, ShapeError, claimed_version, read
from bank_conformance.history import Answer, History, Outcome, outcome_of
from bank_conformance.model import Kind
from bank_conformance.redaction import Redactor
from bank_conformance.report.events import calls
from builders import operation

ACCOUNT = {
    "account_id": "acc_1",
    "customer_id": "cus_1",
    "currency": "EUR",
    "state": "ACTIVE",
    "freeze_scope": None,
    "booked_minor": 5,
    "held_minor": 0,
    "available_minor": 5,
    "credit_line_minor": 0,
    "version": 3,
    "sequence": 1,
    "as_of": "2026-11-23T00:00:00Z",
}
TRANSFER = {
    "transfer_id": "trf_1",
    "state": "RESERVED",
    "source_account_id": "acc_1",
    "target_account_id": "acc_2",
    "amount_minor": 5,
    "version": 1,
}
ORDER = {"source_account_id": "acc_1", "target_account_id": "acc_2", "amount_minor": 5}


@pytest.mark.parametrize(
    ("method", "status", "outcome"),
    [
        ("POST", 201, Outcome.OK),
        ("POST", 422, Outcome.FAIL),
        ("POST", 500, Outcome.INFO),
        ("POST", 503, Outcome.INFO),
        ("POST", 408, Outcome.INFO),
        ("POST", 0, Outcome.INFO),
        ("GET", 0, Outcome.FAIL),
        ("GET", 500, Outcome.FAIL),
        ("POST", 307, Outcome.FAIL),
    ],
)
def test_a_write_without_a_clear_answer_may_have_happened(
    method: str, status: int, outcome: Outcome
) -> None:
    assert outcome_of(method, status) is outcome


def test_the_events_are_invocations_and_completions_in_order_of_time() -> None:
    history = History("test")
    for _ in range(2):
        operation(history, answer=ACCOUNT)
    events = calls(history)
    assert [event["type"] for event in events] == ["invoke", "ok", "invoke", "ok"]
    assert [event["index"] for event in events] == [0, 1, 2, 3]
    assert events[0]["process"] == events[2]["process"] == 0
    assert json.loads(json.dumps(events)) == events


@pytest.mark.parametrize(
    ("etag", "version"), [('"7"', 7), ('W/"7"', 7), ("", None), ('"x"', None), ('"٣"', None)]
)
def test_a_version_is_read_from_the_etag(etag: str, version: int | None) -> None:
    assert Answer(204, {"etag": etag}, "", None).etag_version == version


def test_an_answer_of_another_shape_names_the_member() -> None:
    wrong = operation(History("test"), answer=ACCOUNT | {"booked_minor": "5"})
    with pytest.raises(ShapeError, match=r"booked_minor"):
        read(wrong, Account)
    assert claimed_version(operation(History("test"), answer={"version": True})) is None


def test_observations_are_what_answers_claim_of_one_account() -> None:
    history = History("test")
    operation(history, answer=ACCOUNT)
    operation(history, answer=ACCOUNT, url="/v1/accounts/acc_2")
    operation(
        history,
        "POST",
        "/v1/accounts/acc_1/entries",
        route="postEntry",
        status=422,
        body={"code": "FEE", "amount_minor": 9, "currency": "EUR"},
        answer={"code": "insufficient-funds", "version": 3},
    )
    operation(
        history,
        "POST",
        "/v1/accounts/acc_1/holds/hld_1/release",
        route="releaseHold",
        status=204,
        headers={"etag": '"4"'},
    )
    operation(history, "POST", "/v1/transfers", route="requestTransfer", body=ORDER, status=0)
    seen = observations(history, "acc_1")
    assert [item.kind for item in seen] == [Kind.READ, Kind.DEBIT, Kind.RELEASE, Kind.TRANSFER]
    assert [item.version for item in seen] == [3, 3, 4, None]
    assert seen[1].code == "insufficient-funds"
    assert seen[2].subject == "hld_1"
    assert seen[3].outcome is Outcome.INFO


def test_a_trace_tells_when_a_transfer_was_seen_to_end_and_what_was_new() -> None:
    history = History("test")
    asked = operation(
        history,
        "POST",
        "/v1/transfers",
        route="requestTransfer",
        status=202,
        body=ORDER,
        answer=TRANSFER,
    )
    states = ("RESERVED", "RESERVED", "COMPLETED", "COMPLETED")
    looks = [
        operation(history, route="getTransfer", answer=TRANSFER | {"state": state})
        for state in states
    ]
    trace = traces(history)["trf_1"]
    assert trace.ended == looks[2].completed
    assert trace.telling() == (asked, looks[2], looks[3])


def test_nothing_written_names_a_token_or_anybody() -> None:
    history = History("test")
    personal = {"name": 'Zoë "Ada" Lovelace', "email": "ada@example.com"}
    operation(
        history,
        "POST",
        "/v1/customers",
        route="registerCustomer",
        status=201,
        body={"personal": personal},
        answer={"personal": personal},
    )
    operation(history, "POST", route="postEntry", status=201, body={"narrative": "for the cat"})
    redact = Redactor.of(["tok-123456"], [history])
    jwt = "eyJhbGciOi.eyJzdWIi.c2ln"
    text = redact.json([calls(history), {"x": ["tok-123456", jwt, 7, None]}])
    assert redact.copy({"n": personal["name"]}) == {"n": "[name]"}
    for secret in ("Lovelace", "ada@example.com", "for the cat", "tok-123456", jwt):
        assert secret not in text
    assert "[name]" in text
    assert "[token]" in text
