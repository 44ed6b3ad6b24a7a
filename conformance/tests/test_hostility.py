"""SEC-2: what is called forbidden is forbidden by the contract, and who takes it fails."""

from __future__ import annotations

import json
from typing import Any

import pytest
from bank_conformance.bank import hostile
from bank_conformance.history import History
from bank_conformance.requirements.hostility import hostile_input_refused
from bank_conformance.verdict import Decision, Verdict
from bank_conformance.workloads.hostility import BODIES, QUERIES, Hostile, Hostility
from bank_conformance.workloads.rest import Scan
from builders import ACCOUNT, operation
from msgspec.structs import replace as with_

ID = "0123456789abcdef" * 2
GIVEN = {
    "customer_id": f"cus_{ID}",
    "source_account_id": f"acc_{ID}",
    "target_account_id": f"acc_{ID}",
    "currency": "EUR",
}


def _validator(schema: Any) -> Any:
    """A reader of JSON Schema that shares nothing with the suite's."""
    jsonschema = pytest.importorskip("jsonschema")
    whole = {**schema, "components": hostile.contract()["components"]}
    checker = jsonschema.FormatChecker(["date"])
    return jsonschema.Draft202012Validator(whole, format_checker=checker)


@pytest.mark.parametrize("route", BODIES)
def test_a_body_is_forbidden_exactly_when_its_schema_says_so(route: str) -> None:
    schema = hostile.body_schema(route)
    assert schema is not None
    validator = _validator(schema)
    assert validator.is_valid(hostile.sample(schema, GIVEN))
    spoilt = list(hostile.places(schema, GIVEN))
    assert len(spoilt) > 5
    for what, body, forbidden in spoilt:
        assert validator.is_valid(body) is not forbidden, what


@pytest.mark.parametrize("route", BODIES)
def test_a_raw_body_is_no_json_or_no_valid_body(route: str) -> None:
    schema = hostile.body_schema(route)
    valid = json.dumps(hostile.sample(schema or {}, GIVEN)).encode()
    for what, spoil in hostile.raw_bodies().items():
        try:
            read = json.loads(spoil(valid), parse_constant=_refuse)
        except ValueError:
            continue
        assert what in BEYOND_SCHEMAS or not _validator(schema).is_valid(read), what


BEYOND_SCHEMAS = {"a member twice", "half of a surrogate pair"}
"""JSON that a schema cannot see anything wrong with: RFC 8259 calls both unpredictable."""


def _refuse(text: str) -> None:
    raise ValueError(text)


@pytest.mark.parametrize("route", QUERIES)
def test_every_parameter_of_a_list_is_spoilt(route: str) -> None:
    _, parameters = hostile.operation_of(route)
    names = {one["name"] for one in parameters if one["in"] == "query"}
    spoilt = {name for _, query, forbidden in hostile.queries(route) for name in query if forbidden}
    assert names - {"cursor", "after"} <= spoilt


def test_a_text_fits_where_its_length_form_and_format_do() -> None:
    assert hostile.fits("ab", {"minLength": 2, "maxLength": 2, "pattern": "^[a-z]+$"})
    assert not hostile.fits("a", {"minLength": 2})
    assert not hostile.fits("abc", {"maxLength": 2})
    assert not hostile.fits("AB", {"pattern": "^[a-z]+$"})
    assert hostile.fits("2026-02-28", {"format": "date"})
    assert not hostile.fits("2026-02-30", {"format": "date"})


PROBLEM = {"content-type": "application/problem+json"}


def _record(
    status: int,
    *,
    forbidden: bool = True,
    headers: dict[str, str] | None = None,
    answer: Any = None,
    moved: int = 0,
) -> Hostility:
    history = History("hostility")
    told = {"code": "invalid-request"} if answer is None else answer
    tried = operation(history, "POST", status=status, answer=told, headers=headers or PROBLEM)
    after = with_(ACCOUNT, booked_minor=ACCOUNT.booked_minor + moved)
    scans = Scan({}, {"acc_1": ACCOUNT}), Scan({}, {"acc_1": after})
    return Hostility(history, *scans, [Hostile("an empty text", tried, forbidden)])


@pytest.mark.parametrize(
    ("record", "verdict"),
    [
        (_record(400), None),
        (_record(422), None),
        (_record(201), Verdict.FAIL),
        (_record(201, forbidden=False), None),
        (_record(500), Verdict.FAIL),
        (_record(503, forbidden=False), Verdict.FAIL),
        (_record(0), Verdict.WARN),
        (_record(400, headers={"content-type": "text/html"}), Verdict.FAIL),
        (_record(400, answer={"error": "no"}), Verdict.FAIL),
        (_record(400, moved=1), Verdict.FAIL),
    ],
)
def test_hostile_input_is_refused_as_a_problem(record: Hostility, verdict: Verdict | None) -> None:
    found = hostile_input_refused(record)
    assert (Decision(found.findings).verdict if found.findings else None) is verdict
    assert found.verdict is not Verdict.PASS
