"""Stores that take the same rows in the same batches: the bank's log, and what limits it."""

from __future__ import annotations

import sys
from abc import abstractmethod
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bank_simulations.console import BrokenRunError
from bank_simulations.stub.process import free_port

from .bank import Bank, Databases
from .child import Child
from .figures import Measured
from .peers import Peer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .postgres import Server


class Appender(Peer):
    """A store under one size of batch; `variants` are how many append at a time."""

    what = "events/s appended and synced, nothing decided"
    variants: Sequence[int] = (1, 2, 4, 8)
    unit = "connections"
    title = ""
    preparing_seconds = 1.0
    around_seconds = 0.3

    def __init__(self, batch: int, seed: int) -> None:
        self.name = f"{self.title}, {batch:,} a batch"
        self._batch, self._seed = batch, seed
        self._runs = count(1)
        self._child: Child | None = None
        self._settings: dict[str, Any] = {}

    @abstractmethod
    def start(self) -> tuple[Child, dict[str, Any]]:
        """Its program, and the job that says where to store."""

    def prepare(self) -> None:
        """Start it."""
        self._child, job = self.start()
        self._settings = self._child.ask(job).get("settings", {})

    def measure(self, variant: Any, seconds: float) -> Measured:
        """Events; BrokenRunError where the store has others than were appended."""
        if self._child is None:
            raise RuntimeError("prepare comes first")
        seed = self._seed * 1_000 + next(self._runs)  # other streams in every run
        job = {"batch": self._batch, "connections": variant, "seconds": seconds, "seed": seed}
        run = self._child.ask(job)
        if run["stored"] != run["events"]:
            raise BrokenRunError(
                f"{self.name}: appended {run['events']} events, but {run['stored']} are stored"
            )
        return Measured(run["events"], run["seconds"])

    def settings(self) -> dict[str, Any]:
        """How it was run."""
        return {"batch": self._batch, **self._settings}

    def close(self) -> None:
        """End it."""
        if self._child is not None:
            self._child.close()


class BankLog(Appender):
    """The append of the bank's log: one writer a partition, as its loops are."""

    title = "bank's log"
    variants = (1, 2, 4)
    preparing_seconds = 3.0

    def __init__(self, bank: Bank, server: Server, batch: int, seed: int) -> None:
        super().__init__(batch, seed)
        self._bank, self._server = bank, server

    def start(self) -> tuple[Child, dict[str, Any]]:
        """In the bank's own Python."""
        databases = Databases.create(self._server, f"append_bank_{self._batch}")
        return self._bank.inside("appends", databases), {"package": self._bank.package}


class Unnest(Appender):
    """Raw `INSERT … unnest` into a table like the log's."""

    title = "INSERT … unnest"

    def __init__(self, server: Server, batch: int, seed: int) -> None:
        super().__init__(batch, seed)
        self._server = server

    def start(self) -> tuple[Child, dict[str, Any]]:
        """A database of its own."""
        uri = self._server.database(f"append_unnest_{self._batch}")
        return _program("unnest"), {"uri": uri}


class LibraryRecorder(Appender):
    """The PostgreSQL recorder of the `eventsourcing` library."""

    title = "eventsourcing library"
    variants = (1, 2, 4)

    def __init__(self, server: Server, batch: int, seed: int) -> None:
        super().__init__(batch, seed)
        self._server = server

    def start(self) -> tuple[Child, dict[str, Any]]:
        """A database of its own."""
        uri = self._server.database(f"append_library_{self._batch}")
        return _program("library"), {"uri": uri}


class Uma(Appender):
    """UmaDB, whose server keeps its file in the benchmark's folder, on the same disk."""

    title = "UmaDB"

    def __init__(self, room: Path, batch: int, seed: int) -> None:
        super().__init__(batch, seed)
        self._file = room / f"uma-{batch}.db"
        self._server: Child | None = None

    def start(self) -> tuple[Child, dict[str, Any]]:
        """Its server, then its client."""
        place = f"127.0.0.1:{free_port()}"
        command = ("from umadb.umadb_server_cli import main; main()", "--listen", place)
        self._server = Child((sys.executable, "-c", *command, "--db-path", str(self._file)))
        return _program("uma"), {"uri": f"http://{place}"}

    def close(self) -> None:
        """End both."""
        super().close()
        if self._server is not None:
            self._server.end()


def _program(name: str) -> Child:
    return Child((sys.executable, "-m", f"bank_simulations.bench.stores.{name}"))
