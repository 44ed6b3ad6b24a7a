"""Connections to PostgreSQL: borrowed from the pool, or kept for what runs all the time."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import lru_cache, partial
from typing import Any

import asyncpg
from sqlalchemy import AdaptedConnection, Select, TextClause, event, text
from sqlalchemy.dialects.postgresql import asyncpg as asyncpg_dialect
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    DisconnectionError,
    IntegrityError,
    NotSupportedError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from .log import LogUnavailableError

_OUR_FAULT = (
    DataError,
    IntegrityError,
    NotSupportedError,
    ProgrammingError,
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.FeatureNotSupportedError,
    asyncpg.SyntaxOrAccessError,
)
"""Errors of a statement; any other is one of the connection or the server."""
_UNAVAILABLE = (
    DBAPIError,
    PoolTimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    OSError,
    TimeoutError,
)
_BEGIN, _COMMIT = text("begin"), text("commit")


@contextmanager
def _told_apart() -> Iterator[None]:
    """A fault of ours stays what it is, a lost server is a LogUnavailableError."""
    try:
        yield
    except _OUR_FAULT:
        raise
    except _UNAVAILABLE as error:
        raise LogUnavailableError(type(error).__name__) from error


@asynccontextmanager
async def connected(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection of the pool; LogUnavailableError when the server is lost."""
    with _told_apart():
        async with engine.connect() as connection:
            yield connection


def replace_broken_connections(engine: AsyncEngine) -> None:
    """Let nobody be given a connection that the driver knows to be lost: after a restart of the
    server the first to ask gets a new one. Nothing was sent on it, so nothing is in doubt.
    """

    @event.listens_for(engine.sync_engine, "checkout")
    def check(connection: AdaptedConnection, *_: object) -> None:
        if _is_lost(connection.driver_connection):
            raise DisconnectionError


def tell_of_connections(engine: AsyncEngine, listener: Callable[[], None]) -> None:
    """Call it whenever a connection was made, before anything is asked on it."""

    @event.listens_for(engine.sync_engine, "connect")
    def tell(*_: object) -> None:
        listener()


def _is_lost(driver: Any) -> bool:
    return bool(driver.is_closed() if hasattr(driver, "is_closed") else driver.closed)


Statement = TextClause | Select[Any]
"""One that is made once: it is remembered how the driver takes it."""
Run = Callable[[Statement, Mapping[str, Any]], Awaitable[Sequence[Any]]]
"""Runs a statement, and gives its rows."""


class KeptConnections:
    """For what is asked all the time. LogUnavailableError when it is not known whether it was done.

    A connection is taken from the pool once and kept, and with asyncpg a statement goes to the
    driver itself: to borrow one each time, and to go through SQLAlchemy, takes the process three
    times as long as what is asked.
    """

    def __init__(self, engine: AsyncEngine, count: int, session: TextClause | None = None) -> None:
        """No more than `count` are kept: who comes while these are in use borrows one of the pool,
        or a rush of callers would leave nothing there. `session` is run once on each connection.
        """
        self._count = count
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._session = session
        self._idle: list[AsyncConnection] = []
        self._run = _through_asyncpg if engine.driver == "asyncpg" else _through_sqlalchemy
        event.listen(engine.sync_engine, "engine_disposed", self._end)

    async def fetch(self, statement: Statement, arguments: Mapping[str, Any]) -> Sequence[Any]:
        """The rows of one statement, which is a transaction of its own."""
        async with self._one() as connection:
            return await self._run(connection, statement, arguments)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Run]:
        """Statements that are one transaction; an exception undoes them."""
        async with self._one() as connection:
            run = partial(self._run, connection)
            await run(_BEGIN, {})
            yield run
            await run(_COMMIT, {})

    @asynccontextmanager
    async def _one(self) -> AsyncIterator[AsyncConnection]:
        """A connection, which nobody is given again when something goes wrong on it."""
        with _told_apart():
            connection = await self._take()
            try:
                yield connection
            except BaseException:
                await _drop(connection)
                raise
            await self._leave(connection)

    async def _take(self) -> AsyncConnection:
        while self._idle:
            connection = self._idle.pop()
            if not _is_lost(_driver(connection)):
                return connection
            await _drop(connection)
        connection = await self._engine.connect()
        try:
            if self._session is not None:
                await connection.execute(self._session)
        except BaseException:
            await _drop(connection)
            raise
        return connection

    async def _leave(self, connection: AsyncConnection) -> None:
        if len(self._idle) < self._count:
            self._idle.append(connection)
        elif self._session is None:
            await connection.close()  # back to the pool
        else:
            await _drop(connection)  # as it was set up, it is of no use to others

    def _end(self, _engine: object) -> None:
        """When the engine ends, which knows nothing of what was taken from its pool."""
        for connection in self._idle:
            assert connection.sync_connection is not None  # noqa: S101 (it was connected)
            connection.sync_connection.invalidate()
            connection.sync_connection.close()
        self._idle.clear()


async def _drop(connection: AsyncConnection) -> None:
    await connection.invalidate()
    await connection.close()


def _driver(connection: AsyncConnection) -> Any:
    """The driver's own connection."""
    assert connection.sync_connection is not None  # noqa: S101 (it was connected)
    return connection.sync_connection.connection.driver_connection


async def _through_sqlalchemy(
    connection: AsyncConnection, statement: Statement, arguments: Mapping[str, Any]
) -> Sequence[Any]:
    result = await connection.execute(statement, arguments)
    return result.all() if result.returns_rows else ()


async def _through_asyncpg(
    connection: AsyncConnection, statement: Statement, arguments: Mapping[str, Any]
) -> Sequence[Any]:
    query, names = _numbered(statement)
    rows: Sequence[Any] = await _driver(connection).fetch(query, *[arguments[n] for n in names])
    return rows


@lru_cache(maxsize=1_000)
def _numbered(statement: Statement) -> tuple[str, Sequence[str]]:
    """A statement as asyncpg takes it: parameters are numbers; and which they are."""
    dialect = asyncpg_dialect.dialect()  # type: ignore[no-untyped-call]
    compiled = statement.compile(dialect=dialect)
    return str(compiled), compiled.positiontup or ()
