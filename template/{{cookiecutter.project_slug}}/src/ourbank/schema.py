"""Makes the database, and brings it to this release: the log is migrated, read models are made
anew.
"""

import secrets
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Connection, create_engine, text

from .readmodels import metadata

MIGRATIONS = Path(__file__).parents[2] / "migrations"
LOCK = 4243
"""The advisory lock under which one process migrates at a time."""


def migrate(url: URL, partition_count: int, migrations: Path = MIGRATIONS) -> None:
    """Bring the database at `url` to this release; harmless when it is there already.

    `partition_count` is fixed the first time and ignored afterwards: opening the log compares it.
    """
    engine = create_engine(url.set(drivername="postgresql+psycopg"))
    try:
        with engine.begin() as connection:
            connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            _upgrade(connection, migrations)
            _settle(connection, partition_count)
            metadata.create_all(connection)
    finally:
        engine.dispose()


def renew_incarnation(url: URL) -> None:
    """After a restore the log is another one: positions handed out before must not be taken for
    its own.
    """
    engine = create_engine(url.set(drivername="postgresql+psycopg"))
    try:
        with engine.begin() as connection:
            connection.execute(
                text("update log_settings set incarnation = :incarnation"),
                {"incarnation": secrets.token_hex(8)},
            )
    finally:
        engine.dispose()


def _upgrade(connection: Connection, migrations: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _settle(connection: Connection, partition_count: int) -> None:
    """Fix the number of partitions, name this incarnation of the log, make the leases."""
    connection.execute(
        text("""
            insert into log_settings (partition_count, incarnation)
            values (:partition_count, :incarnation) on conflict do nothing
        """),
        {"partition_count": partition_count, "incarnation": secrets.token_hex(8)},
    )
    connection.execute(
        text("""
            insert into leases (partition)
            select generate_series(0, partition_count - 1) from log_settings on conflict do nothing
        """)
    )
