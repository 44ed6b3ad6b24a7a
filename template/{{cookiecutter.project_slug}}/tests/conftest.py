"""What tests share: one embedded PostgreSQL for all of them, and a database of its own for each."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import URL, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from ourbank import embedded
from ourbank.bootstrap import Addresses
from ourbank.config import Settings
from ourbank.embedded import EmbeddedPostgres
from ourbank.privacy.postgres import create_schema
from ourbank.schema import migrate
from ourbank.secrets_store import Secrets

PARTITIONS = 4
POOL_SIZE = 12


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever asks for the server is marked so: `-m "not postgres"` needs no list."""
    for item in items:
        if "postgres" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.postgres)


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """A server for the whole run. Commits are as durable as in earnest."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    folder.chmod(0o711)  # the server's user has to get through
    settings = {**embedded.SETTINGS, "shared_buffers": "64MB"}
    with embedded.start(folder / "data", settings=settings) as server:
        yield server
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def migrated_url(postgres: EmbeddedPostgres) -> URL:
    """A database for events, migrated once. Tests ask for `database_url`: that is empty, too."""
    postgres.create_database("bank")
    url = make_url(postgres.url("bank"))
    migrate(url, PARTITIONS)
    return url


@pytest.fixture
def database_url(migrated_url: URL) -> URL:
    """A migrated database with nothing in it."""
    _empty(migrated_url)
    return migrated_url


@pytest.fixture
async def database(database_url: URL) -> AsyncIterator[AsyncEngine]:
    """Connections to it, as a process of the bank has them."""
    engine = create_async_engine(
        database_url, pool_size=POOL_SIZE, max_overflow=0, hide_parameters=True
    )
    yield engine
    await engine.dispose()


@pytest.fixture(scope="session")
def keys_schema_url(postgres: EmbeddedPostgres) -> URL:
    """A database for data keys. Tests ask for `keys_url`: that is empty, too."""
    postgres.create_database("keys")
    url = make_url(postgres.url("keys"))
    asyncio.run(_make_keys_schema(url))
    return url


@pytest.fixture
def keys_url(keys_schema_url: URL) -> URL:
    """A database for data keys with nothing in it."""
    _empty(keys_schema_url)
    return keys_schema_url


@pytest.fixture
def addresses(database_url: URL, keys_url: URL) -> Addresses:
    """Both databases of a bank, with nothing in them."""
    return Addresses(events=database_url, keys=keys_url)


@pytest.fixture(scope="session")
def secrets_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Secrets made on the spot."""
    folder = tmp_path_factory.mktemp("bank") / "secrets"
    Secrets(folder).create()
    return folder


@pytest.fixture
def settings(tmp_path: Path, secrets_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of a fresh bank; no `.env` is read."""
    monkeypatch.chdir(tmp_path)
    return Settings(data_dir=tmp_path, secrets_dir=secrets_dir, partitions=PARTITIONS)


async def _make_keys_schema(url: URL) -> None:
    engine = create_async_engine(url)
    await create_schema(engine)
    await engine.dispose()


_EMPTY = """
    set synchronous_commit = off;
    select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid();
    do $$ declare name regclass; begin
      for name in select oid from pg_class
                   where relnamespace = 'public'::regnamespace and relkind = 'r'
                     and relname not in ('alembic_version', 'log_settings')
      loop execute 'delete from ' || name; end loop;
      if to_regclass('leases') is not null then
        insert into leases (partition)
        select generate_series(0, partition_count - 1) from log_settings;
      end if;
    end $$;
"""


def _empty(url: URL) -> None:
    """Leave the tables and nothing in them: a new database would take a second on a busy disk."""
    with psycopg.connect(
        host=str(url.query["host"]), user=url.username, dbname=url.database, autocommit=True
    ) as connection:
        connection.execute(_EMPTY.encode())
