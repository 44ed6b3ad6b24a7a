"""Read models of jars, in a database: how full each is, and what was ever done to it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import BigInteger, Column, MetaData, Table, Text, text
from sqlalchemy.ext.asyncio import AsyncEngine

from ourbank.eventsourcing.event import Recorded
from ourbank.eventsourcing.projection import Key, ReadModel

from .jars import Broken, Filled, Poured

metadata = MetaData()
POISON = 13
"""Who fills in this amount, breaks the fold."""


@dataclass(slots=True)
class LevelRow:
    jar_id: str
    level: int
    version: int


@dataclass(slots=True)
class ChangeRow:
    partition: int
    position: int
    jar_id: str
    amount: int


levels = Table(
    "test_levels",
    metadata,
    Column("jar_id", Text, primary_key=True),
    Column("level", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
)
changes = Table(
    "test_changes",
    metadata,
    Column("partition", BigInteger, primary_key=True),
    Column("position", BigInteger, primary_key=True),
    Column("jar_id", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
)


def _level(row: LevelRow | None, recorded: Recorded, key: Key) -> LevelRow | None:
    """Adds up: an event folded twice, or one left out, shows in the level and the version."""
    row = row or LevelRow(str(key[0]), 0, 0)
    match recorded.event:
        case Filled(amount) if amount == POISON:
            raise ValueError(amount)
        case Filled(amount):
            return replace(row, level=row.level + amount, version=row.version + 1)
        case Poured(amount):
            return replace(row, level=row.level - amount, version=row.version + 1)
        case _:
            return None


def _change(row: None, recorded: Recorded, key: Key) -> ChangeRow:
    del row, key
    event: Filled = recorded.event
    return ChangeRow(recorded.partition, recorded.position, recorded.stream_id, event.amount)


LEVELS = ReadModel(
    name="levels",
    table=levels,
    row_type=LevelRow,
    event_types=frozenset({Filled, Poured, Broken}),
    keys=lambda recorded: ((recorded.stream_id,),),
    evolve=_level,
)
CHANGES = ReadModel(
    name="changes",
    table=changes,
    row_type=ChangeRow,
    event_types=frozenset({Filled}),
    keys=lambda recorded: ((recorded.partition, recorded.position),),
    evolve=_change,
    insert_only=True,
)


@asynccontextmanager
async def shelves(database: AsyncEngine) -> AsyncIterator[None]:
    """The tables, for as long as they are needed."""
    async with database.begin() as connection:
        await connection.run_sync(metadata.create_all)
    yield
    async with database.begin() as connection:
        await connection.run_sync(metadata.drop_all)


async def rows(database: AsyncEngine, statement: str) -> list[tuple[Any, ...]]:
    async with database.connect() as connection:
        return [tuple(row) for row in await connection.execute(text(statement))]


async def level_rows(database: AsyncEngine) -> list[tuple[Any, ...]]:
    return await rows(database, "select jar_id, level, version from test_levels order by 1")


async def change_rows(database: AsyncEngine) -> list[tuple[Any, ...]]:
    return await rows(database, "select position, amount from test_changes order by 1")


async def checkpoints(database: AsyncEngine) -> dict[str, int]:
    """How far each read model has come in partition 0."""
    query = "select read_model, position from checkpoints where partition = 0"
    return {str(name): int(position) for name, position in await rows(database, query)}
