"""The log in PostgreSQL: one call appends a batch (migrations/sql/0001_append_events.sql).

Reads and appends are single statements, so every connection is in autocommit: no transaction of
ours can ever be left open, and an append costs one round trip.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine

from .codec import Codec
from .connections import KeptConnections, connected
from .event import Recorded
from .log import (
    LOAD_EVENTS_MAX,
    Append,
    Appended,
    LogMismatchError,
    Outcome,
    Snapshot,
    StreamRange,
)

# A batch travels as one text a column, a value a line: no id, name, number or JSON text has a line
# break in it. Of arrays the driver would look at every element, which takes longer than all the
# rest. An empty line is null.
_EXPECTS = {"expect_append": "int", "expect_stream": "text", "expect_version": "bigint"}
_KEYS = {
    "key_append": "int",
    "key_id": "uuid",
    "key_fingerprint": "text",
    "key_stream": "text",
    "key_version": "bigint",
    "key_event_count": "int",
    "key_rejection": "text",
}
_EVENTS = {
    "event_append": "int",
    "event_stream": "text",
    "event_version": "bigint",
    "event_type": "text",
    "event_schema": "smallint",
    "event_meta": "text",
    "event_data": "text",
}


def _parameters(columns: Mapping[str, str]) -> str:
    return ", ".join(
        f"cast(string_to_array(:{name}, chr(10), '') as {kind}[])" for name, kind in columns.items()
    )


_APPEND = text(f"""
    select head, at, stale, duplicate from append_events(:partition, :expected_head,
      {_parameters(_EXPECTS)}, {_parameters(_KEYS)}, {_parameters(_EVENTS)})
""")  # noqa: S608 (the columns are the constants above)
_COLUMNS = "partition, position, stream_id, version, type, schema_version, recorded_at, meta, data"
# One range after the other, each from the index: sorting them all would take every page as long.
_LOAD = text(f"""
    select {_COLUMNS}
      from (select stream collate "C", after, up_to
              from unnest(cast(:streams as text[]), cast(:after as bigint[]),
                          cast(:up_to as bigint[])) as u(stream, after, up_to)
             order by 1) as s
     cross join lateral (
           select * from events
            where stream_id = s.stream and version > s.after and version <= s.up_to
            order by version limit :limit) as e
     order by s.stream, version limit :limit
""")  # noqa: S608 (the columns are the constant above)
_READ = text(f"""
    select {_COLUMNS} from events
     where partition = :partition and position > :after order by position limit :limit
""")  # noqa: S608
_HEADS = text("""
    select coalesce((select position from events where partition = p order by position desc limit
    1), 0)
      from generate_series(0, :last) as p order by p
""")
_OUTCOMES = text("""
    select replace(cast(key as text), '-', '') as key, fingerprint, stream_id, version, event_count,
           rejection
      from outcomes where key = any(cast(:keys as uuid[]))
