"""Transfers over HTTP: what is answered when, and what is left behind."""

import asyncio

import httpx
import pytest

from ourbank.application.consistency import positions

from .client import Api, code, order


async def test_a_transfer_moves_money_and_shows_it_in_both_histories(api: Api) -> None:
    source, target = await api.account(funds=1000), await api.account()
    response = await api.transfer(source, target, 300, narrative="rent")
    assert response.status_code == 201
    transfer = response.json()
    assert transfer["state"] == "COMPLETED"
    assert response.headers["location"] == f"/v1/transfers/{transfer['transfer_id']}"
    assert await api.balances(source) == (700, 0, 700)
    assert await api.balances(target) == (300, 0, 300)
    token = response.headers["consistency-token"]
    for account, direction in ((source, "DBIT"), (target, "CRDT")):
        path = f"/v1/accounts/{account}/entries?transfer_id={transfer['transfer_id']}"
        page = await api.get(path, Consistency_Token=token, Prefer="wait=5")
        (entry,) = page["items"]
        assert (entry["direction"], entry["amount_minor"], entry["narrative"]) == (
            direction,
            300,
            "rent",
        )


async def test_without_wait_the_answer_is_202_and_the_money_is_held_or_gone(api: Api) -> None:
    source, target = await api.account(funds=1000), await api.account()
    response = await api.send("POST", "/v1/transfers", order(source, target, 400))
    assert response.status_code == 202
    assert response.json()["state"] == "RESERVED"
    booked, held, available = await api.balances(source)
    assert available == 600
    assert booked - held == 600


REFUSALS = [
    # amount, members, status, code
    (1001, {}, 422, "insufficient-funds"),
    (1, {"currency": "USD"}, 422, "currency-mismatch"),
    (1, {"target_account_id": "acc_" + "0" * 32}, 422, "creditor-account-not-found"),
    (1, {"source_account_id": "acc_" + "0" * 32}, 422, "debtor-account-not-found"),
    (1, {"value_date": "2999-01-01"}, 422, "date-too-far-ahead"),
    (1, {"value_date": "1900-01-01"}, 422, "date-too-far-back"),
]


@pytest.mark.parametrize(("amount", "members", "status", "expected"), REFUSALS)
async def test_a_refused_transfer_is_a_problem_and_moves_nothing(
    api: Api, amount: int, members: dict[str, str], status: int, expected: str
) -> None:
    source, target = await api.account(funds=1000), await api.account()
    response = await api.transfer(source, target, amount, **members)
    assert code(response) == (status, expected)
    assert await api.balances(source) == (1000, 0, 1000)
    assert await api.balances(target) == (0, 0, 0)


async def test_a_refusal_that_was_recorded_is_in_the_token_of_its_problem(api: Api) -> None:
    source, target = await api.account(), await api.account()
    refused = await api.transfer(source, target, 1)
    assert code(refused) == (422, "insufficient-funds")
    token = refused.headers["consistency-token"]
    assert positions(api.bank.log.incarnation, api.bank.log.partition_count, token)
    path = f"/v1/transfers?account_id={source}&state=REJECTED"
    (found,) = (await api.get(path, Consistency_Token=token, Prefer="wait=5"))["items"]
    assert found["transfer_id"] == refused.json()["transfer_id"]


async def test_source_and_target_must_differ(api: Api) -> None:
    account = await api.account(funds=10)
    assert code(await api.transfer(account, account, 1)) == (422, "same-account")


async def test_a_creditor_that_takes_no_money_gives_it_back(api: Api) -> None:
    source, target = await api.account(funds=1000), await api.account()
    await api.post(f"/v1/accounts/{target}/freeze", {"scope": "CREDIT"})
    response = await api.transfer(source, target, 300)
    assert code(response) == (422, "account-blocked")
    found = await api.get(response.headers["location"])
    assert found["state"] == "FAILED"
    assert await api.balances(source) == (1000, 0, 1000)


async def test_the_same_key_is_answered_the_same_even_when_the_rule_would_now_agree(
    api: Api,
) -> None:
    source, target = await api.account(funds=100), await api.account()
    refused = await api.transfer(source, target, 500, key="k1")
    await api.deposit(source, 1000)
    again = await api.transfer(source, target, 500, key="k1")
    assert code(refused) == code(again) == (422, "insufficient-funds")
    assert again.json()["transfer_id"] == refused.json()["transfer_id"]
    assert again.headers["idempotency-replayed"] == "true"
    assert await api.balances(source) == (1100, 0, 1100)


async def test_many_at_once_with_one_key_have_one_effect(api: Api) -> None:
    source, target = await api.account(funds=1000), await api.account()
    answers = await asyncio.gather(
        *(api.transfer(source, target, 100, key="k2") for _ in range(20))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["transfer_id"] for answer in answers}) == 1
    assert await api.balances(target) == (100, 0, 100)


async def test_another_request_under_the_same_key_is_refused(api: Api) -> None:
    source, target = await api.account(funds=1000), await api.account()
    await api.transfer(source, target, 100, key="k3")
    for other in (order(source, target, 101), order(target, source, 100)):
        response = await api.post("/v1/transfers", other, key="k3")
        assert code(response) == (422, "idempotency-key-reused")
    other_path = await api.post(f"/v1/accounts/{source}/close", key="k3")
    assert code(other_path) == (422, "idempotency-key-reused")
    assert "etag" not in other_path.headers  # the account had no part in this
    assert await api.balances(target) == (100, 0, 100)


