"""Looking after a bank that may be serving meanwhile."""

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from ..application.doctor import Doctor
from ..bootstrap import AGGREGATES, Addresses, running
from ..config import Settings
from ..eventsourcing.projection import ReadModel
from ..eventsourcing.rebuild import Rebuild
from ..readmodels import READ_MODELS

BY_NAME = {model.name: model for model in READ_MODELS}

console = Console()


async def rebuilding(
    settings: Settings, addresses: Addresses, model: ReadModel, throttle_seconds: float
) -> None:
    """Rebuild one read model, with a bar."""
    columns = (
        TextColumn(f"rebuild {model.name}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    async with running(settings, addresses, with_worker=False) as process:
        with Progress(*columns, console=console) as bar:
            task = bar.add_task("", total=None)
            count = await Rebuild(
                model,
                process.bank.log,
                process.database,
                lambda done, total: bar.update(task, completed=done, total=total),
                throttle_seconds,
            ).run()
    console.print(f"{model.name} is rebuilt from {count} events; the old one is {model.name}_old")


async def examine(settings: Settings, addresses: Addresses) -> bool:
    """Print what the doctor finds; whether all is well."""
    table = Table("check", "", "found", "cure", box=None)
    is_well = True
    async with running(settings, addresses, with_worker=False) as process:
        doctor = Doctor(process.database, process.bank.log, AGGREGATES)
        async for check in doctor.checks(list(BY_NAME)):
            is_well = is_well and check.is_well
            verdict = "[green]well[/]" if check.is_well else "[red]ill[/]"
            table.add_row(check.name, verdict, check.found, "" if check.is_well else check.cure)
    console.print(table)
    return is_well


async def erasing(settings: Settings, addresses: Addresses, customer_id: str) -> None:
    """Erase, and print where it stands and the receipt."""
    async with running(settings, addresses, with_worker=False) as process:
        erasure = await process.bank.eraser.erase(customer_id)
    until = f" until {erasure.until}" if erasure.until else ""
    console.print(f"{erasure.state}{until}")
    if erasure.receipt:
        console.print(erasure.receipt, soft_wrap=True)
