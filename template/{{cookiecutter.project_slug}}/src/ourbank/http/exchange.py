"""What every request brings and every answer carries, beside its body."""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

import msgspec
from fastapi import Depends
from starlette.responses import Response

from ..application.bank import Bank
from ..application.consistency import NotYetConsistentError, TokenError, positions, token
from ..application.request import Request as Asked
from .call import Call
from .problems import ProblemError
from .security import principal

Found = TypeVar("Found")

WAIT_SECONDS_MAX = 30
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_ETAG = re.compile(r'"([0-9]{1,18})"')
_WAIT = re.compile(r"wait=([0-9]{1,2})")


# What a request brings


def the_bank(call: Call) -> Bank:
    """The bank behind this API."""
    return call.bank


TheBank = Annotated[Bank, Depends(the_bank)]


async def idempotent(call: Call) -> Asked:
    """What comes with a command: who, under which key, what guards it."""
    caller = principal(call)
    client_key = call.header(b"idempotency-key")
    if client_key is None:
        raise ProblemError(400, "idempotency-key-missing", "send an Idempotency-Key header")
    if not _KEY.fullmatch(client_key):
        detail = "the Idempotency-Key must be 1 to 255 printable ASCII characters"
        raise ProblemError(400, "idempotency-key-invalid", detail)
    keys = call.bank.idempotency
    _, canonical = await call.content()
    return Asked(
        actor=caller.subject,
        key=keys.key(caller.subject, client_key),
        fingerprint=keys.fingerprint(call.method, call.scope["path"], canonical),
        if_version=_if_match(call),
        trace_id=call.trace_id,
    )


Command = Annotated[Asked, Depends(idempotent)]


def _if_match(call: Call) -> int | None:
    value = call.header(b"if-match")
    if value is None:
        return None
    match = _ETAG.fullmatch(value)
    if match is None:
        raise ProblemError(400, "invalid-request", 'If-Match must be an ETag such as "7"')
    return int(match[1])


def wait_seconds(call: Call) -> int:
    """`Prefer: wait=N` (RFC 7240), at most WAIT_SECONDS_MAX; other preferences are not ours."""
    match = _WAIT.search(call.header(b"prefer") or "")
    return min(int(match[1]), WAIT_SECONDS_MAX) if match else 0


WaitSeconds = Annotated[int, Depends(wait_seconds)]


def seen(call: Call) -> dict[int, int]:
    """The positions in the Consistency-Token, none without one."""
    text = call.header(b"consistency-token")
    if text is None:
        return {}
    try:
        log = call.bank.log
        return positions(log.incarnation, log.partition_count, text)
    except TokenError:
        detail = "the Consistency-Token is not one of this bank, or from before a restore"
        raise ProblemError(400, "consistency-token-invalid", detail) from None


Seen = Annotated[dict[int, int], Depends(seen)]


async def as_seen(
    bank: Bank,
    read_model: str,
    seen: Mapping[int, int],
    seconds: float,
    read: Callable[[], Awaitable[Found]],
) -> Found:
    """What is read when a read model has come as far as the caller has seen; ProblemError 409."""
    try:
        return await bank.freshness.read(read_model, seen, seconds, read)
    except NotYetConsistentError:
        raise ProblemError(
            409,
            "not-yet-consistent",
            "not as far as the token yet: retry, or send Prefer: wait=2",
            headers={"Retry-After": "1"},
        ) from None


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


def plain(content: Any) -> Response:
    """A JSON answer that speaks of no position."""
    return Response(msgspec.json.encode(content), media_type="application/json")


def page(call: Call, items: list[Any], cursor: str | None, at: Mapping[int, int]) -> Response:
    """One page of a list; the link to the next one keeps the filters."""
    link = None
    if cursor is not None:
        following = urlencode(call.query | {"cursor": cursor})
        link = f'<{call.scope["path"]}?{following}>; rel="next"'
    return answer(call.bank, {"items": items, "next": cursor}, at=at, link=link)
