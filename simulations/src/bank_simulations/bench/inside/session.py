"""A process of the bank, opened from the environment it was given, and accounts in it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

FUNDS_MINOR = 10**12
OPENING_AT_A_TIME = 1_000
CATCH_UP_SECONDS_MAX = 60


@dataclass(frozen=True, slots=True)
class Session:
    """A running process of the bank called `package`."""

    package: str
    process: Any

    def part(self, module: str) -> Any:
        """One of the bank's modules."""
        return import_module(f"{self.package}.{module}")

    def request(self) -> Any:
        """Who asks, under a key of its own."""
        return self.part("application.request").Request("benchmark", uuid4(), "")

    @property
    def models(self) -> tuple[str, str]:
        """The read models in which a transfer has to show."""
        found = self.part("readmodels")
        return found.ACCOUNTS.name, found.ENTRIES.name

    async def accounts(self, wanted: int | Sequence[str]) -> list[str]:
        """So many new funded accounts of one customer, or those that are named."""
        if not isinstance(wanted, int):
            return list(wanted)
        bank = self.process.bank
        found: list[str] = []
        person = self.part("application.customers").PersonalData("Bench", "bench@example.com")
        registered = await bank.customers.register(person, self.request())
        customer_id = registered.events[0].stream_id
        while len(found) < wanted:
            batch = min(OPENING_AT_A_TIME, wanted - len(found))
            found += await asyncio.gather(*(self._open(customer_id) for _ in range(batch)))
        return found

    async def _open(self, customer_id: str) -> str:
        accounts = self.process.bank.accounts
        opened = await accounts.open(customer_id, "EUR", 0, self.request())
        account_id = str(opened.events[0].stream_id)
        deposit = self.part("domain.ledger").TransactionCode.CASH_DEPOSIT
        order = self.part("application.accounts").EntryOrder(deposit, FUNDS_MINOR, "EUR")
        await accounts.post(account_id, order, self.request())
        return account_id

    async def caught_up(self) -> None:
        """Until both read models have come as far as the log."""
        bank = self.process.bank
        for partition, head in enumerate(await bank.log.heads()):
            for model in self.models:
                await bank.freshness.wait(model, partition, head, CATCH_UP_SECONDS_MAX)

    def reached(self) -> list[int]:
        """How far the projector of this process has brought both read models, by partition."""
        bank = self.process.bank
        return [
            min(bank.freshness.position(model, partition) for model in self.models)
            for partition in range(bank.log.partition_count)
        ]


@asynccontextmanager
async def opened(package: str, *, with_worker: bool = True) -> AsyncIterator[Session]:
    """Start a process of the bank; leaving stops it."""
    settings = import_module(f"{package}.config").load()
    databases = import_module(f"{package}.console.databases").databases
    running = import_module(f"{package}.bootstrap").running
    # whoever measures has no deadline: growing and rebuilding take what they take
    limit = {} if with_worker else {"call_seconds_max": None}
    with databases(settings) as addresses:
        async with running(settings, addresses, with_worker=with_worker, **limit) as process:
            yield Session(package, process)
