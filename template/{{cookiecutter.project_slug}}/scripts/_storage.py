"""Copy, back up and restore what an embedded PostgreSQL holds of this bank."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from _processes import fail, require_stopped, run_bank

from ourbank import config, embedded
from ourbank.console.databases import KEYS_DATABASE
from ourbank.privacy.kek import FileEpochs
from ourbank.secrets_store import Secrets

DATABASES = {"events": embedded.SUPERUSER, "keys": KEYS_DATABASE}


def dump(folder: Path) -> None:
    """PostgreSQL's files as they lie, and both databases as SQL."""
    make_private(folder)
    with server() as postgres:
        shutil.copytree(
            postgres.cluster, folder / "cluster", copy_function=_copy, dirs_exist_ok=True
        )
        for name, database in DATABASES.items():
            client(postgres, "pg_dump", "--file", str(folder / f"{name}.sql"), database)


def copy_logs(folder: Path, log: Path) -> None:
    """The bank's log and PostgreSQL's."""
    make_private(folder)
    for file in (log, data_dir() / "cluster" / "server.log"):
        if file.exists():
            shutil.copy(file, folder)


def back_up(folder: Path) -> None:
    """One file a database."""
    with server() as postgres:
        _back_up(postgres, folder)


def _back_up(postgres: embedded.EmbeddedPostgres, folder: Path) -> None:
    make_private(folder)
    for name, database in DATABASES.items():
        path = str(folder / f"{name}.dump")
        client(postgres, "pg_dump", "--format", "custom", "--file", path, database)


def restore(folder: Path, ledger: Path | None, state: Path) -> None:
    """Put a back-up in the place of both databases, and erase again what was erased since."""
    missing = [name for name in DATABASES if not (folder / f"{name}.dump").exists()]
    if missing:
        fail(f"{folder} holds no back-up of {' and '.join(missing)}")
    require_stopped()
    make_private(state)
    # What a restore that was cut short has left: the databases may be restored already.
    left_over = state / "erasures.jsonl"
    if ledger is None and not left_over.exists():
        run_bank("erasures", "export", "--to", str(left_over))
    with server() as postgres:
        if postgres.is_shared():  # from here on nobody can begin to use it
            fail("somebody uses the databases: stop every process of the bank")
        postgres.create_database(KEYS_DATABASE)  # a cluster made anew has none yet
        _back_up(postgres, state / "before-restore")
        for name in DATABASES:
            load(postgres, folder / f"{name}.dump", f"restored_{name}")
        require_epochs(postgres)
        for name, database in DATABASES.items():
            replace(postgres, database, f"restored_{name}")
    run_bank("erasures", "reapply", str(ledger or left_over))
    left_over.unlink(missing_ok=True)


def load(postgres: embedded.EmbeddedPostgres, file: Path, database: str) -> None:
    """Make a database from a back-up, beside those that are there."""
    client(postgres, "dropdb", "--if-exists", "--force", database)
    client(postgres, "createdb", "--template", "template0", database)
    client(postgres, "pg_restore", "--exit-on-error", "--dbname", database, str(file))


def require_epochs(postgres: embedded.EmbeddedPostgres) -> None:
    """Refuse keys that can never be unwrapped again: they are older than the last rotation."""
    query = "select distinct epoch from subject_keys where epoch is not null"
    found = client(postgres, "psql", "--no-align", "--tuples-only", "-c", query, "restored_keys")
    gone = {int(epoch) for epoch in found.split()} - set(epochs().read())
    if gone:
        fail(f"the keys are of epochs that were destroyed since: {sorted(gone)}; nothing was done")


def replace(postgres: embedded.EmbeddedPostgres, database: str, restored: str) -> None:
    """Put one database in the place of another."""
    for statement in (
        f"drop database if exists {database} with (force)",
        f"alter database {restored} rename to {database}",
    ):
        client(postgres, "psql", "--quiet", "-v", "ON_ERROR_STOP=1", "-c", statement, "template1")


def server() -> embedded.EmbeddedPostgres:
    """The bank's PostgreSQL: joined where it runs, else started for as long as it is needed."""
    return embedded.start(data_dir())


@contextmanager
def connected() -> Iterator[psycopg.Connection]:
    """A connection to the events' database, each statement by itself. The server is the bank's to
    keep: it ends with the last process of the bank, not with this connection.
    """
    with server() as postgres:
        connection = psycopg.connect(address(postgres), autocommit=True)
    with connection:
        yield connection


def address(postgres: embedded.EmbeddedPostgres) -> str:
    """The events' database as libpq names it."""
    return f"host={postgres.cluster} port={embedded.PORT} user={embedded.SUPERUSER}"


def data_dir() -> Path:
    """PostgreSQL's folder."""
    settings = config.load()
    if settings.database_url is not None:
        fail("the hooks work on an embedded PostgreSQL: unset DATABASE_URL")
    return (settings.data_dir / "postgres").resolve()


def epochs() -> FileEpochs:
    """The key-encryption keys."""
    return Secrets(config.load().secrets_dir).epochs


def make_private(folder: Path) -> None:
    """Make a folder, and have nobody else read what is put there."""
    os.umask(0o077)
    folder.mkdir(parents=True, exist_ok=True)


def client(postgres: embedded.EmbeddedPostgres, program: str, *arguments: str) -> str:
    """Run one of PostgreSQL's clients; what it printed."""
    address = ["--host", str(postgres.cluster), "--port", embedded.PORT]
    command = [postgres.bin / program, *address, "--username", embedded.SUPERUSER, *arguments]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        fail(f"{program} failed")
    return done.stdout


def _copy(source: str, target: str) -> None:
    """Copy a file of a server that may be running: sockets are none, others may be gone by now."""
    with suppress(FileNotFoundError):
        if Path(source).is_file():
            shutil.copyfile(source, target)
