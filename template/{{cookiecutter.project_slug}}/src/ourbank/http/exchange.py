"""What every request brings and every answer carries, beside its body."""

import json
import re
from collections.abc import Callable, Coroutine, Mapping
from typing import Annotated, Any

import msgspec
from fastapi import Depends, Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from ..application.bank import Bank
from ..application.consistency import NotYetConsistentError, TokenError, positions, token
from ..application.request import Request as Asked
from .problems import ProblemError
from .security import Caller

WAIT_SECONDS_MAX = 30
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_ETAG = re.compile(r'"([0-9]{1,18})"')
_WAIT = re.compile(r"wait=([0-9]{1,2})")


def bank_of(request: Request) -> Bank:
    """The bank behind this API."""
    bank: Bank = request.app.state.bank
    return bank


async def the_bank(request: Request) -> Bank:
    """The same as a dependency: one that is not async would take a turn through a thread."""
    return bank_of(request)


TheBank = Annotated[Bank, Depends(the_bank)]


# What a request brings


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member appears twice")
    return members


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


class StrictRequest(Request):
    """Reads JSON as RFC 8259 means it: no member twice, no NaN, no bottomless nesting."""

    async def json(self) -> Any:
        """The body; ProblemError 400 when it is not JSON."""
        if not hasattr(self, "_json"):
            self._json, self._canonical = _parsed(await self.body())
        return self._json

    async def canonical(self) -> bytes:
        """The body in one spelling for all ways to write it; empty without one."""
        if not await self.body():
            return b""
        await self.json()
        return self._canonical


def _parsed(body: bytes) -> tuple[Any, bytes]:
    try:
        parsed = json.loads(body, object_pairs_hook=_pairs, parse_constant=_no_constant)
        return parsed, msgspec.json.encode(parsed, order="deterministic")
    except UnicodeError:
        detail = "the body holds text that is not Unicode"
    except RecursionError:
        detail = "the body is nested too deeply"
    except (ValueError, OverflowError) as error:
        detail = f"the body is not JSON: {error}"
    raise ProblemError(400, "invalid-json", detail)


class StrictRoute(APIRoute):
    """Refuses query parameters that the route does not know, and reads bodies strictly."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with both checks before it."""
        handler = super().get_route_handler()
        known = {p.alias for p in self.dependant.query_params}

        async def strict(request: Request) -> Response:
            for name in request.query_params:
                if name not in known:
                    raise ProblemError(
                        400,
                        "invalid-request",
                        "an unknown query parameter",
                        errors=[{"pointer": f"query/{name}"[:80], "detail": "unknown"}],
                    )
            return await handler(StrictRequest(request.scope, request.receive))

        return strict


async def idempotent(request: StrictRequest, caller: Caller) -> Asked:
    """What comes with a command: who, under which key, what guards it."""
    client_key = request.headers.get("idempotency-key")
    if client_key is None:
        raise ProblemError(400, "idempotency-key-missing", "send an Idempotency-Key header")
    if not _KEY.fullmatch(client_key):
        detail = "the Idempotency-Key must be 1 to 255 printable ASCII characters"
        raise ProblemError(400, "idempotency-key-invalid", detail)
    keys = bank_of(request).idempotency
    return Asked(
        actor=caller.subject,
        key=keys.key(caller.subject, client_key),
        fingerprint=keys.fingerprint(request.method, request.url.path, await request.canonical()),
        if_version=_if_match(request),
        trace_id=trace_id(request),
    )


Command = Annotated[Asked, Depends(idempotent)]


def _if_match(request: Request) -> int | None:
    value = request.headers.get("if-match")
    if value is None:
        return None
    match = _ETAG.fullmatch(value)
    if match is None:
        raise ProblemError(400, "invalid-request", 'If-Match must be an ETag such as "7"')
    return int(match[1])


async def wait_seconds(request: Request) -> int:
    """`Prefer: wait=N` (RFC 7240), at most WAIT_SECONDS_MAX; other preferences are not ours."""
    match = _WAIT.search(request.headers.get("prefer", ""))
    return min(int(match[1]), WAIT_SECONDS_MAX) if match else 0


WaitSeconds = Annotated[int, Depends(wait_seconds)]


async def seen(request: Request) -> dict[int, int]:
    """The positions in the Consistency-Token, none without one."""
    text = request.headers.get("consistency-token")
    if text is None:
        return {}
    try:
        return positions(bank_of(request).log.incarnation, text)
    except TokenError:
        detail = "the Consistency-Token is not one of this bank, or from before a restore"
        raise ProblemError(400, "consistency-token-invalid", detail) from None


Seen = Annotated[dict[int, int], Depends(seen)]


async def catch_up(bank: Bank, read_model: str, partition: int, seen: Seen, seconds: float) -> None:
    """Wait until a read model has come as far as the caller has seen; ProblemError 409."""
    position = seen.get(partition, 0)
    if bank.freshness.position(read_model, partition) >= position:
        return
    try:
        await bank.freshness.wait(read_model, partition, position, seconds)
    except NotYetConsistentError:
        raise ProblemError(
            409,
            "not-yet-consistent",
            "not as far as the token yet: retry, or send Prefer: wait=2",
            headers={"Retry-After": "1"},
        ) from None


def trace_id(request: Request) -> str:
    """The id under which this request is logged."""
    found: str = request.scope.get("trace_id", "")
    return found


# What an answer carries


def answer(
    bank: Bank,
    content: Any,
    status: int = 200,
    *,
    at: Mapping[int, int],
    version: int | None = None,
    location: str | None = None,
    replayed: bool = False,
    link: str | None = None,
) -> Response:
    """A JSON answer; `at` are the positions it speaks of."""
    headers = {"Consistency-Token": token(bank.log.incarnation, at)}
    if version is not None:
        headers["ETag"] = f'"{version}"'
    if location is not None:
        headers["Location"] = location
    if replayed:
        headers["Idempotency-Replayed"] = "true"
    if link is not None:
        headers["Link"] = link
    if content is None:
        return Response(None, status, headers)
    return Response(msgspec.json.encode(content), status, headers, "application/json")


def page(
    bank: Bank, request: Request, items: list[Any], cursor: str | None, at: Mapping[int, int]
) -> Response:
    """One page of a list; the link keeps the filters."""
    link = None
    if cursor is not None:
        link = f'<{request.url.include_query_params(cursor=cursor)}>; rel="next"'
    return answer(bank, {"items": items, "next": cursor}, at=at, link=link)
