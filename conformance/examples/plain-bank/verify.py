"""Repeat every finding of FINDINGS.md with plain HTTP calls, without the suite.

Start the bank first (`python hook.py start`), then: python verify.py
"""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from time import sleep

import httpx
from plain_bank.tokens import issue

PORT = os.environ.get("PLAIN_BANK_PORT", "8100")
TOKEN = issue("verifier", "teller", timedelta(minutes=10))
# A connection is not used again: after a fault the server closes it.
BANK = httpx.Client(
    base_url=f"http://127.0.0.1:{PORT}",
    headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"},
    limits=httpx.Limits(max_keepalive_connections=0),
    timeout=60,
)
MIB = 2**20


def main() -> None:
    """Print what was done and what came of it."""
    customer = _made("/customers", {"fullName": "A", "email": "a@example.com"})

    def account() -> str:
        return _made("/accounts", {"customerId": customer, "currency": "EUR"})

    _repeated(account())
    _given_up(account(), account())
    _hostile(account())
    _absurd(account())
    _oversize(account())
    _at_once(account())


def _repeated(account: str) -> None:
    for _ in range(3):
        _deposit(account, "10.00")
    print("IDEM-1  a deposit of 10.00, sent three times:", _balance(account))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: _deposit(account, "10.00"), range(8)))
    print("IDEM-2  and eight times at once:", _balance(account))


def _given_up(payer: str, payee: str) -> None:
    _deposit(payer, "10.00")
    order = {"fromAccount": payer, "toAccount": payee, "amount": "1.00"}
    with suppress(httpx.TimeoutException):
        BANK.post("/transfers", json=order, timeout=0.01)
    sleep(0.5)
    BANK.post("/transfers", json=order)
    print("IDEM-5  a transfer of 1.00, given up and sent again:", _balance(payee))


def _hostile(account: str) -> None:
    bodies = {
        "NaN": '{"amount": NaN}',
        "an infinite number": '{"amount": 1e999}',
        "half of a surrogate pair": '{"amount": "1.00", "reference": "\\ud800"}',
        "a member twice": '{"amount": "1.00", "amount": "2.00"}',
        "a NUL in a text": '{"amount": "1.00", "reference": "a\\u0000b"}',
        "an unknown member": '{"amount": "1.00", "surprise": 1}',
        "null": '{"amount": "1.00", "reference": null}',
    }
    for what, body in bodies.items():
        status = BANK.post(f"/accounts/{account}/deposit", content=body).status_code
        print(f"SEC-2   {what}: {status}")


def _absurd(account: str) -> None:
    _deposit(account, "9" * 27 + ".00")
    before = _balance(account)
    status = _deposit(account, "0.01")
    print(f"SEC-2   after a deposit of 27 digits: {before}")
    print(f"        and one of 0.01, answered {status}: {_balance(account)}")


def _oversize(account: str) -> None:
    body = b'{"amount": "1.00", "reference": "' + b"x" * (48 * MIB) + b'"}'
    strange = {"Authorization": ""}
    answer = BANK.post(f"/accounts/{account}/deposit", content=body, headers=strange)
    print(f"SEC-4   48 MiB from nobody, read to the end: {answer.status_code}")


def _at_once(account: str) -> None:
    _deposit(account, "10.00")
    path = f"/accounts/{account}/withdraw"
    with ThreadPoolExecutor(20) as pool:
        answers = pool.map(lambda _: BANK.post(path, json={"amount": "6.00"}), range(20))
    told = Counter(answer.status_code for answer in answers)
    print(f"CON-2   twenty withdrawals of 6.00 from 10.00 at once: {dict(told)}")
    print("        leave", _balance(account))


def _made(path: str, body: dict[str, str]) -> str:
    return str(BANK.post(path, json=body).raise_for_status().json()["id"])


def _deposit(account: str, amount: str) -> int:
    return BANK.post(f"/accounts/{account}/deposit", json={"amount": amount}).status_code


def _balance(account: str) -> str:
    return str(BANK.get(f"/accounts/{account}").json()["balance"])


if __name__ == "__main__":
    main()
