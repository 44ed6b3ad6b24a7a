"""Whatever is sent, the answer is a problem with a code, and nothing is stored."""

import json
from base64 import urlsafe_b64encode
from typing import Any
from uuid import uuid4

import pytest

from .client import Api, code, order

TEXTS = {
    "nothing": "",
    "half": '{"customer_id": ',
    "a member twice": '{"customer_id": "a", "customer_id": "b", "currency": "EUR"}',
    "not a number": '{"credit_line_minor": NaN}',
    "bottomless": "[" * 100_000,
    "bottomless objects": '{"a":' * 50_000,
    "half a character": '{"customer_id": "\\ud800", "currency": "EUR"}',
    "not UTF-8": b'{"customer_id": "\xff"}',
    "a list": "[]",
    "a text": '"hello"',
    "null": "null",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
async def test_a_body_that_is_no_request_is_a_400(api: Api, text: str | bytes) -> None:
    before = await api.bank.log.heads()
    response = await api.client.post(
        "/v1/accounts",
        content=text,
        headers={
            "Authorization": f"Bearer {api.token}",
            "Idempotency-Key": uuid4().hex,
            "Content-Type": "application/json",
        },
    )
    assert code(response)[0] == 400
    assert await api.bank.log.heads() == before


AMOUNTS: list[Any] = [0, -1, 1.0, 1.5, "1", True, None, [1], {}, 10**15 + 1, 2**63, 10**400, 1e300]


async def test_an_amount_is_a_whole_positive_number_within_bounds(api: Api) -> None:
    source, target = await api.account(funds=100), await api.account()
    before = await api.bank.log.heads()
    for amount in AMOUNTS:
        body = json.dumps(order(source, target, 1) | {"amount_minor": amount})
        response = await api.client.post(
            "/v1/transfers",
            content=body,
            headers={
                "Authorization": f"Bearer {api.token}",
                "Idempotency-Key": uuid4().hex,
                "Content-Type": "application/json",
            },
        )
        assert code(response) == (400, "invalid-request"), amount
        assert "amount_minor" in response.text
    assert await api.bank.log.heads() == before


MEMBERS: list[dict[str, Any]] = [
    {"currency": "eur"},
    {"currency": "XXQ"},
    {"currency": "EURO"},
    {"currency": 978},
    {"narrative": ""},
    {"narrative": "x" * 141},
    {"narrative": "nul \0 in it"},
    {"narrative": "line\nbreak"},
    {"narrative": None},
    {"value_date": "2026-02-30"},
    {"value_date": 0},
    {"value_date": "today"},
    {"value_date": "2026-02-03T00:00:00"},
    {"source_account_id": "acc_x"},
    {"source_account_id": "acc_" + "0" * 32 + "\n"},
    {"source_account_id": "cus_" + "0" * 32},
    {"target_account_id": None},
    {"colour": "red"},
    {"reverses": "trf_" + "0" * 32},
]


@pytest.mark.parametrize("members", MEMBERS, ids=lambda m: repr(m)[:40])
async def test_a_member_that_does_not_fit_is_named(api: Api, members: dict[str, Any]) -> None:
    source, target = await api.account(funds=100), await api.account()
    response = await api.post("/v1/transfers", order(source, target, 1) | members)
    assert code(response) == (400, "invalid-request")
    (name,) = members
    assert any(name in error["pointer"] for error in response.json()["errors"])


HEADERS = [
    ({"Idempotency-Key": ""}, "idempotency-key-invalid"),
    ({"Idempotency-Key": "x" * 256}, "idempotency-key-invalid"),
    ({"Idempotency-Key": "with blank"}, "idempotency-key-invalid"),
    ({"If-Match": "7"}, "invalid-request"),
    ({"If-Match": '"x"'}, "invalid-request"),
]


@pytest.mark.parametrize(("headers", "expected"), HEADERS)
async def test_a_header_that_does_not_fit_is_a_400(
    api: Api, headers: dict[str, str], expected: str
) -> None:
    account = await api.account()
    good = {"Authorization": f"Bearer {api.token}", "Idempotency-Key": uuid4().hex}
    response = await api.client.post(f"/v1/accounts/{account}/close", headers=good | headers)
    assert code(response) == (400, expected)


async def test_a_command_without_a_key_is_refused(api: Api) -> None:
    account = await api.account()
    response = await api.client.post(
        f"/v1/accounts/{account}/close", headers={"Authorization": f"Bearer {api.token}"}
    )
    assert code(response) == (400, "idempotency-key-missing")


QUERIES = [
    ("limit=0", 400),
    ("limit=1001", 400),
    ("limit=x", 400),
    ("cursor=!!!", 400),
    ("cursor=ZWE6eA", 400),
    ("counterparty=a%00", 400),
    ("text=a%0A", 400),
    ("cursor=" + "A" * 1025, 400),
    ("colour=red", 400),
    ("booked_from=2026-01-01T00:00:00", 400),
    ("booked_from=0", 400),
    ("booked_from=0001-01-01T00:00:00%2B14:00", 200),
    ("booked_to=9999-12-31T23:59:59-14:00", 200),
    ("value_from=x", 400),
    ("value_from=2026-01-01T00:00:00", 400),
    ("min_amount_minor=-1", 400),
    ("max_amount_minor=99999999999999999999", 400),
    ("order=sideways", 400),
    ("code=GIFT", 400),
]


@pytest.mark.parametrize(("query", "status"), QUERIES)
async def test_a_query_that_does_not_fit_is_a_400(api: Api, query: str, status: int) -> None:
    account = await api.account()
    response = await api.send("GET", f"/v1/accounts/{account}/entries?{query}")
    assert response.status_code == status


@pytest.mark.parametrize(("path", "kind"), [("/v1/accounts?", "a"), ("/v1/transfers?", "t")])
async def test_a_cursor_that_hides_what_cannot_be_stored_is_a_400(
    api: Api, path: str, kind: str
) -> None:
    hidden = urlsafe_b64encode(f"{kind}:\0".encode()).decode()
    mine = f"account_id={await api.account()}"
    assert code(await api.send("GET", f"{path}{mine}&cursor={hidden}")) == (400, "cursor-invalid")


async def test_transfers_are_asked_for_by_any_state_of_the_contract(api: Api) -> None:
    account = await api.account()
    assert not (await api.get(f"/v1/transfers?account_id={account}&state=SETTLING"))["items"]


PATHS = [
    "/v1/accounts/acc_x",
    f"/v1/accounts/acc_{'g' * 32}",
    f"/v1/accounts/acc_{'0' * 32}",
    f"/v1/accounts/acc_{'0' * 32}/entries",
    f"/v1/customers/cus_{'0' * 32}",
    f"/v1/transfers/trf_{'0' * 32}",
    "/v1/transfers/%00",
    "/v1/nothing",
    "/",
]


@pytest.mark.parametrize("path", PATHS)
async def test_an_unknown_path_is_a_404(api: Api, path: str) -> None:
    assert code(await api.send("GET", path))[0] == 404


async def test_a_method_that_is_not_there_is_a_405(api: Api) -> None:
    response = await api.send("DELETE", "/v1/accounts")
    assert code(response) == (405, "method-not-allowed")
    assert response.headers["allow"] == "GET, POST"


async def test_a_body_beyond_the_limit_is_a_413(api: Api) -> None:
    body = {"transfers": [order("acc_" + "0" * 32, "acc_" + "1" * 32, 1)] * 8_000}
    assert code(await api.post("/v1/transfers/batch", body)) == (413, "body-too-large")


async def test_a_balance_that_would_not_fit_is_refused(api: Api) -> None:
    account = await api.account()
    largest = 10**15
    assert (await api.deposit(account, largest)).status_code == 201
    assert code(await api.deposit(account, largest + 1))[0] == 400
    assert (await api.balances(account))[0] == largest


async def test_an_account_needs_a_customer_who_is_there(api: Api) -> None:
    body = {"customer_id": "cus_" + "0" * 32, "currency": "EUR"}
    assert code(await api.post("/v1/accounts", body)) == (422, "customer-not-found")
