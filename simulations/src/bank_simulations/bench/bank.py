"""The generated bank as a competitor: its engine in one process, and its HTTP service.

The engine is driven by the bank's own `python -m PACKAGE.benchmark`, which writes as JSON how many
`transfers_per_second` were completed and visible in both read models; the service is `python -m
PACKAGE serve`. Both run in a folder of the benchmark's own, with secrets of their own, and leave
the bank's folder as it was.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bank_simulations.console import BadInputError, BrokenRunError

from .http_peers import CONNECTIONS, HttpPeer, Service, Setting
from .peers import Peer

if TYPE_CHECKING:
    from .postgres import Server

TEMPLATE = Path(__file__).parents[4] / "template" / "{{cookiecutter.project_slug}}"
SCOPES = "bank:operate accounts:read customers:read transfers:write"
COMMAND_SECONDS_MAX = 600
IN_FLIGHT = (250, 500, 1000)
TOKEN_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Databases:
    """Where a bank keeps its events and, apart from them, its data keys."""

    events: str
    keys: str

    @classmethod
    def create(cls, server: Server, name: str) -> Databases:
        """Two empty databases."""
        return cls(server.database(name), server.database(f"{name}_keys"))

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

    def command(self, module: str, *arguments: str) -> tuple[str, ...]:
        """A command line; `module` is empty for the bank's own, or names one beside it."""
        return (self.python, "-m", self.package + module, *arguments)

    def environment(self, databases: Databases) -> dict[str, str]:
        """What every command of the bank is run with."""
        return {
            "PYTHONPATH": self.search_path,
            "DATABASE_URL": databases.events,
            "KEYS_DATABASE_URL": databases.keys,
            "BANK_SECRETS_DIR": str(self.room / "secrets"),
            "BANK_LOG_LEVEL": "WARNING",
        }

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


class Engine(Peer):
    """The bank's engine in one process, without HTTP; `variants` are transfers in flight."""

    variants = IN_FLIGHT
    unit = "in flight"

    def __init__(self, name: str, bank: Bank, server: Server, accounts: int) -> None:
        self.name = name
        self.what = f"transfers/s completed and visible, {accounts:,} accounts, in-process"
        self._bank, self._server, self._accounts = bank, server, accounts
        self._numbers = count(1)

    def prepare(self) -> None:
        """Nothing: every run makes its own accounts in databases of its own."""

    def measure(self, variant: Any, seconds: float) -> float:
        """What the bank's own benchmark reports."""
        name = f"engine_{self._accounts}_{next(self._numbers)}"
        databases = Databases.create(self._server, name)
        result = self._bank.room / f"{name}.json"
        options = (
            *("--database-url", databases.events, "--keys-database-url", databases.keys),
            *("--seconds", f"{seconds:g}", "--accounts", str(self._accounts)),
            *("--in-flight", str(variant), "--json", str(result)),
        )
        try:
            self._bank.run(databases, self._bank.command(".benchmark", *options))
            return float(json.loads(result.read_text())["transfers_per_second"])
        finally:
            databases.drop(self._server)

    def settings(self) -> dict[str, Any]:
        """How it was run."""
        return {"accounts": self._accounts}


class BankOverHttp(HttpPeer):
    """`serve`: API and workers in one process, single requests."""

    name = "bank over HTTP"
    what = "transfers/s completed and visible, over HTTP, single requests"
    variants = tuple(Setting(1, connections) for connections in CONNECTIONS)

    def __init__(self, bank: Bank, server: Server, accounts: int) -> None:
        super().__init__(accounts)
        self._bank = bank
        self._databases = Databases.create(server, "bank_http")

    def prepare(self) -> None:
        """Make its secrets and its tables, then its accounts."""
        for name in ("init", "migrate"):
            self._bank.run(self._databases, self._bank.command("", name))
        super().prepare()

    def service(self, setting: Setting, port: int) -> Service:
        """One process, as a small bank runs it."""
        del setting
        command = self._bank.command("", "serve", "--host", "127.0.0.1", "--port", str(port))
        return Service(command, self._bank.environment(self._databases), self._bank.room)

    def token(self) -> str:
        """A staff token from the bank itself."""
        options = ("--subject", "bench", "--scope", SCOPES, "--seconds", str(TOKEN_SECONDS))
        return self._bank.run(self._databases, self._bank.command("", "token", *options)).strip()
