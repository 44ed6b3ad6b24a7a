"""The log under test, of each kind, and engines on it."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from ourbank.eventsourcing.engine import Engine
from ourbank.eventsourcing.log import Log, SnapshotStore

from .adapters import Adapter, MemoryAdapter, PostgresAdapter
from .engines import Interposed, running


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def postgres_adapter(database: AsyncEngine) -> PostgresAdapter:
    return await PostgresAdapter.open(database)


@pytest.fixture
def adapter(kind: str, request: pytest.FixtureRequest) -> Adapter:
    if kind == "memory":
        return MemoryAdapter()
    postgres: Adapter = request.getfixturevalue("postgres_adapter")
    return postgres


@pytest.fixture
def log(adapter: Adapter) -> Log:
    return adapter.log


@pytest.fixture
def snapshots(adapter: Adapter) -> SnapshotStore:
    return adapter.snapshots


@pytest.fixture
def interposed(adapter: Adapter) -> Interposed:
    return Interposed(adapter.log)


@pytest.fixture
async def engine(interposed: Interposed, adapter: Adapter) -> AsyncIterator[Engine]:
    async with running(interposed, adapter.snapshots) as started:
        yield started


@pytest.fixture
async def other(adapter: Adapter) -> AsyncIterator[Engine]:
    """The engine of another process."""
    async with running(await adapter.another(), adapter.snapshots) as started:
        yield started
