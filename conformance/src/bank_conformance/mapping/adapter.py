"""How a bank wants to be asked: the seam between the contract and what goes over the wire.

Everything above the client asks as the contract says and reads what the contract says. An `Adapter`
turns a call into the request that this bank understands, and its answer into the contract's. The
one here changes nothing; `Mapped` follows a mapping file, and a target may bring a class of its
own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from bank_conformance.bank.routes import Route
from bank_conformance.history import Answer

Spoil = Callable[[bytes], bytes]
"""Makes a body that no encoder would write out of one that is well-formed."""


class MappingError(Exception):
    """A mapping file or an adapter cannot be used; the text names the cure."""


class AdapterError(Exception):
    """A target's own adapter failed; nothing can be said about the bank."""


class NotOfferedError(Exception):
    """A bank of another shape cannot be asked this; that is no evidence of anything."""


class UnclearError(Exception):
    """An adapter cannot tell what became of a call: it may have happened."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A call as the contract has it."""

    route: Route
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """Authorization and Idempotency-Key are among them."""
    spoil: Spoil | None = None
    """What the body is put through once it is written."""

    @property
    def url(self) -> str:
        """The URL below the bank's base URL."""
        return joined(self.route.path.format(**self.path), self.query)


@dataclass(frozen=True, slots=True)
class Wire:
    """A request as it is sent."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    spoil: Spoil | None = None


Send = Callable[[Wire], Awaitable[Answer]]
"""Sends a request, records it, and returns what was answered."""


class Adapter:
    """Asks as the contract says. A target's own adapter derives from this, or from `Mapped`."""

    lacks: frozenset[str] = frozenset()
    """The capabilities that the bank does not have, whatever it answers."""
    unknown_account: str | None = None
    """The id of an account that cannot exist, where the contract's form would mean nothing."""

    @property
    def translates(self) -> bool:
        """Whether the bank has another shape than the contract's."""
        return type(self) is not Adapter

    def offers(self, route: str) -> bool:  # noqa: ARG002  others have not every operation
        """Say whether the bank has an operation at all."""
        return True

    def request(self, asked: Asked) -> Wire | None:
        """Return the request for a call, None for one that cannot be put to this bank."""
        route = asked.route
        return Wire(route.method, asked.url, asked.headers, asked.body, asked.spoil)

    def response(self, asked: Asked, answer: Answer) -> Answer:  # noqa: ARG002  others need it
        """Return the contract's answer for the bank's."""
        return answer

    async def exchange(self, asked: Asked, send: Send) -> Answer | None:
        """Ask and answer; None where the call cannot be put to this bank.

        To be overridden where one call takes several requests: all that goes through `send` is
        recorded, and lies between the beginning and the end of the call.

        Raises:
            UnclearError: it cannot be told what became of the call.
        """
        wire = self.request(asked)
        return None if wire is None else self.response(asked, await send(wire))

    def distinguishes(self, one: Asked, other: Asked) -> bool:
        """Say whether the bank is sent different things for two calls."""
        return self.request(one) != self.request(other) or one.spoil is not other.spoil


def joined(path: str, query: Mapping[str, Any]) -> str:
    """Return a URL; what is None in the query is left out."""
    given = {name: value for name, value in query.items() if value is not None}
    return str(httpx.URL(path, params=given)) if given else path
