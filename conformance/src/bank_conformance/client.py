"""The HTTP client of the suite: every call goes through here, and every call is recorded."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Self

import httpx

from .bank.routes import ROUTES
from .fetch import fetch
from .history import Answer, Call, History, Operation, Sent, now
from .mapping import (
    Adapter,
    AdapterError,
    Asked,
    NotOfferedError,
    Send,
    Spoil,
    UnclearError,
    Wire,
)
from .target import Target
from .tokens import Principal, Tokens

CONNECTIONS_MAX, CONNECTIONS_ELSEWHERE = 48, 4
IDLE_SECONDS_MAX = 2.0
"""Shorter than the five seconds after which most servers hang up, so that none does so on us."""


class Connections:
    """Connections to a target, each a client of its own; the one used last is used next.

    httpx's pool inspects every connection for every request, which costs more than the request
    itself once there are dozens. A client with one connection has nothing to inspect.
    """

    def __init__(self, base_url: str, count: int = CONNECTIONS_MAX) -> None:
        tls = httpx.create_ssl_context()
        limits = httpx.Limits(max_connections=1, keepalive_expiry=IDLE_SECONDS_MAX)
        self._all = [
            httpx.AsyncClient(
                base_url=base_url,
                limits=limits,
                verify=tls,
                trust_env=False,
            )
            for _ in range(count)
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
    seconds: float
    """How long an answer may take."""
    adapter: Adapter = field(default_factory=Adapter)
    history: History = field(default_factory=lambda: History("set-up"))
    patience: float | None = None
    """How many seconds to wait for an answer instead; None for no other limit."""
    _keys: Iterator[int] = field(default_factory=itertools.count)

    @classmethod
    def of(cls, target: Target, tokens: Tokens, prefix: str) -> Self:
        """Return a client of `target`; names that it makes up begin with `prefix`."""
        seconds = target.limits.request_seconds * target.limits.time_scale
        return cls(Connections(target.base_url), tokens, prefix, seconds, target.adapter)

    def elsewhere(self, base_url: str) -> Self:
        """Return a client of the same bank at another address, which the caller closes."""
        return replace(self, connections=Connections(base_url, CONNECTIONS_ELSEWHERE))

    async def __aenter__(self) -> Self:
        """Give the client to those who close it in the end."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connections."""
        await self.connections.close()

    def fresh_key(self) -> str:
        """Return an idempotency key that no run has used."""
        return f"{self.prefix}-{next(self._keys)}"

    def can_ask(
        self, route: str, path: Mapping[str, str], query: Mapping[str, Any] | None, body: Any
    ) -> bool:
        """Say whether this bank can be asked something at all."""
        return self.adapter.request(Asked(ROUTES[route], path, query or {}, body)) is not None

    def asks(self, route: str, parts: Mapping[str, Any], *, not_: Mapping[str, Any]) -> bool:
        """Say whether this bank can be asked one thing, and is thereby asked something else."""
        one, other = (Asked(ROUTES[route], **given) for given in (parts, not_))
        return self.adapter.request(one) is not None and self.adapter.distinguishes(one, other)

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
        spoil: Spoil | None = None,
    ) -> Operation:
        """Call a route and record the interval and the answer.

        `spoil` is what the body is put through once it is written; a header that is given replaces
        the one made here.

        Raises:
            TokenError: no token could be made for `principal`.
            NotOfferedError: a bank of another shape cannot be asked this.
            AdapterError: the target's own adapter failed.
        """
        route = ROUTES[route_name]
        sent = dict(headers or {})
        if authorization := await self.tokens.header(principal):
            sent["Authorization"] = authorization
        if route.writes:
            key = key or self.fresh_key()
            sent.setdefault("Idempotency-Key", key)
        asked = Asked(route, path, query or {}, body, sent, spoil)
        if spoil is not None:
            body = _spoilt(body, spoil).decode(errors="replace")
        call = Call(route.name, route.method, asked.url, principal.label, key, body)
        return await self._exchange(session, call, asked)

    async def _exchange(self, session: str, call: Call, asked: Asked) -> Operation:
        history, sent = self.history, list[Sent]()
        async with self.connections.one() as http:
            invoked = now()
            try:
                answer = await self.adapter.exchange(asked, self._sender(http, sent))
            except (httpx.HTTPError, httpx.InvalidURL, UnclearError) as error:
                wire = _unlike(call, sent)
                return history.append(session, call, invoked, None, _names(error), sent=wire)
            except Exception as error:
                if not self.adapter.translates:
                    raise
                raise AdapterError(f"the adapter failed at {call.route}: {error!r}") from error
            if answer is None:
                raise NotOfferedError(f"the bank does not offer: {call.route}")
            return history.append(session, call, invoked, answer, sent=_unlike(call, sent))

    def _sender(self, http: httpx.AsyncClient, sent: list[Sent]) -> Send:
        """Return what sends a request and notes that it did."""
        seconds = self.seconds if self.patience is None else self.patience

        async def send(wire: Wire) -> Answer:
            sent.append(Sent(wire.method, wire.url, wire.body, 0))
            answer = await fetch(http, wire.method, wire.url, seconds, **_parts(wire))
            sent[-1] = replace(sent[-1], status=answer.status)
            return answer

        return send


def _parts(wire: Wire) -> dict[str, Any]:
    """Return the headers and the body as httpx takes them."""
    if wire.spoil is None:
        return {"headers": dict(wire.headers), "json": wire.body}
    headers = {**wire.headers, "Content-Type": "application/json"}
    return {"headers": headers, "content": _spoilt(wire.body, wire.spoil)}


def _spoilt(body: Any, spoil: Spoil) -> bytes:
    return spoil(json.dumps(body).encode())


def _unlike(call: Call, sent: list[Sent]) -> tuple[Sent, ...]:
    """Return what was sent, unless it was just the call."""
    if len(sent) == 1 and (sent[0].method, sent[0].url) == (call.method, call.url):
        return ()
    return tuple(sent)


def _names(error: Exception) -> str:
    kind = "timeout" if isinstance(error, httpx.TimeoutException) else type(error).__name__
    return f"{kind}: {error}" if str(error) else kind