async def test_a_key_belongs_to_its_principal(api: Api) -> None:
    owner = await api.customer()
    source, target = await api.account(owner, funds=1000), await api.account()
    await api.transfer(source, target, 100, key="k4")
    await api.as_(owner).transfer(source, target, 100, key="k4")
    assert await api.balances(target) == (200, 0, 200)


async def test_the_key_of_a_batch_is_used_up_by_it(api: Api) -> None:
    """For a longer batch, of which the first would be known, and for anything else."""
    source, target = await api.account(funds=10_000), await api.account()
    one, other = order(source, target, 100), order(source, target, 200)
    first = await api.post("/v1/transfers/batch", {"transfers": [one]}, key="b2")
    deposit = {"code": "CASH_DEPOSIT", "amount_minor": 7, "currency": "EUR"}
    for refused in (
        await api.post("/v1/transfers/batch", {"transfers": [one, other]}, key="b2"),
        await api.post(f"/v1/accounts/{source}/entries", deposit, key="b2"),
        await api.post("/v1/transfers", other, key="b2"),
    ):
        assert (refused.status_code, refused.json()["code"]) == (422, "idempotency-key-reused")
    again = await api.post("/v1/transfers/batch", {"transfers": [one]}, key="b2")
    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (await api.get(f"/v1/accounts/{target}"))["booked_minor"] == 100


async def test_a_batch_has_an_outcome_for_each_and_is_idempotent_as_a_whole(api: Api) -> None:
    source, target = await api.account(funds=250), await api.account()
    body = {"transfers": [order(source, target, 100)] * 3 + [order(source, source, 1)]}
    first = await api.post("/v1/transfers/batch", body, key="b1")
    statuses = sorted(outcome["status"] for outcome in first.json()["outcomes"])
    assert statuses == [201, 201, 422, 422]
    again = await api.post("/v1/transfers/batch", body, key="b1")
    assert _ids(again) == _ids(first)
    assert await api.balances(target) == (200, 0, 200)


def _ids(response: httpx.Response) -> list[str | None]:
    return [
        (outcome.get("transfer") or outcome["problem"]).get("transfer_id")
        for outcome in response.json()["outcomes"]
    ]


async def test_a_completed_transfer_cannot_be_cancelled(api: Api) -> None:
    source, target = await api.account(funds=100), await api.account()
    done = (await api.transfer(source, target, 10)).json()["transfer_id"]
    response = await api.post(f"/v1/transfers/{done}/cancel")
    assert code(response) == (409, "transfer-settled")


async def test_cancelling_at_once_ends_either_way_and_never_half(api: Api) -> None:
    source, target = await api.account(funds=10_000), await api.account()
    ends = []
    for number in range(10):
        asked = await api.send("POST", "/v1/transfers", order(source, target, 100 + number))
        cancelled = await api.post(f"/v1/transfers/{asked.json()['transfer_id']}/cancel")
        found = await api.get(asked.headers["location"])
        ends.append((cancelled.status_code, found["state"]))
    assert set(ends) <= {(200, "CANCELLED"), (409, "COMPLETED")}
    moved = sum(100 + n for n, (_, state) in enumerate(ends) if state == "COMPLETED")
    assert await api.balances(source) == (10_000 - moved, 0, 10_000 - moved)
    assert await api.balances(target) == (moved, 0, moved)


async def test_a_reversal_is_a_new_transfer_and_there_is_one(api: Api) -> None:
    source, target = await api.account(funds=100), await api.account(funds=500)
    done = (await api.transfer(source, target, 30)).json()["transfer_id"]
    answers = await asyncio.gather(*(api.post(f"/v1/transfers/{done}/reverse") for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    original = await api.get(f"/v1/transfers/{done}")
    (made,) = [answer.json() for answer in answers if answer.status_code == 201]
    assert original["state"] == "COMPLETED"
    assert original["reversed_by"] == made["transfer_id"]
    assert made["reverses"] == done
    assert await api.balances(source) == (100, 0, 100)
    assert await api.balances(target) == (500, 0, 500)


async def test_a_reversal_that_fails_leaves_room_for_another(api: Api) -> None:
    source, target = await api.account(funds=100), await api.account()
    done = (await api.transfer(source, target, 30)).json()["transfer_id"]
    await api.transfer(target, source, 30)
    refused = await api.post(f"/v1/transfers/{done}/reverse")
    assert code(refused) == (422, "insufficient-funds")
    await api.deposit(target, 30)
    assert (await api.post(f"/v1/transfers/{done}/reverse")).status_code == 201


async def test_both_parties_see_a_transfer_and_nobody_else(api: Api) -> None:
    anna, bob, eve = await api.customer("Anna"), await api.customer("Bob"), await api.customer()
    source, target = await api.account(anna, funds=100), await api.account(bob)
    done = (await api.transfer(source, target, 10, narrative="tea")).json()["transfer_id"]
    for party in (anna, bob):
        assert (await api.as_(party).get(f"/v1/transfers/{done}"))["narrative"] == "tea"
    response = await api.as_(eve).send("GET", f"/v1/transfers/{done}")
    assert code(response) == (404, "transfer-not-found")
