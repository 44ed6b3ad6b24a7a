"""Looking after a bank that may be serving meanwhile."""

import asyncio
from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from ..application.doctor import Doctor
from ..bootstrap import AGGREGATES, Addresses, Running, running
from ..config import ConfigError, Settings
from ..eventsourcing.projection import ReadModel
from ..eventsourcing.rebuild import Rebuild
from ..readmodels import READ_MODELS

BY_NAME = {model.name: model for model in READ_MODELS}

console = Console()


def to_rebuild(names: Sequence[str]) -> Sequence[ReadModel]:
    """The read models of these names, all where none is named; ConfigError lists those there
    are.
    """
    for name in names:
        if name not in BY_NAME:
            raise ConfigError(f"no read model {name!r}: choose one of {', '.join(sorted(BY_NAME))}")
    return [BY_NAME[name] for name in names] or READ_MODELS


def rebuilding(
    settings: Settings, addresses: Addresses, models: Sequence[ReadModel], throttle_seconds: float
) -> None:
    """Rebuild read models, one after the other."""
    asyncio.run(_rebuild_all(settings, addresses, models, throttle_seconds))


def examine(settings: Settings, addresses: Addresses) -> bool:
    """Print what the doctor finds; whether all is well."""
    return asyncio.run(_examine(settings, addresses))


def erasing(settings: Settings, addresses: Addresses, customer_id: str) -> None:
    """Erase, and print where it stands and the receipt; SubjectUnknownError."""
    asyncio.run(_erase(settings, addresses, customer_id))


async def _rebuild_all(
    settings: Settings, addresses: Addresses, models: Sequence[ReadModel], throttle_seconds: float
) -> None:
    async with running(settings, addresses, with_worker=False, call_seconds_max=None) as process:
        for model in models:
            await _rebuild(process, model, throttle_seconds)
            await process.bank.eraser.purge_again()  # the log brought back what was purged


async def _rebuild(process: Running, model: ReadModel, throttle_seconds: float) -> None:
    """Rebuild one read model, with a bar."""
    columns = (
        TextColumn(f"rebuild {model.name}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("", total=None)
        count = await Rebuild(
            model,
            process.bank.log,
            process.database,
            lambda done, total: bar.update(task, completed=done, total=total),
            throttle_seconds,
        ).run()
    console.print(f"{model.name} is rebuilt from {count} events")


async def _examine(settings: Settings, addresses: Addresses) -> bool:
    table = Table("check", "", "found", "cure", box=None)
    is_well = True
    async with running(settings, addresses, with_worker=False, call_seconds_max=None) as process:
        doctor = Doctor(process.database, process.bank.log, AGGREGATES)
        async for check in doctor.checks(list(BY_NAME)):
            is_well = is_well and check.is_well
            verdict = "[green]well[/]" if check.is_well else "[red]ill[/]"
            table.add_row(check.name, verdict, check.found, "" if check.is_well else check.cure)
    console.print(table)
    return is_well


async def _erase(settings: Settings, addresses: Addresses, customer_id: str) -> None:
    async with running(settings, addresses, with_worker=False, call_seconds_max=None) as process:
        erasure = await process.bank.eraser.erase(customer_id)
    until = f" until {erasure.until}" if erasure.until else ""
    console.print(f"{erasure.state}{until}")
    if erasure.receipt:
        console.print(erasure.receipt, soft_wrap=True)
