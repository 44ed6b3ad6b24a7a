"""A walk through the bank as its clients see it: over HTTP, with nothing known of its inside."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

import httpx

from .bank import STAFF_SCOPE
from .checks import Check

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .bank import Bank

CURRENCY = "EUR"
DEPOSIT_MINOR = 100_000
TRANSFER_MINOR = 2_500
BOUND_SECONDS = 2.0
LOOK_SECONDS = 0.002

Json = dict[str, Any]


class Client:
    """Somebody with a token. Every unsafe call has a key, a new one unless it is given."""

    def __init__(self, bank: Bank, subject: str, scope: str) -> None:
        token = bank.token(subject, scope)
        headers = {"Authorization": f"Bearer {token}"}
        self._http = httpx.Client(base_url=bank.url, headers=headers, timeout=10)

    def get(self, path: str, **query: str) -> httpx.Response:
        """Read."""
        return self._http.get(path, params=query)

    def post(
        self, path: str, body: Json | None = None, key: str = "", wait: int = 0
    ) -> httpx.Response:
        """Command; `wait` is for how many seconds the answer may wait for the outcome."""
        headers = {"Idempotency-Key": key or uuid.uuid4().hex}
        headers |= {"Prefer": f"wait={wait}"} if wait else {}
        return self._http.post(path, json=body, headers=headers)

    def create(self, path: str, body: Json) -> Json:
        """Command something that cannot be refused; what was created."""
        answer: Json = self.post(path, body).raise_for_status().json()
        return answer

    def booked_minor(self, account_id: str) -> int:
        """The strong balance."""
        return int(self.get(f"/v1/accounts/{account_id}").raise_for_status().json()["booked_minor"])


class Walk:
    """Two customers with an account each, and what becomes of their money."""

    def __init__(self, bank: Bank) -> None:
        self.bank = bank
        self.staff = Client(bank, "demo-staff", STAFF_SCOPE)
        self.anna, self.bert = self._customer("Anna Muster"), self._customer("Bert Beispiel")
        self.source, self.target = self._account(self.anna), self._account(self.bert)
        self.key = uuid.uuid4().hex

    def checks(self) -> Iterator[Check]:
        """Every station; each relies on those before."""
        stations: list[Callable[[], Check]] = [
            self.deposit,
            self.transfer,
            self.repeat,
            self.overdraw,
            self.trespass,
            self.forget,
        ]
        yield from (station() for station in stations)

    def deposit(self) -> Check:
        """Cash comes in, and the balance knows at once."""
        entry = {"code": "CASH_DEPOSIT", "amount_minor": DEPOSIT_MINOR, "currency": CURRENCY}
        self.staff.create(f"/v1/accounts/{self.source}/entries", entry)
        booked = self.staff.booked_minor(self.source)
        return Check(
            "A deposit is in the balance when it is acknowledged",
            f"{money(DEPOSIT_MINOR)} paid in, the balance says {money(booked)}",
            booked == DEPOSIT_MINOR,
        )

    def transfer(self) -> Check:
        """Money moves, and both histories show it."""
        started = time.monotonic()
        transfer = self._send(TRANSFER_MINOR, self.key).raise_for_status().json()
        seconds = self._seen_by_both(transfer["transfer_id"], started)
        balances = [self.staff.booked_minor(account) for account in (self.source, self.target)]
        moved = balances == [DEPOSIT_MINOR - TRANSFER_MINOR, TRANSFER_MINOR]
        return Check(
            f"A transfer is in both accounts' histories within {BOUND_SECONDS:g}\u00a0s",
            f"{seconds * 1e3:.0f} ms; balances {money(balances[0])} and {money(balances[1])}",
            moved and seconds <= BOUND_SECONDS,
        )

    def repeat(self) -> Check:
        """The same request again finds the first outcome."""
        answers = [self._send(TRANSFER_MINOR, self.key).raise_for_status() for _ in range(2)]
        same = len({answer.json()["transfer_id"] for answer in answers}) == 1
        booked = self.staff.booked_minor(self.target)
        return Check(
            "A request sent three times with one key has one effect",
            f"{'one transfer' if same else 'several transfers'}, {money(booked)} arrived",
            same and booked == TRANSFER_MINOR,
        )

    def overdraw(self) -> Check:
        """What is not there cannot be spent."""
        before = self.staff.booked_minor(self.source)
        answer = self._send(DEPOSIT_MINOR * 10)
        problem = answer.json()
        refused = answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
        untouched = self.staff.booked_minor(self.source) == before
        return Check(
            "Nobody spends what is not there",
            f"{answer.status_code} {problem.get('code')} ({problem.get('reason_code')}), "
            f"balance {'untouched' if untouched else 'CHANGED'}",
            refused and untouched and problem.get("code") == "insufficient-funds",
        )

    def trespass(self) -> Check:
        """Another customer's account does not exist for those who may not see it."""
        bert = Client(self.bank, self.bert, "accounts:read customers:read")
        foreign = bert.get(f"/v1/accounts/{self.source}").status_code
        own = bert.get(f"/v1/accounts/{self.target}").status_code
        return Check(
            "Nobody sees another customer's account",
            f"own account {own}, the other one {foreign}",
            (own, foreign) == (httpx.codes.OK, httpx.codes.NOT_FOUND),
        )

    def forget(self) -> Check:
        """Erasure takes the person and leaves the money."""
        path = f"/v1/customers/{self.anna}"
        known = "personal" in self.staff.get(path).raise_for_status().json()
        erasure = self.staff.post(f"{path}/erasure").raise_for_status().json()["state"]
        left = self.staff.get(path).raise_for_status().json().get("personal")
        booked = self.staff.booked_minor(self.source)
        return Check(
            "An erased customer's data is unreadable, the books are unchanged",
            f"{erasure}, {'nothing' if left is None else 'SOME'} readable, {money(booked)} kept",
            known and left is None and booked == DEPOSIT_MINOR - TRANSFER_MINOR,
        )

    def _customer(self, name: str) -> str:
        email = f"{name.split(maxsplit=1)[0].lower()}@example.com"
        body = {"personal": {"name": name, "email": email}}
        return str(self.staff.create("/v1/customers", body)["customer_id"])

    def _account(self, customer_id: str) -> str:
        body = {"customer_id": customer_id, "currency": CURRENCY}
        return str(self.staff.create("/v1/accounts", body)["account_id"])

    def _send(self, amount_minor: int, key: str = "") -> httpx.Response:
        order = {"source_account_id": self.source, "target_account_id": self.target}
        order_body = {**order, "amount_minor": amount_minor, "currency": CURRENCY}
        return self.staff.post("/v1/transfers", order_body, key, wait=5)

    def _seen_by_both(self, transfer_id: str, started: float) -> float:
        """Seconds until both histories show the transfer; twice the bound when they do not."""
        waiting = {self.source, self.target}
        while waiting and time.monotonic() - started < 2 * BOUND_SECONDS:
            waiting = {account for account in waiting if not self._shows(account, transfer_id)}
            time.sleep(LOOK_SECONDS)
        return time.monotonic() - started

    def _shows(self, account_id: str, transfer_id: str) -> bool:
        page = self.staff.get(f"/v1/accounts/{account_id}/entries", transfer_id=transfer_id)
        return bool(page.raise_for_status().json()["items"])


def money(amount_minor: int) -> str:
    """Minor units of the demo's currency, for people."""
    return f"{amount_minor / 100:,.2f} {CURRENCY}"
