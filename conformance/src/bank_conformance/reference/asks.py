"""What every route shares: the caller, the key, the body, pages, waiting, and refusals as
problems.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bank_conformance.bank.routes import ROUTES

from .accounts import Account
from .bank import Bank
from .bodies import Given, parse
from .problems import RefusalError
from .security import CONTENT_BYTES_MAX, Caller

LIMIT_DEFAULT, LIMIT_MAX, WAIT_SECONDS_MAX, KEY_MAX = 100, 1000, 30, 255


@dataclass(frozen=True, slots=True)
class Ask:
    """A call by a known caller."""

    bank: Bank
    request: Request
    caller: Caller
    content: bytes = b""

    def body(self, shape: type[Given]) -> Given:
        """Return the body, or refuse (400)."""
        return parse(self.content, shape)

    def path(self, name: str) -> str:
        """Return a part of the path."""
        return str(self.request.path_params[name])

    def account(self, scope: str | None = None) -> Account:
        """Return the account of the path for those who may see it: its owner with `scope`, staff.

        Staff only without `scope`. A foreign account is as if it did not exist.
        """
        if scope is None:
            self.require_staff()
        account = self.bank.accounts.find(self.path("account_id"))
        if scope is not None:
            self.bank.doors.require_access(self.caller, scope, account.customer_id)
        self.check_version(account)
        return account

    def check_version(self, account: Account) -> None:
        """Refuse (412) when the account moved since the version in If-Match."""
        expected = self.request.headers.get("if-match")
        if expected is not None and expected != f'"{account.version}"':
            raise RefusalError(412, "version-moved", version=account.version)

    def require_staff(self) -> None:
        """Refuse (403) everyone but staff."""
        self.bank.doors.require(self.caller, "bank:operate")

    @property
    def wait_seconds(self) -> int:
        """How long the caller is ready to wait for the end of a transfer."""
        value = self.request.headers.get("prefer", "").removeprefix("wait=")
        return min(int(value), WAIT_SECONDS_MAX) if value.isdigit() else 0

    def page(self, items: Sequence[dict[str, Any]], key: str) -> Response:
        """Return the page of `items` after the cursor, which is the key of the last one given."""
        limit = _limit(self.request.query_params.get("limit"))
        cursor = self.request.query_params.get("cursor")
        keys = [str(item[key]) for item in items]
        if cursor is not None and cursor not in keys:
            raise RefusalError(400, "invalid-cursor")
        first = keys.index(cursor) + 1 if cursor is not None else 0
        page = list(items[first : first + limit])
        more = first + limit < len(items)
        return JSONResponse({"items": page, "next": str(page[-1][key]) if more else None})


def _limit(given: str | None) -> int:
    if given is None:
        return LIMIT_DEFAULT
    if not given.isdigit() or not 1 <= int(given) <= LIMIT_MAX:
        raise RefusalError(400, "invalid-limit")
    return int(given)


Handler = Callable[[Ask], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A route of the contract and what answers it; `query` names the parameters it knows."""

    name: str
    handler: Handler
    query: frozenset[str] = frozenset()

    async def __call__(self, request: Request) -> Response:
        """Answer a call."""
        bank: Bank = request.app.state.bank
        try:
            answer = await self._answer(bank, request)
        except RefusalError as refusal:
            answer = refusal.response()
        answer.headers["Consistency-Token"] = str(bank.log.count())
        return answer

    async def _answer(self, bank: Bank, request: Request) -> Response:
        caller = bank.doors.caller(request)
        unknown = set(request.query_params) - self.query
        if unknown:
            raise RefusalError(400, "unknown-parameter", ", ".join(sorted(unknown)))
        if not ROUTES[self.name].writes:
            return await self.handler(Ask(bank, request, caller))
        content = await _content(request)
        ask = Ask(bank, request, caller, content)
        fingerprint = f"{request.method} {request.url.path}".encode() + content
        key = (caller.subject, _key(request))
        return await bank.outcomes.run(key, fingerprint, lambda: _settled(self.handler, ask))


async def _settled(handler: Handler, ask: Ask) -> Response:
    """Return the answer, also where it is a refusal: both are kept under the key."""
    try:
        return await handler(ask)
    except RefusalError as refusal:
        return refusal.response()


async def _content(request: Request) -> bytes:
    content = b""
    async for chunk in request.stream():
        content += chunk
        if len(content) > CONTENT_BYTES_MAX:
            raise RefusalError(413, "body-too-large")
    return content


def _key(request: Request) -> str:
    key = request.headers.get("idempotency-key", "")
    if not key or len(key) > KEY_MAX:
        raise RefusalError(400, "idempotency-key-missing")
    return key


def done(account: Account) -> Response:
    """Return the empty answer of a command, with the account's version."""
    return Response(status_code=204, headers={"ETag": f'"{account.version}"'})


def found(view: dict[str, Any], status: int = 200) -> Response:
    """Return a resource with its version."""
    return JSONResponse(view, status, headers={"ETag": f'"{view["version"]}"'})


async def wait_for(event: asyncio.Event, seconds: int) -> None:
    """Wait for an event, at most so long."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
