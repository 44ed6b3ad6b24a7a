"""The stub over HTTP: as much of the contract as the harness uses, no more."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .faults import Dice, Faults
from .ledger import Account, Ledger, RefusedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    Handler = Callable[[Request], Awaitable[Response]]

CREATED, BAD_REQUEST, UNAUTHORIZED, CONFLICT, UNAVAILABLE = 201, 400, 401, 409, 503


class Stub:
    """The contract's handlers over one ledger."""

    def __init__(self, faults: Faults) -> None:
        self.faults, self.dice = faults, Dice(faults)
        self.ledger = Ledger(faults.visible_after_seconds)
        self.outcomes: dict[str, tuple[int, dict[str, Any]]] = {}

    def app(self) -> Starlette:
        """The ASGI application."""
        routes = [
            Route("/health/ready", self.ready),
            Route("/v1/customers", self.guard(self.register), methods=["POST"]),
            Route("/v1/accounts", self.guard(self.open), methods=["POST"]),
            Route("/v1/accounts", self.guard(self.list_accounts)),
            Route("/v1/accounts/{id}", self.guard(self.show)),
            Route("/v1/accounts/{id}/entries", self.guard(self.post), methods=["POST"]),
            Route("/v1/accounts/{id}/entries", self.guard(self.history)),
            Route("/v1/transfers", self.guard(self.transfer), methods=["POST"]),
            Route("/v1/transfers/{id}", self.guard(self.status)),
        ]
        return Starlette(routes=routes)

    def guard(self, handler: Handler) -> Handler:
        """Wait out a stall, ask for a token, and turn refusals into problems."""

        async def guarded(request: Request) -> Response:
            await asyncio.sleep(self.dice.stall_seconds())
            if not request.headers.get("authorization", "").startswith("Bearer "):
                return _problem("unauthorized", UNAUTHORIZED)
            try:
                return await handler(request)
            except RefusedError as refusal:
                return _problem(refusal.code, refusal.status)
            except (KeyError, TypeError, ValueError, ClientDisconnect):
                return _problem("malformed-request", BAD_REQUEST)

        return guarded

    async def ready(self, _: Request) -> Response:
        """It serves."""
        return JSONResponse({"status": "ok"})

    async def register(self, request: Request) -> Response:
        """Register a customer."""
        body = await request.json()
        return self._once(request, lambda: self.ledger.register(body["personal"]))

    async def open(self, request: Request) -> Response:
        """Open an account."""
        body = await request.json()
        return self._once(request, lambda: self.ledger.open(body))

    async def post(self, request: Request) -> Response:
        """Book an entry, or forget to."""
        body = await request.json()
        if self.dice.strikes(self.faults.forgotten_share):
            return JSONResponse({"account_id": request.path_params["id"]}, CREATED)
        return self._once(request, lambda: self.ledger.post(request.path_params["id"], body))

    async def transfer(self, request: Request) -> Response:
        """Move money, with whatever fault the dice choose."""
        body = await request.json()
        self.dice.arm()
        await asyncio.sleep(self.dice.stall_seconds())
        if self.dice.strikes(self.faults.refused_share):
            raise RefusedError("account-blocked")
        if self.dice.strikes(self.faults.silent_share):
            return JSONResponse({"transfer_id": f"trf_{0:032x}", "state": "COMPLETED"}, CREATED)
        answer = self._once(request, lambda: self.ledger.transfer(body))
        if self.dice.strikes(self.faults.dangling_share):
            self.ledger.accounts[body["source_account_id"]].held_minor += body["amount_minor"]
        lost = self.dice.strikes(self.faults.lost_share)
        return _problem("unavailable", UNAVAILABLE) if lost else answer

    async def show(self, request: Request) -> Response:
        """The account, strongly consistent."""
        return JSONResponse(self.ledger.account(request.path_params["id"]).balances())

    async def list_accounts(self, request: Request) -> Response:
        """A page of accounts, ordered by id."""
        first = request.query_params.get("cursor", "")
        limit = int(request.query_params.get("limit", "100"))
        ids = sorted(each for each in self.ledger.accounts if each > first)
        items = [self.ledger.accounts[each].balances() for each in ids[:limit]]
        return JSONResponse({"items": items, "next": ids[limit - 1] if ids[limit:] else None})

    async def history(self, request: Request) -> Response:
        """A page of entries that are visible by now, or nothing from a bad replica."""
        account = self.ledger.account(request.path_params["id"])
        now = await self._caught_up(request, account)
        if now is None:
            return _problem("not-yet-consistent", CONFLICT)
        if self.dice.strikes(self.faults.flapping_share):
            return JSONResponse({"items": [], "next": None})
        return JSONResponse(_page(account, request, now))

    async def status(self, request: Request) -> Response:
        """The transfer, strongly consistent."""
        transfer = self.ledger.transfers.get(request.path_params["id"])
        if transfer is None:
            raise RefusedError("transfer-not-found", 404)
        return JSONResponse(transfer)

    async def _caught_up(self, request: Request, account: Account) -> float | None:
        """The moment to read at: at or after what the consistency token names, else None."""
        token = float(request.headers.get("consistency-token", "0"))
        due = max([at for at in account.visible_at if at <= token], default=0.0)
        patience = float(request.headers.get("prefer", "wait=0").removeprefix("wait="))
        behind = due - time.monotonic()
        if behind > patience:
            return None
        await asyncio.sleep(max(0.0, behind))
        return max(due, time.monotonic())

    def _once(self, request: Request, effect: Callable[[], dict[str, Any]]) -> Response:
        """Do `effect` once per idempotency key; a repeat gets the stored outcome."""
        key = request.headers["idempotency-key"]
        if key not in self.outcomes or self.faults.deaf_to_keys:
            try:
                self.outcomes[key] = (CREATED, effect())
            except RefusedError as refusal:
                self.outcomes[key] = (refusal.status, {"code": refusal.code})
        status, body = self.outcomes[key]
        token = time.monotonic() + self.faults.visible_after_seconds
        return JSONResponse(body, status, headers={"Consistency-Token": f"{token:.6f}"})


def _page(account: Account, request: Request, now: float) -> dict[str, Any]:
    after = int(request.query_params.get("cursor", "0"))
    limit = int(request.query_params.get("limit", "100"))
    wanted = request.query_params.get("transfer_id")
    seen = zip(account.entries, account.visible_at, strict=True)
    visible = [entry for entry, at in seen if at <= now]
    chosen = [each for each in visible if wanted is None or each["transfer_id"] == wanted]
    items = [each for each in chosen if each["sequence"] > after][:limit]
    more = bool(items) and items[-1]["sequence"] < len(visible) and len(items) == limit
    return {"items": items, "next": str(items[-1]["sequence"]) if more else None}


def _problem(code: str, status: int) -> Response:
    body = {"type": "about:blank", "title": code, "status": status, "code": code}
    return JSONResponse(body, status, media_type="application/problem+json")
