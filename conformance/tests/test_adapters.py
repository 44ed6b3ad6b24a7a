"""An adapter may take several requests for a call; all are on record, and in its interval."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import anyio
import pytest
from bank_conformance.bank.session import Session
from bank_conformance.catalogue import catalogue
from bank_conformance.client import Client
from bank_conformance.history import Answer, Operation, Outcome, now
from bank_conformance.mapping import (
    Adapter,
    AdapterError,
    Asked,
    NotOfferedError,
    Send,
    UnclearError,
    Wire,
)
from bank_conformance.report.events import calls
from bank_conformance.runner import Run, run
from bank_conformance.target import Target
from bank_conformance.tokens import ANONYMOUS, Principal, Tokens
from builders import Silent
from impostors import impostor

Exchange = Callable[[Asked, Send], Awaitable[Answer | None]]


class Other(Adapter):
    """An adapter that does as it is told."""

    def __init__(self, exchange: Exchange) -> None:
        self.told = exchange

    async def exchange(self, asked: Asked, send: Send) -> Answer | None:
        return await self.told(asked, send)


async def no_token(_: Principal) -> str:
    raise AssertionError


async def deposit(adapter: Adapter) -> tuple[Operation, Client]:
    with impostor("yes to everything") as url:
        target = Target("impostor", url, no_token, adapter=adapter)
        async with Client.of(target, Tokens(no_token), "p") as client:
            session = Session(client, ANONYMOUS, "client 1", "EUR")
            return await session.post("acc_1", "CASH_DEPOSIT", 5), client


def done(exchange: Exchange) -> tuple[Operation, Client]:
    return anyio.run(partial(deposit, Other(exchange)))


async def in_two(_: Asked, send: Send) -> Answer:
    await send(Wire("POST", "/book", body={"amount": "0.05"}))
    return await send(Wire("GET", "/lines"))


def test_every_request_of_a_call_is_on_record() -> None:
    operation, _ = done(in_two)
    assert [str(one) for one in operation.sent] == ["POST /book → 200", "GET /lines → 200"]
    assert operation.sent[0].body == {"amount": "0.05"}
    assert operation.call.url == "/v1/accounts/acc_1/entries"
    assert operation.ok


def test_what_went_over_the_wire_stands_in_the_written_history() -> None:
    _, client = done(in_two)
    told = [event["value"] for event in calls(client.history)][-1]
    assert [one["url"] for one in told["sent"]] == ["/book", "/lines"]


def test_the_interval_of_a_call_encloses_all_its_requests() -> None:
    times: list[float] = []

    async def timed(asked: Asked, send: Send) -> Answer:
        times.append(now())
        answer = await in_two(asked, send)
        times.append(now())
        return answer

    operation, _ = done(timed)
    assert operation.invoked <= times[0] < times[1] <= operation.completed


def test_a_call_as_the_contract_has_it_is_recorded_once() -> None:
    operation, _ = anyio.run(partial(deposit, Adapter()))
    assert operation.ok
    assert operation.sent == ()


def test_a_write_that_cannot_be_told_apart_may_have_happened() -> None:
    async def unclear(_: Asked, send: Send) -> Answer:
        await send(Wire("POST", "/book"))
        raise UnclearError("the history could not be read")

    operation, _ = done(unclear)
    assert operation.outcome is Outcome.INFO
    assert "the history could not be read" in operation.error
    assert [one.status for one in operation.sent] == [200]


def test_what_cannot_be_asked_is_no_evidence_of_anything() -> None:
    async def nothing(_asked: Asked, _send: Send) -> None: ...

    with pytest.raises(NotOfferedError, match="the bank does not offer: postEntry"):
        done(nothing)


def test_an_adapter_that_fails_is_named_and_not_the_bank() -> None:
    async def broken(_asked: Asked, _send: Send) -> Answer:
        raise KeyError("id")

    with pytest.raises(AdapterError, match=r"the adapter failed at postEntry: KeyError\('id'\)"):
        done(broken)


def test_a_mapping_that_does_not_fit_is_an_invalid_run_and_no_failure_of_the_bank() -> None:
    async def decide() -> Run:
        with impostor("yes to everything") as url:
            target = Target("impostor", url, a_token, adapter=Other(as_it_is))
            return await run(target, [catalogue()["ORD-3"]], seed=1, reporter=Silent())

    found = anyio.run(decide)
    assert "the mapping does not fit this bank" in found.invalid
    assert found.results == []


async def a_token(_: Principal) -> str:
    return "token"


async def as_it_is(asked: Asked, send: Send) -> Answer:
    return await send(Wire(asked.route.method, asked.url, body=asked.body))
