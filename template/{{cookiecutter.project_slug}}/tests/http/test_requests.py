"""What is read of a request, in which order, and which route it is for."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any
from uuid import uuid4

import pytest
from fastapi import Header
from pydantic import BaseModel
from starlette.responses import Response
from starlette.types import Message, Receive

from ourbank.application.customers import Customers
from ourbank.http import call
from ourbank.http.call import Call
from ourbank.http.exchange import TheBank
from ourbank.http.problems import ProblemError
from ourbank.http.route import Route

from .client import Api, code

SCOPE = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": []}


def sending(*messages: Message) -> Receive:
    """These parts of a body, then nothing more for ever."""
    parts = iter(messages)

    async def receive() -> Message:
        for part in parts:
            return part
        await asyncio.sleep(3600)
        raise AssertionError

    return receive


def part(body: bytes, *, more: bool = True) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


async def refused(*messages: Message) -> tuple[int, str]:
    """Status and code of the problem with this body."""
    with pytest.raises(ProblemError) as refusal:
        await Call(SCOPE, sending(*messages)).content()
    return refusal.value.status, refusal.value.code


async def test_a_body_comes_in_parts_and_is_read_once() -> None:
    asked = Call(SCOPE, sending(part(b'{"b": 1.0,'), part(b' "a": []}', more=False)))
    for _ in range(2):
        assert await asked.content() == ({"b": 1.0, "a": []}, b'{"a":[],"b":1.0}')


async def test_half_a_body_is_none() -> None:
    whole_by_itself = part(b'{"amount_minor": 1}')
    assert await refused(whole_by_itself, {"type": "http.disconnect"}) == (400, "invalid-request")


async def test_a_body_that_does_not_end_is_a_408(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call, "BODY_SECONDS_MAX", 0.01)
    assert await refused(part(b"{")) == (408, "body-too-slow")


async def test_a_body_that_grows_too_large_is_read_no_further() -> None:
    half = part(b" " * (call.BODY_BYTES_MAX // 2 + 1))
    assert await refused(half, half) == (413, "body-too-large")


async def test_of_two_headers_of_one_name_the_first_counts() -> None:
    twice = [(b"if-match", b'"1"'), (b"if-match", b'"2"')]
    assert Call({**SCOPE, "headers": twice}, sending()).header(b"if-match") == '"1"'


async def test_nothing_is_read_of_a_body_before_its_sender_is_known(api: Api) -> None:
    read = []

    async def body() -> AsyncIterator[bytes]:
        read.append("{}")
        yield b"{}"

    for authorization in ("", "Bearer x"):
        response = await api.client.post(
            "/v1/transfers",
            content=body(),
            headers={"Authorization": authorization, "Idempotency-Key": uuid4().hex},
        )
        assert code(response) == (401, "unauthorized")
    assert not read


KINDS = {
    "application/json": 201,
    "application/json; charset=utf-8": 201,
    "Application/vnd.bank+JSON": 201,
    "text/plain": 400,
    "application/x-www-form-urlencoded": 400,
    "": 400,
}


@pytest.mark.parametrize(("kind", "status"), KINDS.items())
async def test_a_body_must_say_that_it_is_json(api: Api, kind: str, status: int) -> None:
    body = {"personal": {"name": "Anna", "email": "someone@example.com"}}
    response = await api.client.post(
        "/v1/customers",
        content=json.dumps(body),
        headers={
            "Authorization": f"Bearer {api.token}",
            "Idempotency-Key": uuid4().hex,
            "Content-Type": kind,
        },
    )
    assert response.status_code == status
    if status == 400:
        assert response.json()["errors"][0]["pointer"] == "body"


async def test_all_that_does_not_fit_is_named_at_once(api: Api) -> None:
    path = f"/v1/accounts/{await api.account()}/entries"
    response = await api.send("GET", f"{path}?limit=0&order=up&colour=red")
    assert code(response) == (400, "invalid-request")
    named = [error["pointer"] for error in response.json()["errors"]]
    assert sorted(named) == ["query/colour", "query/limit", "query/order"]


async def test_the_link_to_the_next_page_keeps_the_filters(api: Api) -> None:
    account = await api.account()
    deposited = [await api.deposit(account, amount) for amount in (1, 2, 3)]
    seen = {"consistency_token": deposited[-1].headers["consistency-token"], "prefer": "wait=5"}
    path = f"/v1/accounts/{account}/entries?limit=1&min_amount_minor=2"
    response = await api.send("GET", path, **seen)
    link, relation = response.headers["link"].split("; ")
    assert relation == 'rel="next"'
    second = await api.send("GET", link[1:-1])
    amounts = [found.json()["items"][0]["amount_minor"] for found in (response, second)]
    assert amounts == [2, 3]


ELSEWHERE = {
    ("GET", "/v1/transfers/batch"): (405, "POST"),
    ("POST", f"/v1/transfers/trf_{'0' * 32}"): (405, "GET"),
    ("PATCH", f"/v1/customers/cus_{'0' * 32}/legal-hold"): (405, "DELETE, GET, PUT"),
    ("POST", "/v1/transfers/batch/cancel"): (404, None),
    ("GET", "/v1/accounts/"): (404, None),
    ("GET", "/v1/accounts//entries"): (404, None),
    ("GET", "/v1"): (404, None),
}


@pytest.mark.parametrize(("asked", "expected"), ELSEWHERE.items())
async def test_what_is_not_there_is_said_so(
    api: Api, asked: tuple[str, str], expected: tuple[int, str | None]
) -> None:
    response = await api.send(*asked, {} if asked[0] != "GET" else None)
    assert (code(response)[0], response.headers.get("allow")) == expected


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "POST"])
@pytest.mark.parametrize("path", ["/v1/customers%0A", f"/v1/transfers/trf_{'0' * 32}/cancel%0A"])
async def test_a_line_break_does_not_make_a_path_another(api: Api, method: str, path: str) -> None:
    """Python's `$` matches before one, so to the framework's router it is that path."""
    body = {"name": "Anna"} if method == "POST" else None
    response = await api.send(method, path, body, key=uuid4().hex)
    assert response.status_code == 404


async def with_a_header(key: Annotated[str, Header()]) -> Response:
    raise AssertionError(key)


async def with_a_model_that_is_open(body: BaseModel) -> Response:
    raise AssertionError(body)


def with_a_thread(bank: TheBank) -> Response:
    raise AssertionError(bank)


@pytest.mark.parametrize("wrong", [with_a_header, with_a_model_that_is_open, with_a_thread])
def test_a_route_that_could_not_be_called_cannot_be_declared(wrong: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match=wrong.__name__):
        Route("/", wrong)


async def test_a_defect_is_a_500_that_says_nothing(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def defective(_self: Customers, customer_id: str) -> None:
        raise KeyError(customer_id)

    monkeypatch.setattr(Customers, "get", defective)
    customer_id = f"cus_{'1' * 32}"
    response = await api.send("GET", f"/v1/customers/{customer_id}")
    assert code(response) == (500, "fault")
    assert customer_id not in response.text + caplog.text
    assert "fault: KeyError" in caplog.text
