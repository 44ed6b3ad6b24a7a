"""What a bank has in stock for test_contract.py: real ids and the like, for requests that are good
otherwise.

An id that was made up names nothing: every answer would be 404. What an operation changes or uses
up (an account that is closed, a hold that is captured) is made anew for every request.
"""

import itertools
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import psycopg

LARGEST_MINOR = 10**15
KEY_MAX = 255
FAR_AWAY = "2999-12-31"
APPENDING = 4242
"""The advisory lock under which the service appends to a partition."""
CANCELLATIONS_MAX, HELD_SECONDS = 5, 0.5

Json = dict[str, Any]


@dataclass
class Stock:
    """Customers, accounts, holds and transfers of the bank behind `client`."""

    client: httpx.Client
    database: str
    """Its event log, as libpq names it."""
    _lasting: dict[str, str] = field(default_factory=dict)
    _keys: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self._lasting = {"customer_id": self._customer(), "currency": "EUR", "If-Match": '"1"'}
        source, target = self._account(), self._account()
        self._lasting |= {
            "account_id": source,
            "hold_id": self._hold(self._account()),
            "source_account_id": source,
            "target_account_id": target,
            "transfer_id": [self._transfer(source, target) for _ in range(3)][-1],
            "Consistency-Token": self._get(f"/v1/accounts/{source}").headers["Consistency-Token"],
        }
        self._cancelled = self._cancel_on_its_way()

    def key(self, given: str) -> str:
        """An idempotency key like the given one, but never sent before."""
        return f"{next(self._keys)}-{given}"[:KEY_MAX]

    def for_(self, operation: str) -> Mapping[str, str]:
        """What to put into a request of this operation, by the name of the parameter or member."""
        return self._lasting | self._fresh(operation)

    def place(self, operation: str, order: str) -> str:
        """Where a list goes on after its first item."""
        account = self._lasting["account_id"]
        match operation:
            case "GET /v1/accounts/{account_id}/entries":
                path = f"/v1/accounts/{account}/entries?order={order}"
            case "GET /v1/transfers":
                path = f"/v1/transfers?account_id={account}"
            case _:
                path = operation.removeprefix("GET ") + "?"
        return str(self._get(f"{path}&limit=1").json()["next"])

    def _fresh(self, operation: str) -> dict[str, str]:
        match operation.split():
            case [_, "/v1/customers/{customer_id}/erasure"]:
                return {"customer_id": self._customer()}
            case ["PUT", "/v1/customers/{customer_id}/legal-hold"]:
                return {"until": FAR_AWAY}
            case [_, "/v1/transfers/{transfer_id}/cancel"]:
                return {"transfer_id": self._cancelled}
            case [_, "/v1/transfers/{transfer_id}/reverse"]:
                return {"transfer_id": self._transfer(self._account(), self._account())}
            case [_, path] if "{hold_id}" in path:
                account = self._account()
                return {"account_id": account, "hold_id": self._hold(account), "If-Match": '"2"'}
            case ["GET", _]:
                return {}
            case _:
                account = self._account()
                return {"account_id": account, "source_account_id": account}

    def _customer(self) -> str:
        personal = {"name": "Anna", "email": "anna@example.com"}
        return str(self._post("/v1/customers", {"personal": personal})["customer_id"])

    def _account(self) -> str:
        """An account with the largest credit line, so that any one amount is covered."""
        body = {
            "customer_id": self._lasting["customer_id"],
            "currency": "EUR",
            "credit_line_minor": LARGEST_MINOR,
        }
        return str(self._post("/v1/accounts", body)["account_id"])

    def _hold(self, account_id: str) -> str:
        body = {"amount_minor": LARGEST_MINOR, "currency": "EUR"}
        return str(self._post(f"/v1/accounts/{account_id}/holds", body)["hold_id"])

    def _transfer(self, source: str, target: str) -> str:
        order = {"source_account_id": source, "target_account_id": target}
        body = {**order, "amount_minor": 1, "currency": "EUR"}
        return str(self._post("/v1/transfers", body)["transfer_id"])

    def _cancel_on_its_way(self) -> str:
        """A transfer that was cancelled in time; to cancel it again is answered alike.

        A transfer is over before anybody could cancel it, unless something holds it up. Here it is
        the log: a reversal asks the partition of the transfer that is to be reversed, which is that
        of its own payee. A cancellation that waits there when it is let go comes first.
        """
        source, target = self._account(), self._account()
        while _partition(target) == _partition(source):
            target = self._account()
        for _ in range(CANCELLATIONS_MAX):
            original = self._transfer(source, target)
            with ThreadPoolExecutor() as pool, self._held_up(_partition(original)):
                reversal = self._post(f"/v1/transfers/{original}/reverse", wait=0)["transfer_id"]
                cancelled = pool.submit(self._ask, f"/v1/transfers/{reversal}/cancel")
                time.sleep(HELD_SECONDS)
            if cancelled.result().is_success:
                return str(reversal)
        raise AssertionError(f"{CANCELLATIONS_MAX} cancellations came too late")

    @contextmanager
    def _held_up(self, partition: int) -> Iterator[None]:
        """While this lasts, nothing is appended to the partition."""
        with psycopg.connect(self.database, autocommit=True) as connection:
            connection.execute("select pg_advisory_lock(%s, %s)", [APPENDING, partition])
            yield

    def _get(self, path: str) -> httpx.Response:
        return self.client.get(path).raise_for_status()

    def _ask(self, path: str, body: Json | None = None, wait: int = 10) -> httpx.Response:
        headers = {"Idempotency-Key": self.key("stock"), "Prefer": f"wait={wait}"}
        return self.client.post(path, json=body, headers=headers)

    def _post(self, path: str, body: Json | None = None, wait: int = 10) -> Json:
        response = self._ask(path, body, wait)
        assert response.is_success, response.text
        members: Json = response.json()
        return members


def _partition(stream_id: str) -> int:
    """The partition, of four, that an id tells by its end."""
    return int(stream_id[-1], 16) % 4
