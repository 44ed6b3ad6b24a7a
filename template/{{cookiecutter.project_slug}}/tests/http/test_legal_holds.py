"""A legal hold forbids an erasure, however it is asked for, until it ends or is lifted."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from .client import Api, code

TODAY = datetime.now(UTC).date()
TOMORROW, LATER = ((TODAY + timedelta(days=days)).isoformat() for days in (1, 30))


def path(customer: str) -> str:
    return f"/v1/customers/{customer}/legal-hold"


async def state(api: Api, customer: str) -> tuple[str, str | None]:
    found = await api.get(f"/v1/customers/{customer}/erasure")
    return found["state"], found["until"]


async def test_an_erasure_waits_for_the_hold_and_goes_on_when_it_is_lifted(api: Api) -> None:
    anna = await api.customer()
    assert await api.get(path(anna)) == {"customer_id": anna, "until": None}
    held = await api.send("PUT", path(anna), {"until": LATER})
    assert (held.status_code, held.json()) == (200, {"customer_id": anna, "until": LATER})
    for _ in range(2):
        asked = (await api.post(f"/v1/customers/{anna}/erasure")).json()
        assert (asked["state"], asked["until"]) == ("ON_LEGAL_HOLD", LATER)
    await api.send("PUT", path(anna), {"until": TOMORROW})
    assert await state(api, anna) == ("ON_LEGAL_HOLD", TOMORROW)
    assert (await api.get(f"/v1/customers/{anna}"))["personal"]["name"] == "Anna"

    lifted = await api.send("DELETE", path(anna))
    assert (lifted.status_code, lifted.json()) == (200, {"customer_id": anna, "until": None})
    assert await state(api, anna) == ("ERASED", None)


async def test_a_hold_that_cannot_be_is_refused(api: Api) -> None:
    anna, unknown = await api.customer(), f"cus_{'0' * 32}"
    late = await api.send("PUT", path(anna), {"until": TODAY.isoformat()})
    assert code(late) == (422, "legal-hold-over")
    for method, body in (("PUT", {"until": LATER}), ("DELETE", None), ("GET", None)):
        answer = await api.send(method, path(unknown), body)
        assert code(answer) == (404, "customer-not-found")
    await api.post(f"/v1/customers/{anna}/erasure")
    assert code(await api.send("PUT", path(anna), {"until": LATER})) == (409, "customer-erased")
    assert (await api.send("DELETE", path(anna))).status_code == 200
    assert (await api.get(path(anna)))["until"] is None


async def test_a_retry_of_a_hold_finds_its_answer_and_sets_nothing_again(api: Api) -> None:
    anna = await api.customer()
    first = await api.send("PUT", path(anna), {"until": LATER}, key="hold")
    other = await api.send("PUT", path(anna), {"until": TOMORROW}, key="hold")
    assert code(other) == (422, "idempotency-key-reused")
    await api.send("DELETE", path(anna))
    again = await api.send("PUT", path(anna), {"until": LATER}, key="hold")
    assert (again.json(), again.headers["idempotency-replayed"]) == (first.json(), "true")
    assert (await api.get(path(anna)))["until"] is None
    await api.post(f"/v1/customers/{anna}/erasure")
    after = await api.send("PUT", path(anna), {"until": LATER}, key="hold")
    assert (after.status_code, after.json()) == (200, first.json())


@pytest.mark.parametrize("scope", ["bank:operate", "customers:read accounts:read"])
async def test_holds_are_for_those_who_may_erase(api: Api, scope: str) -> None:
    anna = await api.customer()
    caller = api.as_(anna, scope)
    for method, body in (("PUT", {"until": LATER}), ("DELETE", None), ("GET", None)):
        answer = await caller.send(method, path(anna), body)
        assert code(answer) == (403, "scope-missing")
    assert (await api.get(path(anna)))["until"] is None


async def test_a_hold_that_was_confirmed_is_kept_whatever_goes_on_beside_it(api: Api) -> None:
    """Erasures and holds at once: one of them wins, and both say so."""
    for _ in range(20):
        anna = await api.customer()
        held, *_ = await asyncio.gather(
            api.send("PUT", path(anna), {"until": LATER}),
            api.post(f"/v1/customers/{anna}/erasure"),
            api.post(f"/v1/customers/{anna}/erasure"),
        )
        is_there = "personal" in await api.get(f"/v1/customers/{anna}")
        assert held.status_code in {200, 409, 503}
        if held.status_code != 503:
            assert is_there == (held.status_code == 200)
