"""pgbench: what PostgreSQL itself can do with a transaction per transfer."""

from __future__ import annotations

import math
import os
import re
import resource
from typing import TYPE_CHECKING, Any

from bank_simulations.console import BrokenRunError

from .figures import Measured, Usage
from .peers import Peer
from .usage import Meter

if TYPE_CHECKING:
    from .postgres import Server

DONE = re.compile(r"^number of transactions actually processed: ([0-9]+)", re.MULTILINE)
TPS = re.compile(r"^tps = ([0-9.]+) ", re.MULTILINE)
CLIENTS = (4, 8, 16, 32, 64)


class Pgbench(Peer):
    """TPC-B as PostgreSQL ships it: three updates, a select and an insert a transaction.

    Prepared statements, a thread a core, a scale above the client count, so that clients seldom
    meet on a branch. The client counts in `variants` are tried and the best one is measured.
    """

    name = "pgbench TPC-B"
    what = "transactions/s straight against PostgreSQL: three updates, a select, an insert"
    variants = CLIENTS
    unit = "clients"
    script = "tpcb-like"
    around_seconds = 0.5

    def __init__(self, server: Server, scale: int) -> None:
        self._server, self._scale = server, scale
        self._uri = ""

    def prepare(self) -> None:
        """Make pgbench's own tables."""
        self._uri = self._server.database(f"pgbench_{self.script.replace('-', '_')}")
        self._server.run("pgbench", "-i", "-q", "-s", str(self._scale), self._uri)

    def measure(self, variant: Any, seconds: float) -> Measured:
        """Transactions with `variant` clients."""
        threads = min(variant, os.cpu_count() or 1)
        counts = ("-c", str(variant), "-j", str(threads), "-T", str(math.ceil(seconds)))
        options = ("-n", "-M", "prepared", "-b", self.script, *counts)
        meter = Meter(self._server, self._uri)
        with meter.running():
            before = _children_seconds()
            printed = self._server.run("pgbench", *options, self._uri)
            client = _children_seconds() - before
        rate, done = _found(TPS, printed), _found(DONE, printed)
        cpu = {**meter.usage.cpu_seconds, "client": client}
        return Measured(int(done), done / rate, Usage(cpu, meter.usage.disk_bytes))

    def settings(self) -> dict[str, Any]:
        """How it was run."""
        return {
            "scale": self._scale,
            "protocol": "prepared",
            "script": self.script,
            "threads": os.cpu_count() or 1,
        }


class SimpleUpdate(Pgbench):
    """TPC-B without the two tables on which clients meet: one update, a select and an insert."""

    name = "pgbench simple-update"
    what = "transactions/s straight against PostgreSQL: an update, a select, an insert"
    script = "simple-update"


def _found(pattern: re.Pattern[str], printed: str) -> float:
    found = pattern.search(printed)
    if not found:
        raise BrokenRunError(f"pgbench printed no rate: {printed.strip()[-200:]}")
    return float(found.group(1))


def _children_seconds() -> float:
    """Processor seconds of children that have ended, pgbench and psql among them."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
