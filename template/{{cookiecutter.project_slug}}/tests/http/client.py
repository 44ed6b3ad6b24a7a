"""What tests do over and over: open, fund, move, read."""

from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import httpx

from ourbank.application.bank import Bank
from ourbank.http.tokens import issue

STAFF = "bank:operate events:read privacy:erase"
CUSTOMER = "customers:read accounts:read transfers:write"


@dataclass(frozen=True)
class Api:
    """The API through the eyes of one caller, staff at first."""

    client: httpx.AsyncClient
    private_key: bytes = field(repr=False)
    bank: Bank
    subject: str = "staff"
    scope: str = STAFF

    def as_(self, subject: str, scope: str = CUSTOMER) -> "Api":
        """Another caller of the same bank."""
        return replace(self, subject=subject, scope=scope)

    @property
    def token(self) -> str:
        return issue(self.private_key, self.subject, self.scope, 60, "bank", "bank")

    async def send(
        self, method: str, path: str, body: Any = None, key: str | None = None, **headers: str
    ) -> httpx.Response:
        """A request with everything a good one has; `key` repeats an earlier one."""
        sent = {"Authorization": f"Bearer {self.token}"}
        if method != "GET":
            sent["Idempotency-Key"] = key or uuid4().hex
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.request(method, path, json=body, headers=sent)

    async def get(self, path: str, **headers: str) -> Any:
        """The members of an answer that must be good."""
        response = await self.send("GET", path, **headers)
        assert response.status_code == 200, response.text
        return response.json()

    async def post(self, path: str, body: Any = None, key: str | None = None) -> httpx.Response:
        """A command that may wait for its end."""
        return await self.send("POST", path, body, key, Prefer="wait=5")

    async def customer(self, name: str = "Anna") -> str:
        personal = {"name": name, "email": "someone@example.com"}
        response = await self.post("/v1/customers", {"personal": personal})
        assert response.status_code == 201, response.text
        return str(response.json()["customer_id"])

    async def account(self, customer_id: str | None = None, funds: int = 0) -> str:
        owner = customer_id or await self.customer()
        body = {"customer_id": owner, "currency": "EUR"}
        response = await self.post("/v1/accounts", body)
        assert response.status_code == 201, response.text
        account_id = str(response.json()["account_id"])
        if funds:
            assert (await self.deposit(account_id, funds)).status_code == 201
        return account_id

    async def deposit(self, account_id: str, amount: int, **members: Any) -> httpx.Response:
        body = {"code": "CASH_DEPOSIT", "amount_minor": amount, "currency": "EUR", **members}
        return await self.post(f"/v1/accounts/{account_id}/entries", body)

    async def transfer(
        self, source: str, target: str, amount: int, key: str | None = None, **members: Any
    ) -> httpx.Response:
        return await self.post("/v1/transfers", order(source, target, amount, **members), key)

    async def balances(self, account_id: str) -> tuple[int, int, int]:
        """Booked, held and available, strongly consistent."""
        found = await self.get(f"/v1/accounts/{account_id}")
        return found["booked_minor"], found["held_minor"], found["available_minor"]


def order(source: str, target: str, amount: int, **members: Any) -> dict[str, Any]:
    """The body of a transfer request."""
    return {
        "source_account_id": source,
        "target_account_id": target,
        "amount_minor": amount,
        "currency": "EUR",
        **members,
    }


def code(response: httpx.Response) -> tuple[int, str]:
    """Status and code of a problem."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    problem = response.json()
    assert problem["status"] == response.status_code
    return response.status_code, problem["code"]
