"""Forging the reference bank's storage while it is stopped, as one could who may write the file.

Each kind keeps what can be kept, so that nothing gives it away but what is made to: JSON stays
JSON, and positions stay gapless. Who truncates or rewrites also mends what the storage says of the
log: the hashes of the leaves, and the checkpoints, which cannot be signed anew and therefore go.
"""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from .trees import leaf_hash

SEALED = ("personal", "narrative")
AFTER = "partition = ? and position > ?"
LEAVES = "kind = 'leaf' and id = ?"
SIGNED_SINCE = """
    kind = 'checkpoint' and id like ? || '/%'
    and cast(substr(id, instr(id, '/') + 1) as integer) >= ?
"""


class ForgeryError(Exception):
    """There is nothing to forge at that place."""


class Place(NamedTuple):
    """Where an event is."""

    partition: int
    position: int


def forge(file: Path, asked: Mapping[str, str]) -> None:
    """Do what the hook `mutate` is asked for.

    Raises:
        ForgeryError: there is no such event, or no such kind of forgery.
    """
    with closing(sqlite3.connect(file)) as connection, connection:
        storage, place = Storage(connection), _place(asked)
        kinds: dict[str, Callable[[], None]] = {
            "alter": lambda: storage.put(place, altered(storage.doc(place))),
            "remove": lambda: storage.remove(place),
            "insert": lambda: storage.insert(place),
            "reorder": lambda: storage.exchange(place, place._replace(position=place.position + 1)),
            "truncate": lambda: storage.truncate(place),
            "rewrite": lambda: storage.rewrite(place),
            "swap": lambda: storage.swap(place, _place(asked, "other_")),
        }
        kind = asked.get("kind", "")
        if kind not in kinds:
            raise ForgeryError(f"no kind {kind!r}: there are {', '.join(kinds)}")
        kinds[kind]()


def _place(asked: Mapping[str, str], prefix: str = "") -> Place:
    try:
        return Place(int(asked[f"{prefix}partition"]), int(asked[f"{prefix}position"]))
    except (KeyError, ValueError):
        raise ForgeryError("an event is named by its partition and its position") from None


def _sealed(data: Mapping[str, object]) -> str:
    """Return the name of the first sealed text of an event."""
    name = next((name for name in SEALED if data.get(name)), None)
    if name is None:
        raise ForgeryError("one of the two events has no sealed text")
    return name


def altered(doc: str) -> str:
    """Return an event with one digit of its data another."""
    places = range(doc.index('"data":'), len(doc))
    place = next(one for one in places if doc[one] in "12345678")
    return f"{doc[:place]}{int(doc[place]) + 1}{doc[place + 1 :]}"


class Storage:
    """What can be written to."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def doc(self, place: Place) -> str:
        """Return what is stored of an event."""
        query = "select doc from events where partition = ? and position = ?"
        row = self.connection.execute(query, place).fetchone()
        if row is None:
            raise ForgeryError(f"no event at {place.partition}/{place.position}")
        return str(row[0])

    def put(self, place: Place, doc: str) -> None:
        """Store another event in a place."""
        statement = "update events set doc = ? where partition = ? and position = ?"
        self.connection.execute(statement, (doc, *place))

    def remove(self, place: Place) -> None:
        """Take an event away, and close the gap."""
        self.doc(place)
        self._delete("events", "partition = ? and position = ?", *place)
        self._shift(place, -1)

    def insert(self, place: Place) -> None:
        """Put a copy of an event behind it."""
        doc = self.doc(place)
        self._shift(place, 1)
        row = (place.partition, place.position + 1, doc)
        self.connection.execute("insert into events values (?, ?, ?)", row)

    def exchange(self, one: Place, other: Place) -> None:
        """Let two events change places."""
        first, second = self.doc(one), self.doc(other)
        self.put(one, second)
        self.put(other, first)

    def truncate(self, place: Place) -> None:
        """Take an event and all that follow away, with everything that is kept of them."""
        behind = (place.partition, place.position - 1)
        count = self.connection.execute(f"select count(*) from events where {AFTER}", behind)  # noqa: S608
        for offset in range(count.fetchone()[0]):
            self._delete("things", LEAVES, f"{place.partition}/{place.position + offset}")
        self._delete("events", AFTER, *behind)
        self._delete("things", SIGNED_SINCE, str(place.partition), place.position)

    def rewrite(self, place: Place) -> None:
        """Alter an event, and make everything that follows from the storage alone agree."""
        self.put(place, altered(self.doc(place)))
        hashed = base64.b64encode(leaf_hash(self.doc(place).encode())).decode()
        update = f"update things set doc = ? where {LEAVES}"  # noqa: S608  constants
        name = f"{place.partition}/{place.position}"
        self.connection.execute(update, (json.dumps({"hash": hashed}), name))
        self._delete("things", SIGNED_SINCE, str(place.partition), place.position)

    def swap(self, one: Place, other: Place) -> None:
        """Let two events exchange a sealed text."""
        first, second = json.loads(self.doc(one)), json.loads(self.doc(other))
        mine, theirs = first["data"], second["data"]
        here, there = _sealed(mine), _sealed(theirs)
        mine[here], theirs[there] = theirs[there], mine[here]
        self.put(one, json.dumps(first, separators=(",", ":")))
        self.put(other, json.dumps(second, separators=(",", ":")))

    def _delete(self, table: str, which: str, *values: str | int) -> None:
        self.connection.execute(f"delete from {table} where {which}", values)  # noqa: S608

    def _shift(self, behind: Place, by: int) -> None:
        """Move all that follows a place, by way of negative positions: none is taken twice."""
        away = f"update events set position = -position where {AFTER}"  # noqa: S608  constants
        self.connection.execute(away, behind)
        back = "update events set position = ? - position where partition = ? and position < 0"
        self.connection.execute(back, (by, behind.partition))
