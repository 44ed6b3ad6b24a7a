"""How many transfers this bank completes and shows, driven in this process: `python -m
ourbank.benchmark`.

Closed loop: so many transfers are in flight, and each that ends starts the next. A transfer counts
when it is terminal *and* both read models, accounts and entries, have come past its last event.
Client, service and database share the machine.
"""

import asyncio
import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer
import uvloop

from . import config
from .application.accounts import EntryOrder
from .application.bank import Bank
from .application.customers import PersonalData
from .application.request import Request
from .application.transfers import TransferOrder
from .bootstrap import Addresses, running
from .config import Settings
from .console.databases import databases
from .console.migrating import migrate
from .domain.ledger import TransactionCode
from .readmodels import ACCOUNTS, ENTRIES
from .secrets_store import Secrets

FUNDS_MINOR = 10**12
MODELS = (ACCOUNTS.name, ENTRIES.name)


@dataclass(slots=True)
class Load:
    """A closed loop of transfers between accounts drawn at random."""

    bank: Bank
    accounts: Sequence[str]
    seed: int
    is_running: bool = True
    seconds: list[float] = field(default_factory=list)

    async def client(self, number: int) -> None:
        """One transfer after the other."""
        chance = random.Random(self.seed * 1_000_003 + number)  # noqa: S311 (a load, not a secret)
        while self.is_running:
            source, target = chance.sample(self.accounts, 2)
            order = TransferOrder(source, target, chance.randint(1, 1000), "EUR")
            started = time.perf_counter()
            await self.bank.transfers.request(order, _request(), wait_seconds=30)
            self.seconds.append(time.perf_counter() - started)


def _request() -> Request:
    return Request("benchmark", uuid4().hex, "")


async def measure(
    settings: Settings,
    addresses: Addresses,
    account_count: int,
    in_flight: int,
    seconds: float,
    seed: int,
) -> dict[str, Any]:
    """One run; rates per second, times in milliseconds, CPU in microseconds a transfer."""
    async with running(settings, addresses, with_worker=True) as process:
        bank = process.bank
        accounts = await _open_accounts(bank, account_count)
        await _until_visible(bank)
        load = Load(bank, accounts, seed)
        started, cpu = time.perf_counter(), time.process_time()
        clients = [asyncio.create_task(load.client(number)) for number in range(in_flight)]
        await asyncio.sleep(seconds)
        load.is_running = False
        await asyncio.gather(*clients)
        ended = time.perf_counter()
        await _until_visible(bank)
        visible = time.perf_counter()
        cpu = time.process_time() - cpu
    return _report(load.seconds, started, ended, visible, cpu) | {
        "accounts": account_count,
        "in_flight": in_flight,
        "seed": seed,
    }


def _report(
    times: list[float], started: float, ended: float, visible: float, cpu: float
) -> dict[str, Any]:
    times.sort()
    count = len(times)
    return {
        "transfers": count,
        "transfers_per_second": count / (visible - started),
        "drain_seconds": visible - ended,
        "p50_ms": times[count // 2] * 1e3,
        "p99_ms": times[count * 99 // 100] * 1e3,
        "cpu_us_per_transfer": cpu / count * 1e6,
        "rss_max_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    }


async def _open_accounts(bank: Bank, count: int) -> list[str]:
    """Funded accounts of one customer."""
    registered = await bank.customers.register(
        PersonalData("Bench", "bench@example.com"), _request()
    )
    customer_id = registered.events[0].stream_id
    deposit = EntryOrder(TransactionCode.CASH_DEPOSIT, FUNDS_MINOR, "EUR")

    async def opened() -> str:
        result = await bank.accounts.open(customer_id, "EUR", 0, _request())
        account_id = result.events[0].stream_id
        await bank.accounts.post(account_id, deposit, _request())
        return account_id

    accounts: list[str] = []
    while len(accounts) < count:
        batch = min(1_000, count - len(accounts))
        accounts += await asyncio.gather(*(opened() for _ in range(batch)))
    return accounts


async def _until_visible(bank: Bank) -> None:
    """Until both read models have come as far as the log."""
    for partition, head in enumerate(await bank.log.heads()):
        for name in MODELS:
            await bank.freshness.wait(name, partition, head, 60)


def main(
    seconds: Annotated[float, typer.Option(help="How long the load lasts.")] = 5.0,
    accounts: Annotated[int, typer.Option(min=2, help="2: hot accounts.")] = 1_000,
    in_flight: Annotated[int, typer.Option(min=1)] = 500,
    seed: Annotated[int, typer.Option()] = 1,
    database_url: Annotated[str | None, typer.Option(help="None: an embedded PostgreSQL.")] = None,
    keys_database_url: Annotated[str | None, typer.Option()] = None,
    to: Annotated[Path | None, typer.Option("--json", help="Where the figures go.")] = None,
) -> None:
    """Measure, print, and write the figures as JSON."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)  # an embedded PostgreSQL of root runs as another user
        settings = config.load(
            database_url=database_url,
            keys_database_url=keys_database_url,
            data_dir=Path(folder) / "data",
            secrets_dir=Path(folder) / "secrets",
        )
        Secrets(settings.secrets_dir).create()
        with databases(settings) as addresses:
            migrate(settings, addresses)
            figures = uvloop.run(measure(settings, addresses, accounts, in_flight, seconds, seed))
    text = json.dumps(figures, indent=2)
    if to is not None:
        to.write_text(text)
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    typer.run(main)
