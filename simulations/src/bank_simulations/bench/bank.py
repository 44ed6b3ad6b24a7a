"""A generated bank: where it is, how its commands are run, and databases made for it.

Everything runs in a folder of the benchmark's own, with secrets of their own, and leaves the bank's
folder as it was.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bank_simulations.console import BadInputError, BrokenRunError

from .child import Child

if TYPE_CHECKING:
    from .postgres import Server

TEMPLATE = Path(__file__).parents[4] / "template" / "{{cookiecutter.project_slug}}"
PACKAGE = Path(__file__).parents[1]
COMMAND_SECONDS_MAX = 600
PRISTINE = "bank_pristine"
ONE_PARTITION = 1
PREPARED = (None, ONE_PARTITION)
"""Numbers of partitions that a bank is made with; None is its own default."""


def _names(name: str, partitions: int | None) -> tuple[str, str]:
    """The databases for events and for keys of a bank with so many partitions."""
    events = name if partitions is None else f"{name}_{partitions}"
    return events, f"{events}_keys"


@dataclass(frozen=True, slots=True)
class Databases:
    """Where a bank keeps its events and, apart from them, its data keys; with how many partitions,
    where it is not the bank's own default.
    """

    events: str
    keys: str
    partitions: int | None = None

    @classmethod
    def create(cls, server: Server, name: str, partitions: int | None = None) -> Databases:
        """Two databases with a bank's tables, and nothing in them; `Bank.prepare` comes first."""
        copies = zip(_names(name, partitions), _names(PRISTINE, partitions), strict=True)
        events, keys = [server.database(mine, pristine) for mine, pristine in copies]
        return cls(events, keys, partitions)

    def drop(self, server: Server) -> None:
        """Give the disk back."""
        server.drop(self.events)
        server.drop(self.keys)


@dataclass(frozen=True, slots=True)
class Bank:
    """A generated bank: its package, a Python that can import it, and a folder to run it in."""

    package: str
    python: str
    search_path: str
    room: Path

    @classmethod
    def find(cls, folder: Path, room: Path) -> Bank:
        """The bank in `folder`, in its own environment where it has one, else in this one."""
        packages = [path.parent.name for path in folder.glob("src/*/__main__.py")]
        if len(packages) != 1:
            raise BadInputError(f"{folder} holds no generated bank: it has no src/*/__main__.py")
        own = folder / ".venv" / "bin" / "python"
        python = str(own.absolute()) if own.exists() else sys.executable
        return cls(packages[0], python, str(folder.resolve() / "src"), room)

    def prepare(self, server: Server) -> None:
        """Make its secrets, and databases that all others are copies of."""
        beside = self.room / "beside"
        beside.mkdir()
        # only this package, none of what is installed around it, reaches the bank's environment
        (beside / PACKAGE.name).symlink_to(PACKAGE, target_is_directory=True)
        for partitions in PREPARED:
            events, keys = map(server.database, _names(PRISTINE, partitions))
            databases = Databases(events, keys, partitions)
            if partitions is None:
                self.run(databases, self.command("init"))
            self.run(databases, self.command("migrate"))

    def command(self, *arguments: str) -> tuple[str, ...]:
        """One of its own commands."""
        return (self.python, "-m", self.package, *arguments)

    def environment(self, databases: Databases) -> dict[str, str]:
        """What every command of the bank is run with."""
        environment = {
            "PYTHONPATH": os.pathsep.join((self.search_path, str(self.room / "beside"))),
            "DATABASE_URL": databases.events,
            "KEYS_DATABASE_URL": databases.keys,
            "BANK_SECRETS_DIR": str(self.room / "secrets"),
            "BANK_LOG_LEVEL": "WARNING",
        }
        if databases.partitions is not None:
            environment["BANK_PARTITIONS"] = str(databases.partitions)
        return environment

    def run(self, databases: Databases, command: tuple[str, ...]) -> str:
        """Run a command to its end; what it printed. Raises BrokenRunError."""
        try:
            done = subprocess.run(  # noqa: S603 - the bank's own command
                command,
                cwd=self.room,
                env={**os.environ, **self.environment(databases)},
                capture_output=True,
                text=True,
                timeout=COMMAND_SECONDS_MAX,
                check=True,
            )
        except subprocess.CalledProcessError as error:
            last = (error.stderr or error.stdout).strip().splitlines()[-1:]
            raise BrokenRunError(f"{' '.join(command[1:4])} failed: {''.join(last)}") from error
        return done.stdout

    def inside(self, program: str, databases: Databases) -> Child:
        """One of the programs of `inside/`, beside the bank's code in the bank's Python."""
        module = f"bank_simulations.bench.inside.{program}"
        return Child((self.python, "-m", module), self.environment(databases), self.room)
