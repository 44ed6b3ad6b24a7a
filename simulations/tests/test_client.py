"""The client: what is asked for again, under which key, and when it gives up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from bank_simulations.client import Answer, BankClient, UnansweredError, is_passing
from bank_simulations.console import BadInputError, BrokenRunError
from bank_simulations.stub.faults import Faults
from bank_simulations.stub.process import serve
from bank_simulations.tokens import TokenSource
from geventhttpclient.header import Headers

if TYPE_CHECKING:
    from collections.abc import Iterator

DEPOSIT = {"code": "CASH_DEPOSIT", "amount_minor": 100, "currency": "EUR"}
NOBODY = "http://127.0.0.1:9"


def client(url: str, command: str = "") -> BankClient:
    return BankClient(url, TokenSource("first", command), connections=4, timeout_seconds=2)


@pytest.fixture(scope="module")
def bank() -> Iterator[BankClient]:
    """A bank that loses the answers of half of its transfers."""
    with serve(Faults(lost_share=0.5)) as url:
        yield client(url)


def open_account(bank: BankClient, name: str) -> str:
    personal = {"name": name, "email": f"{name}@example.com"}
    owner = bank.create("/v1/customers", {"personal": personal}, f"c-{name}", "customer_id")
    opening = {"customer_id": owner, "currency": "EUR"}
    return bank.create("/v1/accounts", opening, f"a-{name}", "account_id")


def test_what_is_asked_again_after_a_lost_answer_happens_once(bank: BankClient) -> None:
    source, target = open_account(bank, "source"), open_account(bank, "target")
    bank.insist(f"/v1/accounts/{source}/entries", DEPOSIT, "d-1")
    order = {"source_account_id": source, "target_account_id": target, "amount_minor": 1}
    for number in range(20):
        answer = bank.insist("/v1/transfers", {**order, "currency": "EUR"}, f"t-{number}")
        assert answer.accepted
    assert bank.get(f"/v1/accounts/{target}").body["booked_minor"] == 20


def test_a_refusal_is_an_answer_that_stands(bank: BankClient) -> None:
    account = open_account(bank, "poor")
    withdrawal = {**DEPOSIT, "code": "CASH_WITHDRAWAL"}
    answer = bank.insist(f"/v1/accounts/{account}/entries", withdrawal, "w-1")
    assert (answer.status, answer.code) == (422, "insufficient-funds")


def test_what_set_up_cannot_do_without_breaks_the_run(bank: BankClient) -> None:
    with pytest.raises(BrokenRunError, match="scope bank:operate"):
        bank.create("/v1/customers", {}, "k-1", "customer_id")
    with pytest.raises(BrokenRunError, match="404 account-not-found"):
        bank.fetch("/v1/accounts/acc_unknown")


def test_nobody_there_is_no_answer_and_insisting_ends() -> None:
    with pytest.raises(UnansweredError):
        client(NOBODY).get("/health/ready")
    with pytest.raises(BrokenRunError, match="no answer"):
        client(NOBODY).insist("/v1/customers", {}, "k", patience_seconds=0.2)


@pytest.mark.parametrize(
    ("status", "passing"), [(201, False), (422, False), (409, True), (429, True), (503, True)]
)
def test_only_answers_about_the_moment_are_passing(status: int, passing: bool) -> None:
    assert is_passing(Answer(status, {}, Headers())) is passing


def test_a_refused_token_is_replaced_and_the_request_sent_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tokens = []

    def attempt(_: BankClient, *sent: Any) -> Answer:
        tokens.append(sent[3])
        return Answer(401 if sent[3] == "first" else 200, {}, Headers())

    monkeypatch.setattr("bank_simulations.tokens.RENEWAL_SECONDS_MIN", 0.0)
    monkeypatch.setattr(BankClient, "_attempt", attempt)
    assert client(NOBODY, "echo second").get("/x").status == 200
    assert tokens == ["first", "second"]


def test_a_url_must_be_one() -> None:
    with pytest.raises(BadInputError, match=r"http://127\.0\.0\.1:8000"):
        client("127.0.0.1:8000")


@pytest.mark.parametrize("body", [None, [], "text", {"title": "no code"}])
def test_an_answer_without_a_code_is_named_by_its_status(body: Any) -> None:
    assert Answer(500, body, Headers()).code == "http-500"
