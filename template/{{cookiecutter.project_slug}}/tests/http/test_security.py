"""Who may do what: every route, every kind of caller."""

import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from fastapi.routing import APIRoute

from ourbank.http import app as app_module

from .client import CUSTOMER, STAFF, Api, code, order

OPEN = {"/health/live", "/health/ready", "/.well-known/jwks.json"}
ROUTES = [
    (method, route.path)
    for module in app_module.ROUTERS
    for route in module.router.routes
    if isinstance(route, APIRoute) and route.path not in OPEN
    for method in route.methods or ()
]


PREFIXES = {"customer": "cus", "account": "acc", "hold": "hld", "transfer": "trf"}


def filled(path: str) -> str:
    """The path with ids that nobody has."""
    for name, prefix in PREFIXES.items():
        path = path.replace("{" + name + "_id}", f"{prefix}_{'0' * 32}")
    return path


async def sent(api: Api, method: str, path: str, authorization: str | None) -> httpx.Response:
    headers = {"Idempotency-Key": uuid4().hex}
    if authorization is not None:
        headers["Authorization"] = authorization
    return await api.client.request(method, filled(path), headers=headers)


async def test_no_route_is_open_but_health_keys_and_the_api_page(api: Api) -> None:
    assert len(ROUTES) > 20
    for method, path in ROUTES:
        for authorization in (None, "Bearer", "Bearer x", "Basic eDp5", f"Bearer {'a' * 9000}"):
            response = await sent(api, method, path, authorization)
            assert code(response) == (401, "unauthorized"), (method, path, authorization)
            assert "bearer" in response.headers["www-authenticate"].lower()
    for path in OPEN | {"/openapi.json", "/docs"}:
        assert (await api.client.get(path)).status_code == 200


def claims(**changed: Any) -> dict[str, Any]:
    good = {
        "iss": "bank",
        "aud": "bank",
        "sub": "staff",
        "scope": STAFF,
        "exp": datetime.now(UTC) + timedelta(minutes=5),
    }
    return {name: value for name, value in (good | changed).items() if value is not None}


BAD_CLAIMS = {
    "expired": {"exp": datetime(2020, 1, 1, tzinfo=UTC)},
    "without an end": {"exp": None},
    "of another audience": {"aud": "shop"},
    "of another issuer": {"iss": "shop"},
    "of nobody": {"sub": None},
    "not yet good": {"nbf": datetime(2999, 1, 1, tzinfo=UTC)},
    "with a list for a scope": {"scope": ["bank:operate"]},
}


@pytest.mark.parametrize("changed", BAD_CLAIMS.values(), ids=BAD_CLAIMS.keys())
async def test_a_token_is_refused_that_is(api: Api, changed: dict[str, Any]) -> None:
    token = jwt.encode(claims(**changed), _key(api), "EdDSA")
    response = await sent(api, "GET", "/v1/accounts", f"Bearer {token}")
    assert code(response) == (401, "unauthorized")


async def test_a_token_is_refused_that_another_key_signed(api: Api) -> None:
    token = jwt.encode(claims(), Ed25519PrivateKey.generate(), "EdDSA")
    response = await sent(api, "GET", "/v1/accounts", f"Bearer {token}")
    assert code(response) == (401, "unauthorized")


async def test_the_tokens_own_header_is_not_asked_for_the_algorithm(api: Api) -> None:
    public = _key(api).public_key().public_bytes_raw()
    unsigned = _encoded({"alg": "none", "typ": "JWT"}) + "." + _encoded(_plain(claims())) + "."
    symmetric = jwt.encode(claims(), public, "HS256")
    for token in (unsigned, symmetric):
        response = await sent(api, "GET", "/v1/accounts", f"Bearer {token}")
        assert code(response) == (401, "unauthorized")


def _key(api: Api) -> Ed25519PrivateKey:
    key = load_pem_private_key(api.private_key, password=None)
    assert isinstance(key, Ed25519PrivateKey)
    return key


def _plain(members: dict[str, Any]) -> dict[str, Any]:
    return members | {"exp": int(members["exp"].timestamp())}


