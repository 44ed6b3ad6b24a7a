"""The HTTP client of the suite: every call goes through here, and every call is recorded."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import httpx

from .bank.routes import ROUTES
from .history import Answer, Call, History, Operation, now, parse_json
from .target import Target
from .tokens import Principal, Tokens

CONNECTIONS_MAX = 48
IDLE_SECONDS_MAX = 2.0
"""Shorter than the five seconds after which most servers hang up, so that none does so on us."""


class Connections:
    """Connections to a target, each a client of its own; the one used last is used next.

    httpx's pool inspects every connection for every request, which costs more than the request
    itself once there are dozens. A client with one connection has nothing to inspect.
    """

    def __init__(self, base_url: str, timeout_seconds: float) -> None:
        tls = httpx.create_ssl_context()
        limits = httpx.Limits(max_connections=1, keepalive_expiry=IDLE_SECONDS_MAX)
        self._all = [
            httpx.AsyncClient(
                base_url=base_url,
                timeout=timeout_seconds,
                limits=limits,
                verify=tls,
                trust_env=False,
            )
            for _ in range(CONNECTIONS_MAX)
        ]
        self._free: asyncio.LifoQueue[httpx.AsyncClient] = asyncio.LifoQueue()
        for http in self._all:
            self._free.put_nowait(http)

    @asynccontextmanager
    async def one(self) -> AsyncIterator[httpx.AsyncClient]:
        """Lend a connection, waiting for one if all are in use."""
        http = await self._free.get()
        try:
            yield http
        finally:
            self._free.put_nowait(http)

    async def close(self) -> None:
        """Close them all."""
        for http in self._all:
            await http.aclose()


@dataclass(slots=True)
class Client:
    """Calls a target and records the calls in the history of the present workload."""

    connections: Connections
    tokens: Tokens
    prefix: str
    history: History = field(default_factory=lambda: History("set-up"))
    patience: float | None = None
    """How many seconds to wait for an answer; None for the target's own limit."""
    _keys: Iterator[int] = field(default_factory=itertools.count)

    @classmethod
    def of(cls, target: Target, tokens: Tokens, prefix: str) -> Self:
        """Return a client of `target`; names that it makes up begin with `prefix`."""
        seconds = target.limits.request_seconds * target.limits.time_scale
        return cls(Connections(target.base_url, seconds), tokens, prefix)

    async def __aenter__(self) -> Self:
        """Give the client to those who close it in the end."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connections."""
        await self.connections.close()

    def fresh_key(self) -> str:
        """Return an idempotency key that no run has used."""
        return f"{self.prefix}-{next(self._keys)}"

    @contextmanager
    def giving_up_after(self, seconds: float) -> Iterator[None]:
        """Wait no longer than this for any answer, while inside."""
        self.patience = seconds
        try:
            yield
        finally:
            self.patience = None

    async def call(
        self,
        session: str,
        principal: Principal,
        route_name: str,
        path: Mapping[str, str],
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> Operation:
        """Call a route and record the interval and the answer.

        `content` is a body to send as it is; a header that is given replaces the one made here.

        Raises:
            TokenError: no token could be made for `principal`.
        """
        route = ROUTES[route_name]
        sent = dict(headers or {})
        if authorization := await self.tokens.header(principal):
            sent["Authorization"] = authorization
        if route.writes:
            key = key or self.fresh_key()
            sent.setdefault("Idempotency-Key", key)
        url = _url(route.path.format(**path), query or {})
        if content is not None:
            body = content.decode(errors="replace")
            sent["Content-Type"] = "application/json"
        call = Call(route.name, route.method, url, principal.label, key, body)
        return await self._exchange(session, call, sent, content)

    async def _exchange(
        self, session: str, call: Call, headers: dict[str, str], content: bytes | None
    ) -> Operation:
        history = self.history
        timeout = httpx.USE_CLIENT_DEFAULT if self.patience is None else self.patience
        async with self.connections.one() as http:
            invoked = now()
            try:
                response = await http.request(
                    call.method, call.url, headers=headers, timeout=timeout, **_body(call, content)
                )
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                return history.append(session, call, invoked, None, _names(error))
            return history.append(session, call, invoked, _answer(response))


def _body(call: Call, content: bytes | None) -> dict[str, Any]:
    return {"json": call.body} if content is None else {"content": content}


def _url(path: str, query: Mapping[str, Any]) -> str:
    given = {name: value for name, value in query.items() if value is not None}
    return str(httpx.URL(path, params=given)) if given else path


def _answer(response: httpx.Response) -> Answer:
    text = response.text
    return Answer(response.status_code, dict(response.headers), text, parse_json(text))


def _names(error: Exception) -> str:
    kind = "timeout" if isinstance(error, httpx.TimeoutException) else type(error).__name__
    return f"{kind}: {error}" if str(error) else kind
