"""What a run used: read before and after, and subtracted."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from bank_simulations.capacity.probe import OBSERVER, Probe

from .figures import Usage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .postgres import Server

WAL = "log of the database (WAL)"
SIZES = (
    "select relname, pg_total_relation_size(oid) from pg_class"
    " where relkind = 'r' and relnamespace = 'public'::regnamespace"
)
WRITTEN = "select pg_current_wal_insert_lsn() - '0/0'::pg_lsn"


class Meter:
    """What its processes, PostgreSQL and this process use while a run is under way.

    `uri` names the database whose tables are measured. Nothing else may use the server meanwhile,
    or its processor time and its log (WAL) would count here.
    """

    def __init__(self, server: Server, uri: str, pids: Sequence[int] = ()) -> None:
        self._server, self._uri = server, uri
        groups = {"postgres": [server.pid]} | ({"service": list(pids)} if pids else {})
        self._probe = Probe(groups)
        self.usage = Usage()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Read, run, read again: `usage` is the difference."""
        written, sizes, before = self._written(), self._sizes(), self._probe.read()
        yield
        cpu = dict(self._probe.read().since(before).cpu_seconds)
        cpu["client"] = cpu.pop(OBSERVER)
        after = self._sizes()
        disk = {name: size - sizes.get(name, 0) for name, size in after.items()}
        grown = {f"table {name}": size for name, size in disk.items() if size > 0}
        self.usage = Usage(cpu, {WAL: self._written() - written} | grown)

    def _written(self) -> int:
        return int(self._server.query(WRITTEN, self._uri))

    def _sizes(self) -> dict[str, int]:
        lines = self._server.query(SIZES, self._uri).splitlines()
        return {name: int(size) for name, _, size in (line.partition("|") for line in lines)}