def _encoded(members: dict[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(members).encode()).rstrip(b"=").decode()


async def test_another_customer_reaches_nothing_on_any_path(api: Api) -> None:
    anna, eve = await api.customer("Anna"), await api.customer("Eve")
    account, own = await api.account(anna, funds=1000), await api.account(eve, funds=10)
    transfer = (await api.transfer(account, own, 1)).json()["transfer_id"]
    placed = await api.post(f"/v1/accounts/{account}/holds", {"amount_minor": 1, "currency": "EUR"})
    hold = placed.json()["hold_id"]
    as_eve = api.as_(eve)
    amount = {"amount_minor": 1, "currency": "EUR"}
    attempts: list[tuple[str, str, Any]] = [
        ("GET", f"/v1/customers/{anna}", None),
        ("GET", f"/v1/accounts?customer_id={anna}", None),
        ("GET", f"/v1/accounts/{account}", None),
        ("GET", f"/v1/accounts/{account}/entries", None),
        ("GET", f"/v1/accounts/{account}/holds/{hold}", None),
        ("GET", f"/v1/transfers?account_id={account}", None),
        ("POST", f"/v1/accounts/{account}/holds", amount),
        ("POST", "/v1/transfers", order(account, own, 5)),
        ("POST", f"/v1/transfers/{transfer}/cancel", None),
    ]
    for method, path, body in attempts:
        response = await as_eve.send(method, path, body)
        assert response.status_code in (404, 422), (method, path, response.text)
        assert "not-found" in code(response)[1]
        assert anna not in response.text
    batch = await as_eve.post("/v1/transfers/batch", {"transfers": [order(account, own, 5)]})
    assert batch.json()["outcomes"][0]["problem"]["code"] == "debtor-account-not-found"
    listed = await as_eve.get(f"/v1/accounts?account_id={account}")
    assert listed["items"] == []
    assert await api.balances(account) == (999, 1, 998)


async def test_what_only_staff_may_do_is_closed_to_customers_on_their_own_things(api: Api) -> None:
    anna = await api.customer()
    account = await api.account(anna, funds=10)
    as_anna = api.as_(anna)
    amount = {"amount_minor": 1, "currency": "EUR"}
    path = f"/v1/accounts/{account}"
    placed = await as_anna.post(f"{path}/holds", amount)
    hold = f"{path}/holds/{placed.json()['hold_id']}"
    attempts: list[tuple[str, str, Any]] = [
        ("POST", "/v1/customers", {"personal": {"name": "x", "email": "x@y"}}),
        ("POST", "/v1/accounts", {"customer_id": anna, "currency": "EUR"}),
        ("POST", f"{path}/entries", {"code": "CASH_DEPOSIT", **amount}),
        ("POST", f"{path}/freeze", {"scope": "ALL"}),
        ("POST", f"{path}/unfreeze", None),
        ("PUT", f"{path}/dormancy", {"dormant": True}),
        ("PUT", f"{path}/credit-line", {"credit_line_minor": 10}),
        ("POST", f"{path}/close", None),
        ("POST", f"{hold}/capture", amount),
        ("POST", f"{hold}/release", None),
        ("POST", f"/v1/customers/{anna}/erasure", None),
        ("GET", f"/v1/customers/{anna}/erasure", None),
        ("GET", "/v1/events", None),
        ("POST", f"/v1/transfers/trf_{'0' * 32}/reverse", None),
    ]
    for method, attempted, body in attempts:
        response = await as_anna.send(method, attempted, body)
        assert code(response) == (403, "scope-missing"), (method, attempted)
    assert (await api.balances(account))[0] == 10


@pytest.mark.parametrize("missing", CUSTOMER.split())
async def test_each_scope_is_needed_for_what_it_names(api: Api, missing: str) -> None:
    anna = await api.customer()
    account, other = await api.account(anna, funds=10), await api.account()
    scope = " ".join(set(CUSTOMER.split()) - {missing})
    as_anna = api.as_(anna, scope)
    attempts: dict[str, list[tuple[str, str, Any]]] = {
        "customers:read": [("GET", f"/v1/customers/{anna}", None)],
        "accounts:read": [
            ("GET", f"/v1/accounts/{account}", None),
            ("GET", f"/v1/accounts/{account}/entries", None),
            ("GET", "/v1/accounts", None),
        ],
        "transfers:write": [("POST", "/v1/transfers", order(account, other, 1))],
    }
    for named, calls in attempts.items():
        for method, path, body in calls:
            response = await as_anna.send(method, path, body)
            assert (response.status_code == 403) == (named == missing), (missing, path)
