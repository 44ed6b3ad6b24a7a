"""Peers behind HTTP: a service is started, loaded by the common driver, and stopped again."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bank_simulations.client import BankClient
from bank_simulations.load.population import Population, populate
from bank_simulations.load.scenario import Accounts
from bank_simulations.stub.process import free_port, stop, wait_until_ready
from bank_simulations.tokens import TokenSource

from .driver import Drive
from .peers import Peer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

START_SECONDS_MAX = 60.0
CONNECTIONS = (16, 32, 64, 128)
OPENING_MINOR = 1_000_000_000
REQUEST_SECONDS_MAX = 60.0


@dataclass(frozen=True, slots=True)
class Setting:
    """How a service is run and loaded."""

    workers: int
    connections: int

    def __str__(self) -> str:
        workers = f"{self.workers} processes, " if self.workers > 1 else ""
        return f"{workers}{self.connections} connections"


@dataclass(frozen=True, slots=True)
class Service:
    """A command that serves on the port given to it."""

    command: Sequence[str]
    environment: Mapping[str, str]
    folder: Path | None = None


class HttpPeer(Peer):
    """A service that speaks the contract, under the common driver."""

    def __init__(self, accounts: int) -> None:
        self._accounts = Accounts(count=accounts, opening_minor=OPENING_MINOR)
        self._population: Population | None = None
        self._seed = 0

    def service(self, setting: Setting, port: int) -> Service:
        """How to start it."""
        raise NotImplementedError

    def token(self) -> str:
        """What it wants as a bearer token."""
        raise NotImplementedError

    def prepare(self) -> None:
        """Start it once, to open accounts and put money on them."""
        with self._serve(self.variants[0]) as bank:
            self._population = populate(bank, self._accounts, "bench")

    def measure(self, variant: Any, seconds: float) -> float:
        """Start it, load it, stop it; each run has its own transfers."""
        if self._population is None:
            raise RuntimeError("prepare comes first")
        self._seed += 1
        with self._serve(variant) as bank:
            drive = Drive(bank, self._population, variant.connections, self._seed)
            return drive.run(seconds)

    def settings(self) -> dict[str, Any]:
        """How it was run."""
        return {"accounts": self._accounts.count}

    @contextmanager
    def _serve(self, setting: Setting) -> Iterator[BankClient]:
        port = free_port()
        service = self.service(setting, port)
        process = subprocess.Popen(  # noqa: S603 - the peer's own command
            service.command,
            env={**os.environ, **service.environment},
            cwd=service.folder,
            stdout=subprocess.DEVNULL,
        )
        url = f"http://127.0.0.1:{port}"
        try:
            wait_until_ready(url, START_SECONDS_MAX)
            bank = BankClient(
                url,
                TokenSource(self.token()),
                connections=setting.connections,
                timeout_seconds=REQUEST_SECONDS_MAX,
            )
            yield bank
            bank.close()
        finally:
            stop(process)


class Crud(HttpPeer):
    """`bench.crud` under uvicorn with uvloop and httptools, one process or one per core."""

    name = "CRUD service"
    what = "transfers/s over HTTP: FastAPI, SQLAlchemy, row locks"
    variants = tuple(
        Setting(workers, connections) for workers in (1, 2) for connections in CONNECTIONS
    )

    def __init__(self, database_uri: str, accounts: int) -> None:
        super().__init__(accounts)
        self._url = database_uri.replace("postgresql://", "postgresql+asyncpg://")

    def service(self, setting: Setting, port: int) -> Service:
        """Uvicorn as its documentation advises."""
        command = (
            *(sys.executable, "-m", "uvicorn", "bank_simulations.bench.crud:app"),
            *("--host", "127.0.0.1", "--port", str(port), "--workers", str(setting.workers)),
            *("--loop", "uvloop", "--http", "httptools", "--no-access-log"),
            *("--log-level", "warning"),
        )
        return Service(command, {"CRUD_DATABASE_URL": self._url})

    def token(self) -> str:
        """It asks for none."""
        return "none"
