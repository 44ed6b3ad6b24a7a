"""A request as the routes of this bank see it: its head as a table, its body read once, within
bounds, and strictly.
"""

import asyncio
import json
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from fastapi import Request
from starlette.types import Receive, Scope

from ..application.bank import Bank
from .problems import ProblemError
from .tokens import Principal

BODY_BYTES_MAX = 1 << 20
BODY_SECONDS_MAX = 10.0


class Call(Request):
    """One request; nothing of its body is read before somebody asks for it."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        super().__init__(scope, receive)
        self._head: dict[bytes, bytes] = dict(reversed(scope["headers"]))  # the first one counts
        self._content: tuple[Any, bytes] | None = None
        self.caller: Principal | None = None  # security.principal() finds out

    @property
    def bank(self) -> Bank:
        """The bank behind this API."""
        bank: Bank = self.app.state.bank
        return bank

    @property
    def trace_id(self) -> str:
        """The id under which this request is logged."""
        found: str = self.scope["trace_id"]
        return found

    @cached_property
    def query(self) -> dict[str, str]:
        """The query's parameters; of one that comes twice, the last."""
        return dict(parse_qsl(self.scope["query_string"].decode("latin-1"), keep_blank_values=True))

    def header(self, name: bytes) -> str | None:
        """A header by its name in lower case, None without one."""
        value = self._head.get(name)
        return None if value is None else value.decode("latin-1")

    async def content(self) -> tuple[Any, bytes]:
        """What JSON the body holds, and the one spelling for all ways to write it: None and no
        bytes without a body; ProblemError 400, 408 or 413.
        """
        if self._content is None:
            self._content = _parsed(await self._read())
        return self._content

    async def _read(self) -> bytes:
        body = b""
        is_whole = False
        try:
            async with asyncio.timeout(BODY_SECONDS_MAX):
                while not is_whole:
                    message = await self.receive()
                    if message["type"] == "http.disconnect":
                        raise ProblemError(400, "invalid-request", "the body broke off")
                    body += message.get("body", b"")
                    if len(body) > BODY_BYTES_MAX:
                        detail = f"the body is larger than {BODY_BYTES_MAX} bytes"
                        raise ProblemError(413, "body-too-large", detail)
                    is_whole = not message.get("more_body", False)
        except TimeoutError:
            raise ProblemError(408, "body-too-slow", "the body took too long to arrive") from None
        return body


def _parsed(body: bytes) -> tuple[Any, bytes]:
    """As RFC 8259 means it: no member twice, no NaN, no bottomless nesting."""
    if not body:
        return None, b""
    try:
        parsed = _STRICT.decode(body.decode())
        return parsed, msgspec.json.encode(parsed, order="deterministic")
    except UnicodeError:
        detail = "the body holds text that is not Unicode"
    except RecursionError:
        detail = "the body is nested too deeply"
    except (ValueError, OverflowError) as error:
        detail = f"the body is not JSON: {error}"
    raise ProblemError(400, "invalid-json", detail)


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member appears twice")
    return members


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


_STRICT = json.JSONDecoder(object_pairs_hook=_pairs, parse_constant=_no_constant)
