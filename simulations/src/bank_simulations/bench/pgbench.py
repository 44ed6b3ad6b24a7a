"""pgbench TPC-B: what PostgreSQL itself can do with a transaction per transfer."""

from __future__ import annotations

import math
import os
import re
from typing import TYPE_CHECKING, Any

from bank_simulations.console import BrokenRunError

from .peers import Peer

if TYPE_CHECKING:
    from .postgres import Server

TPS = re.compile(r"^tps = ([0-9.]+) ", re.MULTILINE)
CLIENTS = (4, 8, 16, 32, 64)


class Pgbench(Peer):
    """TPC-B as PostgreSQL ships it: three updates, a select and an insert a transaction.

    Prepared statements, two threads, a scale above the client count, so that clients seldom meet on
    a branch. The client counts in `variants` are tried and the best one is measured.
    """

    name = "pgbench TPC-B"
    what = "transactions/s straight against PostgreSQL"
    variants = CLIENTS
    unit = "clients"

    def __init__(self, server: Server, scale: int) -> None:
        self._server, self._scale = server, scale
        self._uri = ""

    def prepare(self) -> None:
        """Make pgbench's own tables."""
        self._uri = self._server.database("pgbench")
        self._server.run("pgbench", "-i", "-q", "-s", str(self._scale), self._uri)

    def measure(self, variant: Any, seconds: float) -> float:
        """Transactions per second with `variant` clients."""
        threads = min(variant, os.cpu_count() or 1)
        counts = ("-c", str(variant), "-j", str(threads), "-T", str(math.ceil(seconds)))
        printed = self._server.run("pgbench", "-n", "-M", "prepared", *counts, self._uri)
        found = TPS.search(printed)
        if not found:
            raise BrokenRunError(f"pgbench printed no tps: {printed.strip()[-200:]}")
        return float(found.group(1))

    def settings(self) -> dict[str, Any]:
        """How it was run."""
        return {"scale": self._scale, "protocol": "prepared"}
