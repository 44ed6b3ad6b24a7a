"""Peers behind HTTP: a service is started, loaded by the common driver, and stopped again."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from abc import abstractmethod
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count as count_from
from typing import TYPE_CHECKING, Any

from bank_simulations.client import BankClient
from bank_simulations.load.population import Population, populate
from bank_simulations.load.scenario import Accounts
from bank_simulations.stub.process import free_port, stop, wait_until_ready
from bank_simulations.tokens import TokenSource

from .driver import Drive
from .figures import Measured
from .inside.workloads import UNIFORM, account_count
from .peers import Peer
from .usage import Meter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from .postgres import Server

START_SECONDS_MAX = 60.0
CONNECTIONS = (16, 32, 64, 128)
OPENING_MINOR = 1_000_000_000
POOL_SIZE = 20
STARTING_SECONDS, OPENING_SECONDS = 4.0, 0.01
REQUEST_SECONDS_MAX = 60.0


@dataclass(frozen=True, slots=True)
class Setting:
    """How a service is run and loaded."""

    workers: int
    connections: int
    batch: int = 1

    def __str__(self) -> str:
        workers = f"{self.workers} processes, " if self.workers > 1 else ""
        batch = f", {self.batch} a request" if self.batch > 1 else ""
        return f"{workers}{self.connections} connections{batch}"


@dataclass(frozen=True, slots=True)
class Load:
    """Between how many accounts money moves, drawn how, from which seed."""

    accounts: int
    workload: str
    seed: int

    @property
    def slug(self) -> str:
        """The workload as part of a database's name."""
        return self.workload.lower().replace(" ", "_")


@dataclass(frozen=True, slots=True)
class Service:
    """A command that serves on the port given to it."""

    command: Sequence[str]
    environment: Mapping[str, str]
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Served:
    """A service that runs."""

    url: str
    bank: BankClient
    pid: int


class HttpPeer(Peer):
    """A service that speaks the contract, under the common driver."""

    around_seconds = 4.0

    def __init__(self, server: Server, load: Load) -> None:
        self._server, self._load = server, load
        self._uri = ""
        count = account_count(load.workload, load.accounts)
        self.preparing_seconds = STARTING_SECONDS + count * OPENING_SECONDS
        self._accounts = Accounts(count=count, opening_minor=OPENING_MINOR)
        self._population: Population | None = None
        self._runs = count_from(1)
        self.start_seconds: list[float] = []

    @abstractmethod
    def make_database(self) -> str:
        """An empty database to keep its money in; its URI."""

    @abstractmethod
    def service(self, setting: Setting, port: int) -> Service:
        """How to start it."""

    @abstractmethod
    def token(self) -> str:
        """What it wants as a bearer token."""

    def prepare(self) -> None:
        """Start it once, to open accounts and put money on them."""
        self._uri = self.make_database()
        with self.serve(self.variants[0]) as served:
            self._population = populate(served.bank, self._accounts, "bench")

    def measure(self, variant: Any, seconds: float) -> Measured:
        """Start it, load it, stop it; each run has its own transfers."""
        if self._population is None:
            raise RuntimeError("prepare comes first")
        seed = f"{self._load.seed}-{next(self._runs)}"
        with self.serve(variant) as served:
            drive = Drive(
                bank=served.bank,
                population=self._population,
                connections=variant.connections,
                seed=seed,
                workload=self._load.workload,
                batch=variant.batch,
            )
            meter = Meter(self._server, self._uri, [served.pid])
            with meter.running():
                took = drive.run(seconds)
            drive.verify()
        return Measured(len(drive.completed), took, meter.usage)

    def settings(self) -> dict[str, Any]:
        """How it was run."""
        return {"accounts": self._accounts.count, "workload": self._load.workload}

    @contextmanager
    def serve(self, setting: Setting) -> Iterator[Served]:
        """The service for as long as the context lasts, with a client of its own."""
        port = free_port()
        service = self.service(setting, port)
        began = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603 - the peer's own command
            service.command,
            env={**os.environ, **service.environment},
            cwd=service.folder,
            stdout=subprocess.DEVNULL,
        )
        url = f"http://127.0.0.1:{port}"
        try:
            wait_until_ready(url, START_SECONDS_MAX)
            self.start_seconds.append(time.perf_counter() - began)
            bank = BankClient(
                url,
                TokenSource(self.token()),
                connections=setting.connections,
                timeout_seconds=REQUEST_SECONDS_MAX,
            )
            yield Served(url, bank, process.pid)
            bank.close()
        finally:
            stop(process)


def named(name: str, workload: str) -> str:
    """The name with its workload, which goes without saying where it is uniform."""
    return name if workload == UNIFORM else f"{name}, {workload}"


class Crud(HttpPeer):
    """`bench.crud` under uvicorn with uvloop and httptools, one process or one per core."""

    what = "transfers/s over HTTP: FastAPI, SQLAlchemy, row locks"
    variants = tuple(
        Setting(workers, connections) for workers in (1, 2) for connections in CONNECTIONS
    )

    def __init__(self, server: Server, load: Load) -> None:
        super().__init__(server, load)
        self.name = named("CRUD service", load.workload)

    def make_database(self) -> str:
        """It makes its tables itself."""
        return self._server.database(f"crud_{self._load.slug}")

    def service(self, setting: Setting, port: int) -> Service:
        """Uvicorn as its documentation advises."""
        command = (
            *(sys.executable, "-m", "uvicorn", "bank_simulations.bench.crud:app"),
            *("--host", "127.0.0.1", "--port", str(port), "--workers", str(setting.workers)),
            *("--loop", "uvloop", "--http", "httptools", "--no-access-log"),
            *("--log-level", "warning"),
        )
        url = self._uri.replace("postgresql://", "postgresql+asyncpg://")
        return Service(command, {"CRUD_DATABASE_URL": url, "CRUD_POOL_SIZE": str(POOL_SIZE)})

    def settings(self) -> dict[str, Any]:
        """How it was run."""
        server = {"server": "uvicorn, uvloop, httptools", "pool_size": POOL_SIZE}
        return {**super().settings(), **server, "driver": "SQLAlchemy Core, asyncpg"}

    def token(self) -> str:
        """It asks for none."""
        return "none"
