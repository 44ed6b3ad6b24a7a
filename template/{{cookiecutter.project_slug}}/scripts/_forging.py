"""Forge the stored log, as somebody with PostgreSQL's superuser could: to see whether it is found.

Each kind keeps what can be kept, so that nothing gives it away but what is made to: JSON stays
JSON, and positions stay gapless.
"""

import re

import psycopg
from _processes import fail
from _storage import address, server

DIGIT = re.compile(r"\d(?=\D*$)")
SEALED = re.compile(r'(?<=")s1\.[^"]+(?=")')
KINDS = ("alter", "remove", "insert", "reorder", "truncate", "rewrite", "swap")

Place = tuple[int, int]
"""Partition and position."""


def forge(kind: str, at: tuple[str, str], other: tuple[str, str]) -> None:
    """Forge the event at a place, which is given as text; of `swap` also the other one."""
    place = _place(at)
    if kind not in KINDS:
        fail(f"there is no kind {kind!r}: choose one of {', '.join(KINDS)}")
    with server() as postgres, psycopg.connect(address(postgres)) as connection:
        _forge(connection, kind, place, other)


def _forge(connection: psycopg.Connection, kind: str, at: Place, other: tuple[str, str]) -> None:
    data = _data(connection, at)
    match kind:
        case "alter" | "rewrite":
            _store(connection, at, _altered(data))
        case "remove":
            _remove(connection, at)
        case "insert":
            _insert(connection, at)
        case "reorder":
            _reorder(connection, at)
        case "truncate":
            connection.execute("delete from events where partition = %s and position >= %s", at)
        case "swap":
            _swap(connection, at, _place(other))
    connection.execute("truncate snapshots")  # a state folded before would hide what was done


def _place(given: tuple[str, str]) -> Place:
    try:
        return int(given[0]), int(given[1])
    except ValueError:
        fail("say which event by its --partition and --position; swap needs two")


def _altered(data: str) -> str:
    """One byte of it another: its last digit."""
    return DIGIT.sub(lambda digit: str((int(digit[0]) + 1) % 10), data)


def _remove(connection: psycopg.Connection, at: Place) -> None:
    connection.execute("delete from events where partition = %s and position = %s", at)
    _shift(connection, at, -1)


def _insert(connection: psycopg.Connection, at: Place) -> None:
    """The same event once more, behind it, as the newest of its stream."""
    partition, position = at
    _shift(connection, at, 1)
    connection.execute(
        """
        insert into events
        select partition, position + 1, stream_id,
               (select max(version) + 1 from events where stream_id = e.stream_id),
               type, schema_version, recorded_at, meta, data
          from events as e where partition = %s and position = %s
        """,
        (partition, position),
    )


def _reorder(connection: psycopg.Connection, at: Place) -> None:
    """Exchange the event and the next one."""
    partition, position = at
    following = (partition, position + 1)
    _data(connection, following)
    for before, after in ((position, 0), (position + 1, position), (0, position + 1)):
        _move(connection, partition, before, after)


def _swap(connection: psycopg.Connection, one: Place, other: Place) -> None:
    """Exchange the first sealed text of each."""
    found = [(place, _data(connection, place)) for place in (one, other)]
    sealed = [SEALED.search(data) for _, data in found]
    for (place, data), own, foreign in zip(found, sealed, reversed(sealed), strict=True):
        if own is None or foreign is None:
            fail("one of the two events has no sealed text")
        _store(connection, place, data[: own.start()] + foreign[0] + data[own.end() :])


def _shift(connection: psycopg.Connection, behind: Place, by: int) -> None:
    """Move all events behind a place; by way of negative positions, for none may be taken twice."""
    partition, position = behind
    connection.execute(
        "update events set position = -position where partition = %s and position > %s",
        (partition, position),
    )
    connection.execute(
        "update events set position = %s - position where partition = %s and position < 0",
        (by, partition),
    )


def _move(connection: psycopg.Connection, partition: int, before: int, after: int) -> None:
    connection.execute(
        "update events set position = %s where partition = %s and position = %s",
        (after, partition, before),
    )


def _data(connection: psycopg.Connection, at: Place) -> str:
    query = "select data from events where partition = %s and position = %s"
    row = connection.execute(query, at).fetchone()
    if row is None:
        fail(f"there is no event at {at[0]}/{at[1]}")
    data: str = row[0]
    return data


def _store(connection: psycopg.Connection, at: Place, data: str) -> None:
    statement = "update events set data = %s where partition = %s and position = %s"
    connection.execute(statement, (data, *at))
