"""Read models, checkpoints and leases in PostgreSQL.

Read models can be rebuilt from the log, so their transactions need not wait for the disk: a crash
of the server loses rows and checkpoints together, and they are folded again.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Column, LargeBinary, Table, TextClause, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncEngine

from .connections import KeptConnections, Run, connected
from .projection import Advance, Changes, CheckpointMovedError, Key, ReadModel, key_text

_ADVANCE = text("""
    update checkpoints c set position = n.after
      from unnest(cast(:names as text[]), cast(:partitions as int[]), cast(:epochs as int[]),
                  cast(:befores as bigint[]), cast(:afters as bigint[])) as n(name, partition,
                  epoch, before, after)
     where c.read_model = n.name and c.partition = n.partition and c.position = n.before
       and (n.epoch = 0  -- NO_LEASE
            or exists (select from leases l where l.partition = n.partition and l.epoch = n.epoch))
    returning c.partition
""")
_BEGIN = text("""
    insert into checkpoints
    select name, :partition, 0 from unnest(cast(:names as text[])) as n(name)
    on conflict do nothing
""")
_CHECKPOINTS = text("""
    select read_model, position from checkpoints
     where partition = :partition and read_model = any(cast(:names as text[]))
""")
_POSITIONS = text("select partition, position from checkpoints where read_model = :name")
_KEEP = text("""
    update checkpoints c set position = n.position
      from unnest(cast(:partitions as int[]), cast(:positions as bigint[])) as n(partition,
      position)
     where c.read_model = :name and c.partition = n.partition and c.position < n.position
""")
_PARKED = text("""
    select distinct key from parked_events where read_model = :name and partition = :partition
""")
_PARK = text("""
    insert into parked_events (read_model, partition, position, key, error)
    values (:read_model, :partition, :position, cast(:key as text[]), :error)
""")


class PostgresReadModels:
    """The read model store on PostgreSQL."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._kept = KeptConnections(engine, 1, text("set synchronous_commit = off"))
        self._looks = KeptConnections(engine, 1)

    async def checkpoints(self, partition: int, names: Sequence[str]) -> dict[str, int]:
        """Also writes those that are not there yet, so that they can be compared and set."""
        arguments = {"partition": partition, "names": list(names)}
        async with connected(self._engine) as connection, connection.begin():
            await connection.execute(_BEGIN, arguments)
            rows = await connection.execute(_CHECKPOINTS, arguments)
            return {row.read_model: row.position for row in rows}

    async def positions(self, read_model: str) -> dict[int, int]:
        """How far a read model has come, by partition."""
        rows = await self._looks.fetch(_POSITIONS, {"name": read_model})
        return dict(map(tuple, rows))

    async def keep(self, name: str, positions: dict[int, int]) -> None:
        """Move checkpoints of a follower forward, never back."""
        arguments = {
            "name": name,
            "partitions": list(positions),
            "positions": list(positions.values()),
        }
        async with connected(self._engine) as connection, connection.begin():
            await connection.execute(_KEEP, arguments)

    async def parked(self, partition: int, name: str) -> set[tuple[str, ...]]:
        """The keys as text (`key_text`)."""
        async with connected(self._engine) as connection:
            rows = await connection.execute(_PARKED, {"name": name, "partition": partition})
            return {tuple(row.key) for row in rows}

    async def load(self, model: ReadModel, keys: Collection[Key]) -> dict[Key, Any]:
        """One query for all keys."""
        table: Table = model.table
        arguments = _columns(keys, [column.name for column in table.primary_key])
        rows = await self._kept.fetch(_select(table), arguments)
        width = len(table.primary_key)
        return {tuple(row[:width]): model.row_type(*row) for row in rows}

    async def commit(
        self,
        models: Mapping[str, ReadModel],
        changes: Mapping[str, Changes],
        advances: Sequence[Advance],
    ) -> None:
        """Checkpoints first, so that who lost a partition learns it before writing anything."""
        async with self._kept.transaction() as run:
            await _advance(run, advances)
            await _write(run, models, changes)
            for name, change in changes.items():
                await _write_rare(run, models[name], change)


async def _advance(run: Run, advances: Sequence[Advance]) -> None:
    rows = [(a.read_model, a.partition, a.epoch, a.before, a.after) for a in advances]
    arguments = _columns(rows, ("names", "partitions", "epochs", "befores", "afters"))
    moved = await run(_ADVANCE, arguments)
    if len(moved) != len(advances):
        msg = f"{len(advances) - len(moved)} of {len(advances)} checkpoints had moved"
        raise CheckpointMovedError(msg)


async def _write(run: Run, models: Mapping[str, ReadModel], changes: Mapping[str, Changes]) -> None:
    """The rows of all read models, in one statement."""
    kept = {
        name: rows
        for name, change in changes.items()
        if (rows := [row for row in change.rows.values() if row is not None])
    }
    if kept:
        statement = _upserts(tuple((models[name].table, models[name].row_type) for name in kept))
        documents = [msgspec.json.encode(rows).decode() for rows in kept.values()]
        await run(statement, {f"rows_{n}": rows for n, rows in enumerate(documents)})


async def _write_rare(run: Run, model: ReadModel, change: Changes) -> None:
    """Rows that go, and events that are parked."""
    gone = [key for key, row in change.rows.items() if row is None]
    if gone:
        names = [column.name for column in model.table.primary_key]
        await run(_delete(model.table), _columns(gone, names))
    for key, recorded, error in change.parked:
        parked = {
            "read_model": model.name,
            "partition": recorded.partition,
            "position": recorded.position,
            "key": list(key_text(key)),
            "error": error,
        }
        await run(_PARK, parked)


