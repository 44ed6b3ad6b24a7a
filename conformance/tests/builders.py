"""Short ways to build what deciders are given."""

from __future__ import annotations

import json

from bank_conformance.bank.shapes import Account, Entry
from bank_conformance.history import Answer, Call, History, Operation, now
from bank_conformance.verdict import Result

ACCOUNT = Account("acc_1", "cus_1", "EUR", "ACTIVE", None, 10, 0, 10, 0, 2, 1)
ORDER = {"source_account_id": "acc_1", "target_account_id": "acc_2", "amount_minor": 4}
TRANSFER = ORDER | {"transfer_id": "trf_1", "state": "COMPLETED", "version": 3}


def entry(version: int, sequence: int, direction: str, amount: int, **more: str) -> Entry:
    return Entry(
        account_id="acc_1",
        sequence=sequence,
        version=version,
        direction=direction,  # type: ignore[arg-type]
        code="CASH_DEPOSIT" if direction == "CRDT" else "CASH_WITHDRAWAL",
        amount_minor=amount,
        currency="EUR",
        balance_after_minor=0,
        booking_time="2026-11-23T00:00:00Z",
        value_date="2026-11-23",
        **more,
    )


def operation(
    history: History,
    method: str = "GET",
    url: str = "/v1/accounts/acc_1",
    *,
    status: int = 200,
    body: object = None,
    answer: object = None,
    route: str = "getAccount",
    headers: dict[str, str] | None = None,
) -> Operation:
    call = Call(route, method, url, "staff", "key-1", body)
    told = Answer(status, headers or {}, json.dumps(answer), answer) if status else None
    return history.append("client 1", call, now(), told, "" if told else "timeout")


class Silent:
    """A reporter who says nothing."""

    def started(self, requirement_id: str) -> None: ...

    def progress(self, requirement_id: str, done: int, total: int) -> None: ...

    def finished(self, result: Result) -> None: ...
