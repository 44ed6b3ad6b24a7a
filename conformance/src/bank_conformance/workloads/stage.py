"""The stage a workload plays on: the target, who calls it, a seeded die, and the set-up they share.

Set-up uses only calls that every bank of level L0 must offer, and never deletes. Names carry the
run's random prefix, so that runs do not collide.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from random import Random
from typing import TypeVar

from bank_conformance.bank.routes import STAFF_SCOPES
from bank_conformance.bank.session import Session
from bank_conformance.bank.shapes import Account, Customer, demand, read
from bank_conformance.client import Client
from bank_conformance.history import History
from bank_conformance.hooks import Hooks
from bank_conformance.target import Capabilities, Limits, Target
from bank_conformance.tokens import Principal

Done = TypeVar("Done")

SETUP_PARALLEL_MAX = 8


def no_progress(_done: int, _total: int) -> None:
    """Report progress to nobody."""


@dataclass(slots=True)
class Stage:
    """What a workload is given."""

    target: Target
    client: Client
    capabilities: Capabilities
    random: Random
    history: History
    feed_from: str | None = None
    """Where the feed ended before the run; None where the target offers none."""
    progress: Callable[[int, int], None] = no_progress
    staff: Session = field(init=False)

    def __post_init__(self) -> None:
        """Record into this workload's history from now on."""
        self.client.history = self.history
        self.staff = self.session("staff")

    @property
    def limits(self) -> Limits:
        """The limits of the target."""
        return self.target.limits

    @property
    def hooks(self) -> Hooks:
        """What the target lets itself be done to."""
        return self.target.hooks

    def offers(self, route: str) -> bool:
        """Say whether the bank has an operation: every one, unless it has another shape."""
        return self.target.adapter.offers(route)

    def session(self, name: str, principal: Principal | None = None) -> Session:
        """Return a session named `name`, of staff unless another principal is given."""
        who = principal or staff_of(self.target)
        return Session(self.client, who, name, self.target.currency)

    @asynccontextmanager
    async def replicas(self) -> AsyncIterator[list[Session]]:
        """Return a session of staff at each other address of the bank that serves."""
        async with AsyncExitStack() as opened:
            found = []
            for number, url in enumerate(self.target.replicas, 1):
                client = await opened.enter_async_context(self.client.elsewhere(url))
                session = replace(self.session(f"replica {number}"), client=client)
                if (await session.call("ready")).ok:
                    found.append(session)
            yield found

    async def wait(self, seconds: float) -> None:
        """Wait, by the target's time scale. Never used for the normative two seconds."""
        await asyncio.sleep(seconds * self.limits.time_scale)

    def personal(self) -> dict[str, str]:
        """Make up somebody."""
        name = f"{self.client.prefix} {secrets.token_hex(4)}"
        return {"name": name, "email": f"{secrets.token_hex(8)}@example.com"}

    async def customer(self) -> str:
        """Register somebody made up and return their id."""
        return read(await self.staff.register(self.personal()), Customer).customer_id

    async def account(self, customer_id: str, *, funds: int = 0, credit_line: int = 0) -> str:
        """Open an account, with a deposit of `funds` minor units, and return its id."""
        opened = await self.staff.open(customer_id, credit_line_minor=credit_line)
        account_id = read(opened, Account).account_id
        if funds:
            demand(await self.staff.post(account_id, "CASH_DEPOSIT", funds))
        return account_id

    async def accounts(self, customer_id: str, count: int, *, funds: int) -> list[str]:
        """Open several accounts at once."""
        return await gather_bounded(
            [lambda: self.account(customer_id, funds=funds)] * count, SETUP_PARALLEL_MAX
        )


def staff_of(target: Target) -> Principal:
    """Return the principal of staff, who may do everything."""
    return Principal("staff", target.staff_subject, STAFF_SCOPES)


def expiring_of(target: Target) -> Principal:
    """Return staff with a token that lives for one second."""
    return Principal("staff, expired", target.staff_subject, STAFF_SCOPES, seconds=1)


@contextmanager
def ending(tasks: Iterable[asyncio.Task[None]]) -> Iterator[None]:
    """End what still runs of `tasks` on the way out: after an error nobody waits for it."""
    running = list(tasks)
    try:
        yield
    finally:
        for task in running:
            task.cancel()


async def gather_bounded(
    tasks: Sequence[Callable[[], Awaitable[Done]]], parallel_max: int
) -> list[Done]:
    """Run `tasks`, at most so many at a time, and return their results in order."""
    gate = asyncio.Semaphore(parallel_max)

    async def run(task: Callable[[], Awaitable[Done]]) -> Done:
        async with gate:
            return await task()

    return await gather([run(task) for task in tasks])


async def gather(tasks: Iterable[Awaitable[Done]]) -> list[Done]:
    """Run everything at once; the first error ends the rest."""
    try:
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(_await(task)) for task in tasks]
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in running]


async def _await(task: Awaitable[Done]) -> Done:
    return await task
