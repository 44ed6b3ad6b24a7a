"""Accounts, entries and holds over HTTP."""

import asyncio

import pytest

from ourbank.application.consistency import token

from .client import Api, code


async def test_history_filters_apply_together_and_pages_join_up(api: Api) -> None:
    account = await api.account()
    for day in range(1, 10):
        narrative = f"salary {day}" if day % 2 else "Sonstiges"
        members = {"value_date": f"2026-01-0{day}", "narrative": narrative}
        booked = await api.deposit(account, day * 10, **members)
    path = f"/v1/accounts/{account}/entries"

    async def amounts(query: str) -> list[int]:
        found: list[int] = []
        cursor = ""
        while True:
            page = await api.get(f"{path}?limit=2&{query}{cursor}")
            found += [entry["amount_minor"] for entry in page["items"]]
            if page["next"] is None:
                return found
            cursor = f"&cursor={page['next']}"

    seen = booked.headers["consistency-token"]
    await api.get(path, Consistency_Token=seen, Prefer="wait=5")
    assert await amounts("") == [10, 20, 30, 40, 50, 60, 70, 80, 90]
    assert await amounts("order=desc") == [90, 80, 70, 60, 50, 40, 30, 20, 10]
    assert await amounts("value_from=2026-01-03&value_to=2026-01-06") == [30, 40, 50]
    assert await amounts("min_amount_minor=40&max_amount_minor=60") == [40, 50, 60]
    assert await amounts("text=SALARY") == [10, 30, 50, 70, 90]
    assert await amounts("text=salary&min_amount_minor=50&order=desc") == [90, 70, 50]
    assert await amounts("direction=DBIT") == []
    assert await amounts("code=CASH_DEPOSIT&booked_from=2999-01-01T00:00:00Z") == []


async def test_an_entry_carries_both_clocks_and_the_other_bank(api: Api) -> None:
    account = await api.account()
    other = {"bank": "GIBACZPX", "account": "19-2000145399"}
    body = {"code": "INCOMING_PAYMENT", "amount_minor": 5, "currency": "EUR"}
    body |= {"other_party": other, "value_date": "1993-01-02"}
    response = await api.post(f"/v1/accounts/{account}/entries", body)
    entry = response.json()
    assert response.status_code == 201
    assert (entry["value_date"], entry["counterparty"]) == ("1993-01-02", "19-2000145399")
    assert entry["booking_time"] > "2026"
    assert (entry["sequence"], entry["balance_after_minor"]) == (1, 5)


@pytest.mark.parametrize(
    ("code_", "direction"),
    [
        ("CASH_WITHDRAWAL", "DBIT"),
        ("CARD_WITHDRAWAL", "DBIT"),
        ("OUTGOING_PAYMENT", "DBIT"),
        ("FEE", "DBIT"),
        ("PENALTY_INTEREST", "DBIT"),
        ("LOAN_PAYMENT", "DBIT"),
        ("INTEREST", "CRDT"),
        ("INCOMING_PAYMENT", "CRDT"),
    ],
)
async def test_the_code_decides_the_direction(api: Api, code_: str, direction: str) -> None:
    account = await api.account(funds=100)
    body = {"code": code_, "amount_minor": 40, "currency": "EUR"}
    response = await api.post(f"/v1/accounts/{account}/entries", body)
    assert response.json()["direction"] == direction
    assert (await api.balances(account))[0] == (60 if direction == "DBIT" else 140)


async def test_a_debit_beyond_the_credit_line_is_refused_with_the_version_that_decided(
    api: Api,
) -> None:
    account = await api.account(funds=100)
    path = f"/v1/accounts/{account}"
    await api.send("PUT", f"{path}/credit-line", {"credit_line_minor": 50})
    body = {"code": "CASH_WITHDRAWAL", "amount_minor": 151, "currency": "EUR"}
    response = await api.post(f"{path}/entries", body)
    assert code(response) == (422, "insufficient-funds")
    assert response.json()["reason_code"] == "AM04"
    assert response.json()["version"] == 3
    body["amount_minor"] = 150
    assert (await api.post(f"{path}/entries", body)).status_code == 201
    assert await api.balances(account) == (-50, 0, 0)


async def test_if_match_refuses_when_the_account_has_moved(api: Api) -> None:
    account = await api.account(funds=100)
    path = f"/v1/accounts/{account}/credit-line"
    moved = await api.send("PUT", path, {"credit_line_minor": 1}, If_Match='"1"')
    assert code(moved) == (412, "version-mismatch")
    etag = moved.headers["etag"]
    fits = await api.send("PUT", path, {"credit_line_minor": 1}, If_Match=etag)
    assert fits.status_code == 204


