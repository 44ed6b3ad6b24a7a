"""The `eventsourcing` library as a competitor: the same transfer, in one process with threads."""

from __future__ import annotations

import sys
from itertools import count
from typing import TYPE_CHECKING, Any

from bank_simulations.console import BrokenRunError

from .child import Child
from .figures import Measured
from .http_peers import Load, named
from .inside.workloads import account_count
from .peers import Peer
from .usage import Meter

if TYPE_CHECKING:
    from .postgres import Server

THREADS = (1, 2, 4)
EVENTS_PER_TRANSFER = 5
TABLE = "bank_events"  # after the name of the application


class LibraryBank(Peer):
    """`stores.library_bank`; a thread is a client, and `variants` are how many there are."""

    what = "transfers/s on the library's aggregates and recorder, in-process, saved in one piece"
    title = "eventsourcing library"
    database = "library"
    by_steps = False
    variants = THREADS
    unit = "threads"
    around_seconds = 1.0

    def __init__(self, server: Server, load: Load) -> None:
        self.name = named(self.title, load.workload)
        self._server, self._load = server, load
        self._accounts = account_count(load.workload, load.accounts)
        self._uri = ""
        self._settings: dict[str, Any] = {}
        self._runs = count(1)
        self._child: Child | None = None

    def prepare(self) -> None:
        """Start it, and open its accounts."""
        self._uri = self._server.database(f"{self.database}_{self._load.slug}")
        self._child = Child((sys.executable, "-m", "bank_simulations.bench.stores.library_bank"))
        found = self._child.ask({"uri": self._uri, "accounts": self._accounts})
        self._settings = found["settings"]

    def measure(self, variant: Any, seconds: float) -> Measured:
        """Transfers; BrokenRunError where its books are wrong."""
        if self._child is None:
            raise RuntimeError("prepare comes first")
        meter = Meter(self._server, self._uri, [self._child.pid])
        seed = f"{self._load.seed}-{next(self._runs)}"
        wanted = {"workload": self._load.workload, "by_steps": self.by_steps}
        wanted |= {"connections": variant, "seconds": seconds}
        before = self._stored()
        with meter.running():
            run = self._child.ask({**wanted, "seed": seed})
        self._require_books(run, self._stored() - before)
        return Measured(run["transfers"], run["seconds"], meter.usage)

    def _stored(self) -> int:
        """Rows, not notification ids: those have gaps where a transaction was rolled back."""
        return int(self._server.query(f"select count(*) from {TABLE}", self._uri))  # noqa: S608

    def _require_books(self, run: dict[str, int], stored: int) -> None:
        if run["balance_minor"] != run["opened_minor"]:
            raise BrokenRunError(
                f"{self.name}: {run['opened_minor']} became {run['balance_minor']}"
            )
        if stored != run["transfers"] * EVENTS_PER_TRANSFER:
            raise BrokenRunError(
                f"{self.name}: {run['transfers']} transfers, but {stored} new events"
            )

    def settings(self) -> dict[str, Any]:
        """How it was run."""
        about = {"accounts": self._accounts, "workload": self._load.workload}
        return {**about, **self._settings}

    def close(self) -> None:
        """End it."""
        if self._child is not None:
            self._child.close()


class LibrarySaga(LibraryBank):
    """The same in the steps of the bank's saga, each saved by itself."""

    what = "transfers/s on the library's aggregates and recorder, in-process, in three steps"
    title = "eventsourcing library, by steps"
    database = "library_saga"
    by_steps = True
