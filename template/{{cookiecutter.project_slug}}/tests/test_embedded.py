"""The embedded server: it starts, outlives what a kill leaves, and goes with its last user."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from ourbank import embedded
from ourbank.embedded import (
    EmbeddedPostgres,
    EmbeddedPostgresError,
    start,
)

pytestmark = pytest.mark.postgres
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another user")
SMALL = {**embedded.SETTINGS, "shared_buffers": "16MB", "max_connections": "10"}


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the server's user may pass; pytest's own are closed to it."""
    path = Path(tempfile.mkdtemp(prefix="pg-"))
    path.chmod(0o711)
    yield path
    if (path / "data/cluster").exists():
        _started(path / "data").stop()  # joined and left: a failed test leaves no server behind
    shutil.rmtree(path)


def _started(data_dir: Path) -> EmbeddedPostgres:
    return start(data_dir, settings=SMALL)


def _sql(server: EmbeddedPostgres, statement: str, database: str = "postgres") -> list[object]:
    query = make_url(server.url(database)).query
    with psycopg.connect(
        host=str(query["host"]), user="postgres", dbname=database, autocommit=True
    ) as connection:
        done = connection.execute(statement.encode())
        return [row[0] for row in done] if done.description else []


def _postmaster(server: EmbeddedPostgres) -> int:
    return int((server.cluster / "postmaster.pid").read_text().splitlines()[0])


def _is_running(server: EmbeddedPostgres) -> bool:
    return (server.cluster / "postmaster.pid").exists()


def test_a_server_keeps_what_was_written_across_stop_and_start(folder: Path) -> None:
    with _started(folder / "data") as server:
        _sql(server, "create table kept as select 42 as answer")
    assert not _is_running(server)

    with _started(folder / "data") as again:
        assert _sql(again, "select answer from kept") == [42]


def test_databases_are_apart_and_creating_one_again_is_harmless(folder: Path) -> None:
    with _started(folder / "data") as server:
        for name in ("bank", "keys", "bank"):
            server.create_database(name)
        _sql(server, "create table only_here ()", "bank")

        assert _sql(server, "select to_regclass('only_here')::text", "bank") == ["only_here"]
        assert _sql(server, "select to_regclass('only_here')::text", "keys") == [None]


def test_two_who_start_at_the_same_moment_share_what_the_first_one_makes(folder: Path) -> None:
    def begin(_number: int) -> bool:
        with _started(folder / "data") as server:
            server.create_database("keys")
            return _sql(server, "select 1", "keys") == [1]

    with ThreadPoolExecutor() as pool:
        assert all(pool.map(begin, range(2)))


def test_a_name_that_needs_quoting_is_refused(folder: Path) -> None:
    with _started(folder / "data") as server:
        for name in ("", "Bank", "b-ank", "1bank", "bank;drop", "b" * 64):
            with pytest.raises(ValueError, match="lower-case"):
                server.create_database(name)


async def test_the_url_serves_both_drivers(folder: Path) -> None:
    with _started(folder / "data") as server:
        for driver in ("asyncpg", "psycopg"):
            engine = create_async_engine(server.url(driver=driver))
            async with engine.connect() as connection:
                assert (await connection.execute(text("select 1"))).scalar_one() == 1
            await engine.dispose()


def test_commits_are_durable_and_what_statements_say_stays_out_of_the_log(folder: Path) -> None:
    with _started(folder / "data") as server:
        for name in ("fsync", "synchronous_commit", "full_page_writes", "data_checksums"):
            assert _sql(server, f"show {name}") == ["on"]
        with pytest.raises(psycopg.Error):
            _sql(server, "select 'someone@example.com'::int")
    log = (server.cluster / "server.log").read_text()
    assert "ready to accept connections" in log
    assert "someone@example.com" not in log


def test_what_is_committed_survives_the_kill_of_the_server(folder: Path) -> None:
    with _started(folder / "data") as server:
        _sql(server, "create table kept as select 42 as answer")
        killed = _postmaster(server)
        os.kill(killed, signal.SIGKILL)

        with _started(folder / "data") as again:
            assert _postmaster(again) != killed
            assert _sql(again, "select answer from kept") == [42]


@pytest.mark.parametrize("pid", ["1", str(os.getpid()), "4194303"], ids=["init", "own", "free"])
def test_a_process_number_left_behind_may_be_anybodys_now(folder: Path, pid: str) -> None:
    with _started(folder / "data") as server:
        left = (server.cluster / "postmaster.pid").read_text().splitlines()
    (server.cluster / "postmaster.pid").write_text("\n".join([pid, *left[1:]]) + "\n")

    with _started(folder / "data") as again:
        assert _sql(again, "select 1") == [1]


def test_an_initialisation_that_was_cut_short_is_begun_anew(folder: Path) -> None:
    (folder / "data/cluster.new").mkdir(parents=True)
    (folder / "data").chmod(0o711)
    (folder / "data/cluster.new/PG_VERSION").write_text("18\n")

    with _started(folder / "data") as server:
        assert _sql(server, "select 1") == [1]


