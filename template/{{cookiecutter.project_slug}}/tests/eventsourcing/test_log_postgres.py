"""What only a server can do to a log: sessions left open, settings that differ, going away."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from asyncpg import UniqueViolationError
from sqlalchemy import URL, make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from ourbank import embedded
from ourbank.embedded import EmbeddedPostgres
from ourbank.eventsourcing.connections import (
    replace_broken_connections,
)
from ourbank.eventsourcing.log import (
    LogMismatchError,
    LogUnavailableError,
)
from ourbank.eventsourcing.postgres import PostgresLog
from ourbank.schema import migrate

from .adapters import PostgresAdapter, let_run, promptly
from .jars import CODEC, filling, jar, key
from .log_contract import A, places
from tests.conftest import PARTITIONS

pytestmark = pytest.mark.postgres


@pytest.fixture
def log(postgres_adapter: PostgresAdapter) -> PostgresLog:
    return postgres_adapter.log


@asynccontextmanager
async def idle(database: AsyncEngine, *statements: str, isolation: str) -> AsyncIterator[None]:
    """A session that did this in a transaction and then fell asleep."""
    async with database.connect() as connection:
        sleepy = await connection.execution_options(isolation_level=isolation)
        for statement in statements:
            await sleepy.execute(text(statement))
        yield
        await sleepy.rollback()


async def _count(connection: AsyncConnection) -> int:
    return int((await connection.execute(text("select count(*) from events"))).scalar_one())


@pytest.mark.parametrize("odd", ["jar_1\n000", "\n"])
async def test_a_value_of_two_lines_is_refused_and_nothing_is_written(
    log: PostgresLog, odd: str
) -> None:
    """A batch travels a value a line: it would push the values after it into other rows."""
    append = filling(A)
    append.events = [append.events[0]._replace(stream_id=odd)]
    with pytest.raises(ValueError, match="line break"):
        await log.append(0, [filling(A), append], 0)
    assert await log.heads() == [0] * PARTITIONS


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "SERIALIZABLE"])
async def test_a_session_idle_in_a_transaction_stops_neither_writers_nor_readers(
    database: AsyncEngine, log: PostgresLog, isolation: str
) -> None:
    """With an old snapshot and a transaction id of its own, as a forgotten psql session has."""
    await log.append(0, [filling(A)], 0)
    statements = ("select pg_current_xact_id()", "select count(*) from events")
    async with promptly(), idle(database, *statements, isolation=isolation):
        for version in range(1, 4):
            await log.append(0, [filling(A, version)], version)
            await log.append(1, [filling(jar(1, 1), version - 1)], version - 1)
        assert [place[0] for place in await places(log)] == [1, 2, 3, 4]
        assert await log.heads() == [4, 3, 0, 0]


async def test_who_holds_a_partitions_lock_stops_that_partition_only(
    database: AsyncEngine, log: PostgresLog
) -> None:
    lock = "select pg_advisory_xact_lock(4242, 0)"
    async with promptly():
        async with idle(database, lock, isolation="READ COMMITTED"):
            waiting = asyncio.create_task(log.append(0, [filling(A)], 0))
            await log.append(1, [filling(jar(1, 1))], 0)
            assert not waiting.done()
            assert await log.heads() == [0, 1, 0, 0]
        await waiting
    assert await log.heads() == [1, 1, 0, 0]


async def test_an_append_that_fails_leaves_nothing_behind(
    database: AsyncEngine, log: PostgresLog
) -> None:
    """The caller lied about the head, so versions were not compared: the table refuses."""
    await log.append(0, [filling(A)], 0)
    batch = [filling(jar(2), under=key(1)), filling(A)]
    with pytest.raises(UniqueViolationError):
        await log.append(0, batch, 1)
    async with database.connect() as connection:
        assert await _count(connection) == 1
    assert await log.outcomes([key(1)]) == {}
    async with promptly():
        await log.append(0, [filling(A, 1)], 1)


async def test_a_log_with_other_partitions_is_refused_with_the_cure(database: AsyncEngine) -> None:
    with pytest.raises(LogMismatchError, match=f"set BANK_PARTITIONS={PARTITIONS}"):
        await PostgresLog.open(database, CODEC, PARTITIONS + 1)
    assert (await PostgresLog.open(database, CODEC)).partition_count == PARTITIONS


async def test_migrating_again_keeps_the_log_and_its_partitions(
    database_url: URL, database: AsyncEngine, log: PostgresLog
) -> None:
    await log.append(0, [filling(A)], 0)
    await database.dispose()
    migrate(database_url, PARTITIONS + 3)
    again = await PostgresLog.open(database, CODEC, PARTITIONS)
    assert again.incarnation == log.incarnation
    assert await places(again) == [(1, A, 1)]


async def test_a_database_without_a_log_is_refused_with_the_cure(
    database: AsyncEngine, log: PostgresLog
) -> None:
    async with database.begin() as connection:
        kept = (await connection.execute(text("table log_settings"))).one()
        await connection.execute(text("delete from log_settings"))
    try:
        with pytest.raises(LogMismatchError, match="run the command `migrate`"):
            await PostgresLog.open(database, CODEC, PARTITIONS)
    finally:
        async with database.begin() as connection:
            restore = text("insert into log_settings values (:only_row, :partition_count, :name)")
            values = dict(zip(("only_row", "partition_count", "name"), kept, strict=True))
            await connection.execute(restore, values)
    assert log.incarnation


async def test_an_empty_database_is_refused_with_the_cure(postgres: EmbeddedPostgres) -> None:
    engine = create_async_engine(postgres.url("postgres"))
    try:
        with pytest.raises(LogMismatchError, match="run the command `migrate`"):
            await PostgresLog.open(engine, CODEC, PARTITIONS)
    finally:
        await engine.dispose()


async def test_a_pool_without_a_free_connection_is_a_log_unavailable(database_url: URL) -> None:
    engine = create_async_engine(database_url, pool_size=1, max_overflow=0, pool_timeout=0.1)
    log = await PostgresLog.open(engine, CODEC, PARTITIONS)
    try:
        async with engine.connect():
            with pytest.raises(LogUnavailableError):
                await log.heads()
    finally:
        await engine.dispose()


@pytest.fixture
def own_server() -> Iterator[Path]:
    """The folder of a server that the test may stop."""
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder) / "data"


def _started(data_dir: Path) -> EmbeddedPostgres:
    settings = {**embedded.SETTINGS, "shared_buffers": "16MB"}
    return embedded.start(data_dir, settings=settings)


async def test_a_server_that_stops_is_unavailable_and_back_when_it_starts(own_server: Path) -> None:
    with _started(own_server) as server:
        url = make_url(server.url())
        migrate(url, 1)
        engine = create_async_engine(url)
        log = await PostgresLog.open(engine, CODEC, 1)
        await log.append(0, [filling(A, under=key(1))], 0)
        sleepy = await engine.connect()
        await sleepy.execute(text("select pg_advisory_xact_lock(4242, 0)"))
        in_flight = asyncio.create_task(log.append(0, [filling(A, 1)], 1))
        await let_run()
    head = 1
    try:
        await in_flight
    except LogUnavailableError:
        pass
    else:
        head = 2  # the server ended the lock's holder first, and had the time to append
    await sleepy.invalidate()
    for _ in range(2):  # with connections that break, and with none
        for asking in (
            log.append(0, [filling(A, 1)], 1),
            log.read(0, 0, 10),
            log.heads(),
            log.outcomes([key(1)]),
        ):
            with pytest.raises(LogUnavailableError):
                await asking
    with _started(own_server):
        assert await places(log) == [(number, A, number) for number in range(1, head + 1)]
        assert (await log.append(0, [filling(A, head)], head)).head == head
        assert set(await log.outcomes([key(1)])) == {key(1)}
        await engine.dispose()


@pytest.mark.parametrize("reads_first", [True, False])
async def test_the_first_to_ask_after_a_restart_is_answered(
    own_server: Path, *, reads_first: bool
) -> None:
    with _started(own_server) as server:
        url = make_url(server.url())
        migrate(url, 1)
        engine = create_async_engine(url)
        replace_broken_connections(engine)
        log = await PostgresLog.open(engine, CODEC, 1)
        await log.append(0, [filling(A)], 0)
    with _started(own_server):
        await let_run()  # the driver hears that the old connections are gone
        if reads_first:
            assert await log.heads() == [1]
        assert (await log.append(0, [filling(A, 1)], 1)).head == 1
        await engine.dispose()
