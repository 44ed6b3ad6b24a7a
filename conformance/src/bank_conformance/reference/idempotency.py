"""One effect and one answer for each key of a principal, refusals included.

The answer is kept in the same commit as the effect. Where an answer comes later, as that of a
transfer which the caller waits for, what the command has begun is kept with its effect instead: a
retry after a crash goes on from there.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec
from starlette.responses import Response

from .disk import Disk, Doc
from .problems import RefusalError

Key = tuple[str, str]
"""The principal, and the key that it chose."""


class Kept(msgspec.Struct, frozen=True):
    """An answer that is given again."""

    status: int
    headers: dict[str, str]
    body: str

    @classmethod
    def of(cls, answer: Response) -> Kept:
        """Return what is kept of an answer."""
        return cls(answer.status_code, dict(answer.headers), bytes(answer.body).decode())

    def again(self) -> Response:
        """Return the answer again, and say so."""
        return Response(self.body, self.status, self.headers | {"Idempotency-Replayed": "true"})


@dataclass(slots=True)
class Outcome:
    """What became of the command under a key, or is becoming of it."""

    key: Key
    fingerprint: str
    transfer_id: str | None = None
    """What a command has begun that has no answer yet."""
    answer: Kept | None = None
    running: asyncio.Task[Response] | None = None

    def doc(self) -> Doc:
        """Return what is kept of the outcome."""
        plain = {"fingerprint": self.fingerprint, "transfer_id": self.transfer_id}
        return plain | {"answer": msgspec.to_builtins(self.answer)}


Command = Callable[[Outcome], Awaitable[Response]]


class Outcomes:
    """The outcomes by key. The first with a key runs the command; all others get its answer."""

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self.by_key = {}
        for name, doc in disk.things("outcome").items():
            subject, key = json.loads(name)
            self.by_key[subject, key] = Outcome(
                (subject, key),
                doc["fingerprint"],
                doc["transfer_id"],
                msgspec.convert(doc["answer"], Kept | None),
            )

    async def run(self, key: Key, fingerprint: str, command: Command) -> Response:
        """Run `command` once for `key`, and answer every time what it answered."""
        known = self.by_key.get(key)
        if known is None:
            known = self.by_key[key] = Outcome(key, fingerprint)
            return await self.first(known, command)
        self.require_same(known, fingerprint)
        answer = known.answer or Kept.of(await (known.running or self.first(known, command)))
        return answer.again()

    async def first(self, outcome: Outcome, command: Command) -> Response:
        """Run the command of a key for the first time, or for the first time since a crash."""
        outcome.running = asyncio.ensure_future(self.settle(outcome, command))
        return await outcome.running

    async def settle(self, outcome: Outcome, command: Command) -> Response:
        """Run a command, and keep its answer together with its effect."""
        answer = await command(outcome)
        outcome.answer = Kept.of(answer)
        self.keep(outcome)
        self.disk.commit()
        return answer

    def keep(self, outcome: Outcome) -> None:
        """Keep an outcome with the next commit."""
        self.disk.put("outcome", json.dumps(outcome.key), outcome.doc)

    def require_same(self, known: Outcome, fingerprint: str) -> None:
        """Refuse (422) another request under a key."""
        if known.fingerprint != fingerprint:
            raise RefusalError(422, "idempotency-key-reused")