async def test_a_hold_is_captured_in_parts_and_ends_once(api: Api) -> None:
    account = await api.account(funds=1000)
    holds = f"/v1/accounts/{account}/holds"
    placed = await api.post(holds, {"amount_minor": 600, "currency": "EUR"})
    hold = f"{holds}/{placed.json()['hold_id']}"
    assert await api.balances(account) == (1000, 600, 400)
    part = {"amount_minor": 200, "currency": "EUR", "final": False}
    assert (await api.post(f"{hold}/capture", part)).status_code == 201
    assert await api.balances(account) == (800, 400, 400)
    too_much = await api.post(f"{hold}/capture", {"amount_minor": 401, "currency": "EUR"})
    assert code(too_much) == (422, "capture-exceeds-hold")
    assert (await api.post(f"{hold}/release")).status_code == 204
    assert (await api.get(hold))["state"] == "PARTIALLY_CAPTURED"
    assert code(await api.post(f"{hold}/release")) == (409, "hold-ended")
    assert code(await api.post(f"{hold}/capture", part)) == (409, "hold-ended")
    assert await api.balances(account) == (800, 0, 800)


async def test_a_hold_of_another_account_is_not_found(api: Api) -> None:
    account, other = await api.account(funds=10), await api.account(funds=10)
    placed = await api.post(f"/v1/accounts/{account}/holds", {"amount_minor": 1, "currency": "EUR"})
    path = f"/v1/accounts/{other}/holds/{placed.json()['hold_id']}"
    assert code(await api.send("GET", path)) == (404, "hold-not-found")
    assert code(await api.post(f"{path}/release")) == (404, "hold-not-found")


async def test_a_hold_expires_by_itself(api: Api) -> None:
    account = await api.account(funds=100)
    holds = f"/v1/accounts/{account}/holds"
    body = {"amount_minor": 60, "currency": "EUR", "expires_in_seconds": 1}
    placed = await api.post(holds, body)
    path = f"{holds}/{placed.json()['hold_id']}"
    for _ in range(100):
        if (await api.get(path))["state"] == "EXPIRED":
            break
        await asyncio.sleep(0.1)
    assert (await api.get(path))["state"] == "EXPIRED"
    assert await api.balances(account) == (100, 0, 100)


async def test_closing_needs_a_zero_balance_and_no_holds_and_is_final(api: Api) -> None:
    account = await api.account(funds=10)
    path = f"/v1/accounts/{account}"
    assert code(await api.post(f"{path}/close")) == (409, "balance-not-zero")
    body = {"code": "CASH_WITHDRAWAL", "amount_minor": 10, "currency": "EUR"}
    await api.post(f"{path}/entries", body)
    assert (await api.post(f"{path}/close")).status_code == 204
    assert (await api.post(f"{path}/close")).status_code == 204
    assert code(await api.deposit(account, 1)) == (422, "account-closed")


async def test_the_list_of_accounts_shows_what_the_token_has_seen(api: Api) -> None:
    owner = await api.customer()
    account = await api.account(owner)
    booked = await api.deposit(account, 77)
    seen = booked.headers["consistency-token"]
    page = await api.get(
        f"/v1/accounts?customer_id={owner}", Consistency_Token=seen, Prefer="wait=5"
    )
    (found,) = page["items"]
    strong = await api.get(f"/v1/accounts/{account}")
    assert found == strong | {"as_of": found["as_of"]}
    assert found["booked_minor"] == 77


async def test_a_token_from_the_future_is_refused_and_a_foreign_one_is_invalid(api: Api) -> None:
    account = await api.account(funds=1)
    path = f"/v1/accounts/{account}/entries"
    partition = api.bank.engine.partition_of(account)
    ahead = token(api.bank.log.incarnation, {partition: 10**6})
    response = await api.send("GET", path, Consistency_Token=ahead, Prefer="wait=0")
    assert code(response) == (409, "not-yet-consistent")
    foreign = token("another", {partition: 1})
    response = await api.send("GET", path, Consistency_Token=foreign)
    assert code(response) == (400, "consistency-token-invalid")


async def test_the_feed_is_gapless_in_each_partition_and_every_event_balances(api: Api) -> None:
    source, target = await api.account(funds=1000), await api.account()
    for amount in (1, 2, 3):
        await api.transfer(source, target, amount)
    events = []
    after = ""
    while True:
        page = await api.get(f"/v1/events?limit=7{after}", Prefer="wait=0")
        events += page["items"]
        after = f"&after={page['next']}"
        if not page["items"]:
            break
    for partition in {event["partition"] for event in events}:
        positions = [e["position"] for e in events if e["partition"] == partition]
        assert positions == list(range(1, len(positions) + 1))
    for event in events:
        assert sum(posting["amount_minor"] for posting in event["postings"]) == 0
    entries = [e["data"] for e in events if e["postings"]]
    assert len(entries) == 7
