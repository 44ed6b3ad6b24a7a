"""One effect and one answer for each key of a principal, refusals included."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from starlette.responses import Response

from .problems import RefusalError

Command = Callable[[], Awaitable[Response]]
Key = tuple[str, str]
"""The principal, and the key that it chose."""


@dataclass(slots=True)
class Outcome:
    """The answer to a key: there, or on its way."""

    fingerprint: bytes
    answer: asyncio.Future[Response]


@dataclass(slots=True)
class Outcomes:
    """The outcomes by key. The first with a key runs the command; all others get its answer."""

    by_key: dict[Key, Outcome] = field(default_factory=dict)

    async def run(self, key: Key, fingerprint: bytes, command: Command) -> Response:
        """Run `command` once for `key`, and answer every time what it answered."""
        known = self.by_key.get(key)
        if known is None:
            self.by_key[key] = known = Outcome(fingerprint, asyncio.ensure_future(command()))
            return await known.answer
        self.require_same(known, fingerprint)
        return replayed(await known.answer)

    def require_same(self, known: Outcome, fingerprint: bytes) -> None:
        """Refuse (422) another request under a key."""
        if known.fingerprint != fingerprint:
            raise RefusalError(422, "idempotency-key-reused")


def replayed(answer: Response) -> Response:
    """Return an answer again, and say so."""
    copy = Response(answer.body, answer.status_code, dict(answer.headers))
    copy.headers["Idempotency-Replayed"] = "true"
    return copy
