"""What every route shares: the caller, the key, the body, pages, waiting, and refusals as
problems.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from bank_conformance.bank.routes import ROUTES

from .accounts import Account
from .bank import Bank
from .bodies import Given
from .idempotency import Outcome
from .problems import RefusalError
from .queries import check
from .security import Caller

ADDRESS: ContextVar[str] = ContextVar("address", default="")
"""Where the present call came in. Replicas would have a process each: what such a process would
keep for itself hangs on this."""

LIMIT_DEFAULT, WAIT_SECONDS_MAX, KEY_MAX = 100, 30, 255


@dataclass(frozen=True, slots=True)
class Ask:
    """A call by a known caller."""

    bank: Bank
    request: Request
    caller: Caller
    content: bytes = b""
    outcome: Outcome | None = None
    """Of a command: what becomes of it under its key."""

    @property
    def begun(self) -> str | None:
        """The transfer that this command has begun, where a crash came before its answer."""
        return self.outcome.transfer_id if self.outcome else None

    def begin(self, transfer_id: str) -> None:
        """Keep which transfer this command has begun, in one with its effect."""
        if self.outcome is not None:  # a read begins nothing
            self.outcome.transfer_id = transfer_id
            self.bank.outcomes.keep(self.outcome)
            self.bank.disk.commit()

    def body(self, shape: type[Given]) -> Given:
        """Return the body, or refuse (400)."""
        return self.bank.forms.read(self.content, shape)

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
        if expected is not None and not re.fullmatch('"[0-9]{1,18}"', expected):
            raise RefusalError(400, "invalid-if-match")
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

    async def caught_up(self) -> None:
        """Wait until the read model is no older than the caller's token, or refuse (409)."""
        token = self.request.headers.get("consistency-token")
        if token is None:
            return
        if not token.isdecimal() or int(token) > self.bank.log.count():
            raise RefusalError(400, "invalid-consistency-token")
        await self.bank.histories.catch_up(int(token), self.wait_seconds)

    def page(self, items: Sequence[dict[str, Any]], key: str) -> Response:
        """Return the page of `items` after the cursor."""
        limit = int(self.request.query_params.get("limit", LIMIT_DEFAULT))
        keys = [str(item[key]) for item in items]
        page = self.bank.pages.cut(keys, self.request.query_params.get("cursor"), limit)
        return JSONResponse({"items": list(items[page.first : page.end]), "next": page.cursor})


Handler = Callable[[Ask], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A route of the contract and what answers it; `query` names the parameters it knows."""

    name: str
    handler: Handler
    query: frozenset[str] = frozenset()

    async def __call__(self, request: Request) -> Response:
        """Answer a call."""
        ADDRESS.set(str(request.scope["server"]))
        bank: Bank = request.app.state.bank
        try:
            answer = await self._answer(bank, request)
        except RefusalError as refusal:
            answer = refusal.response()
        except ClientDisconnect:
            answer = Response(status_code=400)  # nobody is there to read it
        answer.headers["Consistency-Token"] = str(bank.log.count())
        return answer

    async def _answer(self, bank: Bank, request: Request) -> Response:
        caller = bank.doors.caller(request)
        check(request.query_params.multi_items(), self.query)
        content = await bank.intake.read(request)
        ask = Ask(bank, request, caller, content)
        if not ROUTES[self.name].writes:
            return await self.handler(ask)
        asked = f"{request.method} {request.url.path}".encode() + content
        key = (caller.subject, _key(request))

        async def command(outcome: Outcome) -> Response:
            """Return the answer, also where it is a refusal: both are kept under the key."""
            try:
                return await self.handler(replace(ask, outcome=outcome))
            except RefusalError as refusal:
                return refusal.response()

        return await bank.outcomes.run(key, sha256(asked).hexdigest(), command)


def _key(request: Request) -> str:
    key = request.headers.get("idempotency-key", "")
    if not key or len(key) > KEY_MAX or not all("!" <= one <= "~" for one in key):
        raise RefusalError(400, "invalid-idempotency-key")
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