def _columns(rows: Any, names: Sequence[str]) -> dict[str, list[Any]]:
    return {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}


# Statements, one of each kind for a table. Rows travel as one JSON document, encoded in one
# call: of arrays the driver looks at every element, and that took longer than all the folding.
# Keys travel as one array a column.


def _keys(table: Table) -> str:
    return ", ".join(f"cast(:{c.name} as {_type(c)}[])" for c in table.primary_key)


def _type(column: Column[Any]) -> str:
    """The type as a cast names it: a cast knows no collation."""
    name = column.type.compile(postgresql.dialect())  # type: ignore[no-untyped-call]
    return name.partition(" COLLATE")[0]


def _names(columns: Any) -> str:
    return ", ".join(f'"{column.name}"' for column in columns)


@cache
def _upserts(tables: tuple[tuple[Table, type], ...]) -> TextClause:
    """One statement for all of them; `rows_0` and on are the rows of each."""
    parts = [
        f"t_{n} as ({_upsert(table, row_type, f'rows_{n}')})"
        for n, (table, row_type) in enumerate(tables)
    ]
    return text(f"with {', '.join(parts)} select")


def _upsert(table: Table, row_type: type, rows: str) -> str:
    """TypeError for rows that JSON would write wrongly and without a word."""
    names_of_row = [field.name for field in fields(row_type)]
    if names_of_row != [column.name for column in table.columns]:
        raise TypeError(f"{row_type.__name__} must have the columns of {table.name}, in order")
    if any(isinstance(column.type, LargeBinary) for column in table.columns):
        raise TypeError(f"{table.name}: bytes do not travel in a read model, encode them as text")
    rest = [column for column in table.columns if not column.primary_key]
    updates = ", ".join(f'"{c.name}" = excluded."{c.name}"' for c in rest)
    names = _names(table.columns)
    document = f"json_populate_recordset(cast(null as {table.name}), cast(:{rows} as json))"
    return f"""
        insert into {table.name} ({names}) select {names} from {document}
        on conflict ({_names(table.primary_key)}) do update set {updates}
    """  # noqa: S608 (names of our own tables)


@cache
def _select(table: Table) -> TextClause:
    key = _names(table.primary_key)
    return text(f"""
        select {_names(table.columns)} from {table.name}
         where ({key}) in (select * from unnest({_keys(table)}))
    """)  # noqa: S608


@cache
def _delete(table: Table) -> TextClause:
    key = _names(table.primary_key)
    return text(f"""
        delete from {table.name}
         where ({key}) in (select * from unnest({_keys(table)}))
    """)  # noqa: S608


class PostgresLeases:
    """The lease store on PostgreSQL: one clock, the server's. Every statement is a
    transaction, so that a worker that is stopped in the middle of one leaves nothing locked. It has
    a connection of its own: queries may take all the others for longer than a lease is good for.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._kept = KeptConnections(engine, 1)

    async def renew(self, owner: str, seconds: float) -> tuple[dict[int, int], int]:
        """Also says that the owner lives; the share is the partitions by the number of the living,
        rounded up.
        """
        rows = await self._kept.fetch(_RENEW, {"owner": owner, "seconds": seconds})
        held = {partition: epoch for partition, epoch, _ in rows if partition is not None}
        return held, rows[0][2]

    async def claim(self, owner: str, count: int, seconds: float) -> dict[int, int]:
        """Skips partitions that somebody else is claiming at this moment; forgets the dead."""
        arguments = {"owner": owner, "count": count, "seconds": seconds}
        await self._kept.fetch(_FORGET_THE_DEAD, {})
        return dict(map(tuple, await self._kept.fetch(_CLAIM, arguments)))

    async def release(self, owner: str, partitions: list[int]) -> None:
        """Only what is still the owner's."""
        await self._kept.fetch(_RELEASE, {"owner": owner, "partitions": partitions})

    async def leave(self, owner: str) -> None:
        """Give up everything, and a place among the living."""
        await self._kept.fetch(_LEAVE, {"owner": owner})


_RENEW = text("""
    with alive as (
        insert into workers values (:owner, clock_timestamp() + make_interval(secs => :seconds))
        on conflict (owner) do update set expires_at = excluded.expires_at
    ), held as (
        update leases set expires_at = clock_timestamp() + make_interval(secs => :seconds)
         where owner = :owner and expires_at > clock_timestamp() returning partition, epoch
    ), others as (
        select count(*) as living from workers
         where owner <> :owner and expires_at >= clock_timestamp()
    )
    select held.partition, held.epoch,
           cast(ceil((select count(*) from leases)::numeric / (others.living + 1)) as int) as share
      from others left join held on true
""")
_FORGET_THE_DEAD = text("""
    delete from workers where owner in (
        select owner from workers where expires_at < clock_timestamp() for update skip locked)
""")
_CLAIM = text("""
    update leases set owner = :owner, epoch = epoch + 1,
                      expires_at = clock_timestamp() + make_interval(secs => :seconds)
     where partition in (
             select partition from leases where expires_at < clock_timestamp()
              order by partition limit :count for update skip locked)
    returning partition, epoch
""")
_RELEASE = text("""
    update leases set expires_at = '-infinity'
     where owner = :owner and partition = any(cast(:partitions as int[]))
""")
_LEAVE = text("""
    with released as (
        update leases set expires_at = '-infinity' where owner = :owner
    )
    delete from workers where owner = :owner
""")
