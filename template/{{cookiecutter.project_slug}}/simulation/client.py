"""Clients: they ask, wait, ask again under the same key, and remember what they were told."""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Any

from ourbank.application.bank import Bank
from ourbank.application.request import RejectedError, Request

from .faults import Kind
from .process import UnansweredError, Work
from .world import World

PATIENCE_SECONDS = 3.0
"""How long a client waits for one answer."""
RETRY_SECONDS = 0.2
Asking = Callable[[Bank, Request], Awaitable[Any]]


class Outcome(StrEnum):
    """What an answer says about the effect of an operation."""

    OK = "ok"
    FAIL = "fail"
    INFO = "info"


@dataclass(slots=True)
class Operation:
    """One thing a client wanted, with its interval: it took effect, if at all, within it.

    `about` is the aggregate, `what` the client's word for it; amounts are in minor units. `answer`
    is the application's own result, `code` why it refused. `tries` counts how often it was sent.
    """

    number: int
    session: str
    what: str
    about: str
    amount: int
    invoked: float
    completed: float = float("inf")
    outcome: Outcome = Outcome.INFO
    answer: Any = None
    code: str = ""
    tries: int = 0
    subject: str = ""
    """The hold or the transfer it is about, where there is one."""

    @property
    def ok(self) -> bool:
        """Whether the bank said that it was done."""
        return self.outcome is Outcome.OK


class Session:
    """One client. Its operations follow one another only if it waits for them."""

    def __init__(self, world: World, name: str, dice: Random, history: list[Operation]) -> None:
        self.world = world
        self.name = name
        self.dice = dice
        """Draws what this client decides; of its own, so that no other act changes it."""
        self.history = history

    async def command(
        self,
        what: str,
        about: str,
        amount: int,
        asking: Asking,
        *,
        key: str | None = None,
        if_version: int | None = None,
        tries_max: int = 30,
    ) -> Operation:
        """Ask until there is an answer that stands; under one key it is one intent."""
        client_key = key or self.new_key()
        fingerprint = f"{what} {about} {amount}"
        operation = self._begin(what, about, amount)

        async def work(bank: Bank) -> Any:
            stored = bank.idempotency.key(self.name, client_key)
            return await asking(bank, Request(self.name, stored, fingerprint, if_version))

        return await self._insist(operation, work, tries_max)

    def new_key(self) -> str:
        """A key nobody used before."""
        return f"{self.dice.getrandbits(64):x}"

    async def read(self, what: str, about: str, work: Work) -> Operation:
        """Ask once; nothing is done."""
        return await self._insist(self._begin(what, about, 0), work, 1)

    def _begin(self, what: str, about: str, amount: int) -> Operation:
        now = asyncio.get_running_loop().time()
        operation = Operation(len(self.history), self.name, what, about, amount, now)
        self.history.append(operation)
        self.world.tell(f"{self.name} asks for {what} of {amount} on {about}")
        return operation

    async def _insist(self, operation: Operation, work: Work, tries_max: int) -> Operation:
        while operation.tries < tries_max:
            operation.tries += 1
            try:
                answer = await self._send(work)
            except UnansweredError:
                await asyncio.sleep(RETRY_SECONDS * (0.5 + self.dice.random()))
                continue
            if isinstance(answer, RejectedError):
                operation.outcome, operation.code = Outcome.FAIL, answer.rejection.code
            else:
                operation.outcome = Outcome.OK
            operation.answer = answer
            operation.completed = asyncio.get_running_loop().time()
            break
        told = operation.code or operation.outcome
        self.world.tell(f"{self.name} is told of {operation.what} {operation.amount}: {told}")
        return operation

    async def _send(self, work: Work) -> Any:
        """One request to one of the processes; UnansweredError when nothing came back."""
        world, loop = self.world, asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        number = self.dice.randrange(len(world.processes))
        delay = world.latency()
        if late := world.faults.due(Kind.REORDERED):
            delay += late.seconds
        world.later(delay, self._arrive, number, work, answer)
        if twice := world.faults.due(Kind.DELIVERED_TWICE):
            unread: asyncio.Future[Any] = loop.create_future()
            unread.add_done_callback(_forget)
            elsewhere = (number + twice.process) % len(world.processes)
            world.later(delay + twice.seconds, self._arrive, elsewhere, work, unread)
        patience = loop.call_later(PATIENCE_SECONDS, _give_up, answer, context=Context())
        try:
            return await answer
        finally:
            patience.cancel()

    def _arrive(self, number: int, work: Work, answer: "asyncio.Future[Any]") -> None:
        life = self.world.processes[number].life
        if life is None:
            _give_up(answer)
            return
        handling = life.handle(work, answer)
        if left := self.world.faults.due(Kind.REQUEST_CANCELLED):
            self.world.later(left.seconds / 10, handling.cancel)


def _give_up(answer: "asyncio.Future[Any]") -> None:
    if not answer.done():
        answer.set_exception(UnansweredError("no answer"))


def _forget(answer: "asyncio.Future[Any]") -> None:
    if not answer.cancelled():
        answer.exception()
