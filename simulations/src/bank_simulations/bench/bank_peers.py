"""The bank as a competitor: its engine in one or more processes, and its HTTP service."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import count
from typing import TYPE_CHECKING, Any

from .bank import Bank, Databases
from .figures import Measured
from .http_peers import CONNECTIONS, HttpPeer, Load, Service, Setting, named
from .inside.workloads import account_count
from .peers import Peer
from .usage import Meter

if TYPE_CHECKING:
    from .child import Child
    from .postgres import Server

SCOPES = "bank:operate accounts:read customers:read transfers:write"
IN_FLIGHT = (250, 500, 1000)
TOKEN_SECONDS = 86_400
BATCHES = (Setting(1, 2, 100), Setting(1, 4, 100), Setting(1, 2, 500))


class Engine(Peer):
    """The bank's engine, without HTTP; `variants` are transfers in flight.

    Several processes share one database and the same accounts; what is in flight is shared out.
    """

    variants = IN_FLIGHT
    unit = "in flight"
    preparing_seconds = 0.0
    around_seconds = 6.0

    def __init__(
        self,
        bank: Bank,
        server: Server,
        load: Load,
        processes: int = 1,
        partitions: int | None = None,
    ) -> None:
        several = f", {processes} processes" if processes > 1 else ""
        self.name = _parted(named("bank in-process", load.workload), partitions) + several
        self.what = "transfers/s completed and visible in both read models, without HTTP"
        self._bank, self._server, self._load = bank, server, load
        self._processes, self._partitions = processes, partitions
        self._accounts = account_count(load.workload, load.accounts)
        self._runs = count(1)

    def prepare(self) -> None:
        """Nothing: every run makes its own accounts in databases of its own."""

    def measure(self, variant: Any, seconds: float) -> Measured:
        """Start the processes, let all go at once, and add up what they completed."""
        number = next(self._runs)
        name = f"engine_{self._load.slug}_{self._processes}_{number}"
        databases = Databases.create(self._server, name, self._partitions)
        try:
            with ExitStack() as stack:
                children = self._start(stack, databases)
                meter = Meter(self._server, databases.events, [each.pid for each in children])
                with meter.running():
                    runs = self._go(children, variant, seconds, number)
        finally:
            databases.drop(self._server)
        transfers = sum(run["transfers"] for run in runs)
        return Measured(transfers, max(run["seconds"] for run in runs), meter.usage)

    def _start(self, stack: ExitStack, databases: Databases) -> list[Child]:
        """The first process opens the accounts, and all know them."""
        children = [
            stack.enter_context(self._bank.inside("engine", databases))
            for _ in range(self._processes)
        ]
        job: dict[str, Any] = {"package": self._bank.package, "accounts": self._accounts}
        job["accounts"] = children[0].ask(job)["accounts"]
        for child in children[1:]:
            child.tell(job)
        for child in children[1:]:
            child.hear()
        return children

    def _go(
        self, children: list[Child], in_flight: int, seconds: float, run: int
    ) -> list[dict[str, Any]]:
        wanted = {
            "workload": self._load.workload,
            "in_flight": in_flight // len(children),
            "seconds": seconds,
        }
        for number, child in enumerate(children):
            child.tell({**wanted, "seed": f"{self._load.seed}-{run}-{number}"})
        return [child.hear() for child in children]

    def settings(self) -> dict[str, Any]:
        """How it was run."""
        return {
            "accounts": self._accounts,
            "workload": self._load.workload,
            "processes": self._processes,
            "partitions": self._partitions or "the bank's default",
        }


class BankOverHttp(HttpPeer):
    """`serve`: API and workers in one process, single requests."""

    what = "transfers/s completed and visible, over HTTP, single requests"
    variants = tuple(Setting(1, connections) for connections in CONNECTIONS)
    kind = "http"
    title = "bank over HTTP"

    def __init__(
        self, bank: Bank, server: Server, load: Load, partitions: int | None = None
    ) -> None:
        super().__init__(server, load)
        self.name = _parted(named(self.title, load.workload), partitions)
        self._bank, self._partitions = bank, partitions
        self._databases = Databases("", "")

    def make_database(self) -> str:
        """One for events, one for keys."""
        name = f"bank_{self.kind}_{self._load.slug}"
        self._databases = Databases.create(self._server, name, self._partitions)
        return self._databases.events

    def service(self, setting: Setting, port: int) -> Service:
        """One process, as a small bank runs it."""
        del setting
        command = self._bank.command("serve", "--host", "127.0.0.1", "--port", str(port))
        return Service(command, self._bank.environment(self._databases), self._bank.room)

    def token(self) -> str:
        """A staff token from the bank itself."""
        options = ("--subject", "bench", "--scope", SCOPES, "--seconds", str(TOKEN_SECONDS))
        return self._bank.run(self._databases, self._bank.command("token", *options)).strip()


def _parted(name: str, partitions: int | None) -> str:
    """The name with its partitions, which go without saying where they are the bank's default."""
    return name if partitions is None else f"{name}, {partitions} partition"


class BankBatches(BankOverHttp):
    """`serve`, asked for many transfers a request."""

    what = "transfers/s completed and visible, over HTTP, in batches"
    variants = BATCHES
    kind = "batch"
    title = "bank over HTTP, batch"
