"""Bringing the databases to this release."""

import asyncio

from sqlalchemy.ext.asyncio import create_async_engine

from .. import schema
from ..bootstrap import Addresses
from ..config import Settings
from ..privacy.postgres import create_schema


def migrate(settings: Settings, addresses: Addresses) -> None:
    """Events, read models and keys; harmless when all is there already."""
    schema.migrate(addresses.events, settings.partitions)
    asyncio.run(migrate_keys(addresses))


def migrate_embedded(settings: Settings, addresses: Addresses) -> None:
    """The same for a PostgreSQL of our own, which nobody else looks after."""
    if settings.database_url is None:
        migrate(settings, addresses)


async def migrate_keys(addresses: Addresses) -> None:
    """Create the table of data keys unless it is there."""
    engine = create_async_engine(addresses.keys, hide_parameters=True)
    try:
        await create_schema(engine)
    finally:
        await engine.dispose()