def test_the_last_one_to_leave_stops_the_server(folder: Path) -> None:
    first = _started(folder / "data")
    second = _started(folder / "data")
    assert _postmaster(first) == _postmaster(second)

    first.stop()
    first.stop()
    assert _sql(second, "select 1") == [1]
    second.stop()
    assert not _is_running(second)


_HOLDER = """
import sys, pathlib
from ourbank.embedded import start
server = start(pathlib.Path(sys.argv[1]))
print("started", flush=True)
sys.stdin.read()
"""


def _holder(data_dir: Path) -> subprocess.Popen[str]:
    """Another process that uses the server until its input ends."""
    process = subprocess.Popen(  # noqa: S603 (this interpreter)
        [sys.executable, "-c", _HOLDER, str(data_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(embedded.__file__).parent.parent)},
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    return process


def test_a_server_whose_starter_was_killed_is_joined_and_then_stopped(folder: Path) -> None:
    starter = _holder(folder / "data")
    starter.kill()
    starter.wait(timeout=10)

    server = _started(folder / "data")
    assert _sql(server, "select 1") == [1]
    server.stop()
    assert not _is_running(server)


def test_a_server_that_another_process_uses_is_left_running(folder: Path) -> None:
    other = _holder(folder / "data")
    _started(folder / "data").stop()
    with _started(folder / "data") as server:
        assert _sql(server, "select 1") == [1]
    assert _is_running(server)

    other.communicate(timeout=30)  # an orderly exit, without a call to stop
    assert not _is_running(server)


def test_a_folder_of_another_version_is_refused(folder: Path) -> None:
    _started(folder / "data").stop()
    version = folder / "data/cluster/PG_VERSION"
    version.write_text("17\n")

    with pytest.raises(EmbeddedPostgresError, match=r"written by PostgreSQL 17 .* pg_dump of 17"):
        _started(folder / "data")
    version.write_text("18\n")


def test_a_path_too_long_for_a_socket_is_refused(folder: Path) -> None:
    with pytest.raises(EmbeddedPostgresError, match="choose a data folder nearer the root"):
        start(folder / ("x" * 80))
    assert not (folder / ("x" * 80)).exists()


def test_a_setting_that_does_not_exist_is_named(folder: Path) -> None:
    with pytest.raises(EmbeddedPostgresError, match=r'does not start: .*"no_such_setting"'):
        start(folder / "data", settings={"no_such_setting": "1"})


def test_a_file_in_the_place_of_the_folder_is_refused(folder: Path) -> None:
    (folder / "file").touch()
    with pytest.raises(EmbeddedPostgresError, match="choose another data folder"):
        start(folder / "file")


@as_root
def test_a_parent_closed_to_the_server_is_named_and_not_opened(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)

    with pytest.raises(EmbeddedPostgresError, match=f"chmod o\\+x {closed}"):
        _started(closed / "data")
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


@as_root
def test_programs_out_of_the_servers_reach_are_copied(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = embedded._software()  # noqa: SLF001 (what the test puts elsewhere)
    closed = folder / "closed"
    for part in (wheel, wheel.with_suffix(".libs")):
        shutil.copytree(part, closed / part.name)
    closed.chmod(0o700)
    monkeypatch.setattr(embedded, "_software", lambda: closed / wheel.name)

    with _started(folder / "data") as server:
        assert _sql(server, "select 1") == [1]
        assert server.bin.is_relative_to(folder / "data")
    with _started(folder / "data") as again:
        assert again.bin == server.bin


_AS_USER = """
import os, pathlib, sys
# imported first: the Python of root may be closed to the other user
from ourbank.embedded import EmbeddedPostgresError, start
os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    with start(pathlib.Path(sys.argv[1])) as server:
        print(server.cluster.stat().st_uid)
except EmbeddedPostgresError as error:
    print(error)
"""


def _as_plain_user(data_dir: Path) -> str:
    done = subprocess.run(  # noqa: S603 (this interpreter)
        [sys.executable, "-c", _AS_USER, str(data_dir)],
        env={**os.environ, "PYTHONPATH": str(Path(embedded.__file__).parent.parent)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if "there is no embedded PostgreSQL" in done.stdout:
        pytest.skip("the environment is closed to a plain user")
    assert done.stderr == ""
    return done.stdout.strip()


@as_root
def test_a_plain_user_runs_the_server_as_themselves(folder: Path) -> None:
    (folder / "theirs").mkdir()
    shutil.chown(folder / "theirs", 65534, 65534)
    assert _as_plain_user(folder / "theirs/data") == "65534"


@as_root
def test_a_plain_user_is_told_that_a_folder_is_not_theirs(folder: Path) -> None:
    _started(folder / "data").stop()
    assert "choose another data folder" in _as_plain_user(folder / "data")
    assert "choose another data folder" in _as_plain_user(folder / "new")
