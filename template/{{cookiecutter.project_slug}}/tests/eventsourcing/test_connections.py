"""Connections that are kept: as many as there may be, and never one that is broken."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import QueuePool

from ourbank.eventsourcing.connections import (
    KeptConnections,
    tell_of_connections,
)
from ourbank.eventsourcing.log import LogUnavailableError

from .adapters import let_run

ADD = text("select cast(:a as int) + cast(:b as int) + cast(:a as int)")
WHO = text("select pg_backend_pid()")
KEEP = text("insert into log_kept values (:number)")
SLEEP = text("select pg_sleep(60)")

pytestmark = pytest.mark.postgres


@pytest.fixture(params=["asyncpg", "psycopg"])
async def engine(request: pytest.FixtureRequest, database_url: URL) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(database_url.set(drivername=f"postgresql+{request.param}"))
    yield engine
    await engine.dispose()


@pytest.fixture
def kept(engine: AsyncEngine) -> KeptConnections:
    return KeptConnections(engine, 2, text("set application_name = 'kept'"))


async def _who(kept: KeptConnections) -> int:
    ((number,),) = await kept.fetch(WHO, {})
    return int(number)


async def _are_gone(engine: AsyncEngine, numbers: set[int]) -> bool:
    """Whether none of these sessions is left at the server, which may take a moment."""
    query = text("select pid from pg_stat_activity where application_name = 'kept'")
    async with engine.connect() as connection:
        for _ in range(100):
            if not numbers & set((await connection.execute(query)).scalars()):
                return True
            await asyncio.sleep(0.01)
    return False


async def test_a_statement_is_given_its_arguments_by_name(kept: KeptConnections) -> None:
    assert [tuple(row) for row in await kept.fetch(ADD, {"b": 3, "a": 20})] == [(43,)]


async def test_one_caller_after_the_other_has_the_same_connection(kept: KeptConnections) -> None:
    assert len({await _who(kept) for _ in range(5)}) == 1
    assert len(set(await asyncio.gather(*[_who(kept) for _ in range(3)]))) == 3


async def test_a_rush_of_callers_leaves_the_pool_to_others(database_url: URL) -> None:
    engine = create_async_engine(database_url, pool_size=4, max_overflow=0, pool_timeout=5)
    try:
        for session in (None, text("set application_name = 'kept'")):
            kept = KeptConnections(engine, 1, session)
            assert len(await asyncio.gather(*[_who(kept) for _ in range(20)])) == 20
        pool = engine.pool
        assert isinstance(pool, QueuePool)
        assert pool.checkedout() == 2
        async with engine.connect() as connection:
            assert (await connection.execute(text("show application_name"))).scalar() == ""
    finally:
        await engine.dispose()


async def test_a_transaction_is_done_whole_or_not_at_all(kept: KeptConnections) -> None:
    await kept.fetch(text("create table log_kept (number int)"), {})
    try:
        async with kept.transaction() as run:
            await run(KEEP, {"number": 1})
        with suppress(KeyError):
            async with kept.transaction() as run:
                await run(KEEP, {"number": 2})
                raise KeyError
        found = await kept.fetch(text("select number from log_kept"), {})
        assert [tuple(row) for row in found] == [(1,)]
    finally:
        await kept.fetch(text("drop table log_kept"), {})


async def test_a_connection_that_broke_is_an_error_once_and_then_another(
    kept: KeptConnections,
) -> None:
    number = await _who(kept)
    with pytest.raises(LogUnavailableError):
        await kept.fetch(text("select pg_terminate_backend(pg_backend_pid())"), {})
    assert await _who(kept) != number


async def test_who_is_cancelled_leaves_no_connection_behind(
    engine: AsyncEngine, kept: KeptConnections
) -> None:
    number = await _who(kept)
    sleeping = asyncio.create_task(kept.fetch(SLEEP, {}))
    await let_run()
    sleeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sleeping
    assert await _who(kept) != number
    assert await _are_gone(engine, {number})


async def test_kept_connections_end_with_the_engine(
    engine: AsyncEngine, kept: KeptConnections, database: AsyncEngine
) -> None:
    numbers = set(await asyncio.gather(*[_who(kept) for _ in range(3)]))
    await engine.dispose()
    assert await _are_gone(database, numbers)


async def test_a_new_connection_is_told_of_before_it_answers(
    engine: AsyncEngine, kept: KeptConnections
) -> None:
    told: list[str] = []
    tell_of_connections(engine, lambda: told.append("connected"))
    assert len({await _who(kept) for _ in range(3)}) == 1
    assert told == ["connected"]
    with pytest.raises(LogUnavailableError):
        await kept.fetch(text("select pg_terminate_backend(pg_backend_pid())"), {})
    await _who(kept)
    assert told == ["connected"] * 2