""")
_SETTINGS = text("select partition_count, incarnation from log_settings")


class PostgresLog:
    """The log port on PostgreSQL; `open()` it, the constructor does not look at the store."""

    def __init__(
        self, engine: AsyncEngine, codec: Codec, partition_count: int, incarnation: str
    ) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._kept = KeptConnections(engine, partition_count + 2)  # loops, heads, who follows
        self._codec = codec
        self.partition_count = partition_count
        self.incarnation = incarnation

    @classmethod
    async def open(
        cls, engine: AsyncEngine, codec: Codec, partition_count: int | None = None
    ) -> "PostgresLog":
        """The log in this database; LogMismatchError when it was created with other partitions."""
        no_log = LogMismatchError("the database has no log yet: run the command `migrate`")
        try:
            async with connected(engine) as connection:
                row = (await connection.execute(_SETTINGS)).one_or_none()
        except ProgrammingError:
            raise no_log from None
        if row is None:
            raise no_log
        if partition_count not in (None, row.partition_count):
            msg = (
                f"the log was created with {row.partition_count} partitions, the settings say"
                f" {partition_count}: set BANK_PARTITIONS={row.partition_count}"
            )
            raise LogMismatchError(msg)
        return cls(engine, codec, row.partition_count, row.incarnation)

    async def append(
        self, partition: int, appends: Sequence[Append], expected_head: int
    ) -> Appended:
        """One round trip; see the port."""
        arguments: dict[str, Any] = _columns(appends)
        arguments |= {"partition": partition, "expected_head": expected_head}
        ((head, at, *refused),) = await self._kept.fetch(_APPEND, arguments)
        stale, duplicate = (frozenset(i - 1 for i in indexes) for indexes in refused)
        return Appended(head, at, stale, duplicate)

    async def load(
        self, ranges: Sequence[StreamRange], limit: int = LOAD_EVENTS_MAX
    ) -> list[Recorded]:
        """One query for all ranges."""
        arguments = _transposed(ranges, ("streams", "after", "up_to"))
        return await self._events(_LOAD, {**arguments, "limit": limit})

    async def read(self, partition: int, after: int, limit: int) -> list[Recorded]:
        """One range scan of the primary key."""
        arguments = {"partition": partition, "after": after, "limit": limit}
        return await self._events(_READ, arguments)

    async def heads(self) -> list[int]:
        """One index probe a partition."""
        rows = await self._kept.fetch(_HEADS, {"last": self.partition_count - 1})
        return [head for (head,) in rows]

    async def outcomes(self, keys: Sequence[str]) -> dict[str, Outcome]:
        """One query for all keys."""
        async with connected(self._engine) as connection:
            rows = await connection.execute(_OUTCOMES, {"keys": list(keys)})
            return {row.key: Outcome._make(row) for row in rows}

    async def _events(self, query: TextClause, arguments: dict[str, Any]) -> list[Recorded]:
        rows = await self._kept.fetch(query, arguments)
        return [self._codec.decoded(Recorded(*row)) for row in rows]


def _columns(appends: Sequence[Append]) -> dict[str, Any]:
    """The batch as the parameters that the function takes; appends are numbered from 1."""
    numbered = list(enumerate(appends, start=1))
    expects = [(number, *expected) for number, append in numbered for expected in append.expected]
    events = [(number, *event) for number, append in numbered for event in append.events]
    keys: list[tuple[Any, ...]] = []
    for number, append in numbered:
        if append.key is not None:
            stream, version = append.expected[0]
            count = sum([event.stream_id == stream for event in append.events])
            rejection = append.rejection or ""
            keys.append((number, append.key, append.fingerprint, stream, version, count, rejection))
    return {**_lines(expects, _EXPECTS), **_lines(keys, _KEYS), **_lines(events, _EVENTS)}


def _lines(rows: Sequence[tuple[Any, ...]], columns: Iterable[str]) -> dict[str, str]:
    """The rows' columns, each as one text; ValueError for a value that is more than one line."""
    texts = {
        name: "\n".join(map(str, values))
        for name, values in _transposed(rows, list(columns)).items()
    }
    breaks = max(0, len(rows) - 1)
    if any(text.count("\n") != breaks for text in texts.values()):
        raise ValueError("a line break in a value would move the values after it to other rows")
    return texts


def _transposed(rows: Sequence[tuple[Any, ...]], names: Sequence[str]) -> dict[str, list[Any]]:
    if not rows:
        return {name: [] for name in names}
    return {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}


class PostgresSnapshots:
    """The snapshot store on PostgreSQL."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")

    async def load(self, streams: Sequence[str]) -> list[Snapshot]:
        """One query for all streams."""
        query = text("""
            select stream_id, version, fingerprint, state
              from snapshots where stream_id = any(cast(:streams as text[]))
        """)
        async with connected(self._engine) as connection:
            rows = await connection.execute(query, {"streams": list(streams)})
            return [Snapshot._make(row) for row in rows]

    async def save(self, snapshots: Sequence[Snapshot]) -> None:
        """One statement; an older version never replaces a newer one."""
        statement = text("""
            insert into snapshots
            select * from unnest(cast(:streams as text[]), cast(:versions as bigint[]),
                                 cast(:fingerprints as bytea[]), cast(:states as bytea[]))
            on conflict (stream_id) do update
               set version = excluded.version, fingerprint = excluded.fingerprint, state =
               excluded.state
             where snapshots.version < excluded.version
                or snapshots.fingerprint <> excluded.fingerprint
        """)
        newest = {snapshot.stream_id: snapshot for snapshot in snapshots}.values()
        names = ("streams", "versions", "fingerprints", "states")
        async with connected(self._engine) as connection:
            await connection.execute(statement, _transposed([tuple(s) for s in newest], names))
