"""After an erasure nothing of the person is left on any surface, and nothing else has changed."""

import json

from jwt import PyJWKSet, get_unverified_header
from jwt.api_jws import PyJWS

from ourbank.config import Settings
from ourbank.privacy.receipt import ReceiptSigner, verify_receipt
from ourbank.secrets_store import Secrets

from .client import Api, code

CANARY = "Zebulon-Quartz-7719"


async def test_an_erased_customer_is_gone_from_every_answer_and_the_money_is_not(
    api: Api, settings: Settings
) -> None:
    anna, bob = await api.customer(CANARY), await api.customer("Bob")
    source, target = await api.account(anna, funds=1000), await api.account(bob)
    moved = await api.transfer(source, target, 10, narrative=CANARY)
    transfer = f"/v1/transfers/{moved.json()['transfer_id']}"
    paths = [
        f"/v1/customers/{anna}",
        f"/v1/accounts/{source}",
        f"/v1/accounts/{source}/entries",
        f"/v1/transfers?account_id={source}",
        transfer,
        "/v1/events?limit=1000",
    ]
    seen = {"Consistency_Token": moved.headers["consistency-token"], "Prefer": "wait=5"}
    before = [(await api.send("GET", path, **seen)).text for path in paths]
    assert sum(CANARY in text for text in before) == 4  # not in balances, not in the feed

    erased = await api.post(f"/v1/customers/{anna}/erasure")
    assert erased.json()["state"] == "ERASED"
    for path in paths:
        assert CANARY not in (await api.send("GET", path)).text, path
    assert (await api.as_(bob).get(transfer))["narrative"] == CANARY
    entries = await api.as_(bob).get(f"/v1/accounts/{target}/entries")
    assert entries["items"][0]["narrative"] == CANARY
    assert await api.balances(source) == (990, 0, 990)

    public = ReceiptSigner(Secrets(settings.secrets_dir).receipt_key).public_pem
    receipt = erased.json()["receipt"]
    assert verify_receipt(receipt, public).purged
    assert anna not in receipt


async def test_anybody_verifies_a_receipt_with_the_published_keys(api: Api) -> None:
    """With any JOSE library, and without a token of the bank."""
    published = await api.client.get("/.well-known/jwks.json")
    assert published.status_code == 200
    assert "authorization" not in published.request.headers
    keys = PyJWKSet.from_dict(published.json())
    erased = (await api.post(f"/v1/customers/{await api.customer()}/erasure")).json()
    kid = get_unverified_header(erased["receipt"])["kid"]
    stated = PyJWS().decode(erased["receipt"], keys[kid], algorithms=["EdDSA"])
    assert json.loads(stated)["erasure_id"]
    assert not any("d" in key for key in published.json()["keys"]), "a private key is out"


async def test_nothing_new_is_recorded_of_an_erased_customer(api: Api) -> None:
    anna = await api.customer()
    source, other = await api.account(anna, funds=100), await api.account(funds=100)
    await api.post(f"/v1/customers/{anna}/erasure")
    refused = [
        await api.transfer(source, other, 1),
        await api.transfer(other, source, 1),
        await api.deposit(source, 1),
        await api.post(f"/v1/accounts/{source}/holds", {"amount_minor": 1, "currency": "EUR"}),
        await api.post("/v1/accounts", {"customer_id": anna, "currency": "EUR"}),
    ]
    assert {code(response) for response in refused} == {(422, "customer-erased")}
    assert await api.balances(source) == (100, 0, 100)
    assert await api.balances(other) == (100, 0, 100)


async def test_an_erasure_repeated_is_the_same_erasure(api: Api) -> None:
    anna = await api.customer()
    first = (await api.post(f"/v1/customers/{anna}/erasure")).json()
    again = (await api.post(f"/v1/customers/{anna}/erasure")).json()
    assert first == again == await api.get(f"/v1/customers/{anna}/erasure")
    unknown = await api.post(f"/v1/customers/cus_{'0' * 32}/erasure")
    assert code(unknown) == (404, "customer-not-found")
