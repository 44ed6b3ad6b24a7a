"""What outlives the process: events and things as JSON, in one SQLite file.

What is appended and put between two commits is kept as one, or not at all, through a SIGKILL of the
process. Nothing waits for the disk itself: the power may not fail.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

SCHEMA = """
pragma journal_mode = wal;
pragma synchronous = off;
create table if not exists events (
    partition integer not null, position integer not null, doc text not null,
    primary key (partition, position)
);
create table if not exists things (
    kind text not null, id text not null, doc text not null, primary key (kind, id)
);
"""

Doc = dict[str, Any]


class Disk:
    """One file; in memory without a folder."""

    def __init__(self, folder: Path | None, name: str) -> None:
        self.folder = folder
        file = ":memory:" if folder is None else str(folder / name)
        self.connection = sqlite3.connect(file, isolation_level=None)
        self.connection.executescript(SCHEMA)
        self.appended: list[tuple[int, int, bytes]] = []
        self.changed: dict[tuple[str, str], Callable[[], Doc]] = {}

    def append(self, partition: int, position: int, doc: bytes) -> None:
        """Keep an event with the next commit."""
        self.appended.append((partition, position, doc))

    def put(self, kind: str, identity: str, doc: Callable[[], Doc]) -> None:
        """Keep a thing, as it is at the next commit."""
        self.changed[kind, identity] = doc

    def commit(self) -> None:
        """Keep what was appended and put since the last commit."""
        if not self.appended and not self.changed:
            return
        things = [(*name, msgspec.json.encode(doc())) for name, doc in self.changed.items()]
        with self.connection:  # commits, or rolls back what an error cut short
            self.connection.execute("begin")
            self.connection.executemany(
                "insert into events values (?, ?, cast(? as text))", self.appended
            )
            self.connection.executemany(
                "insert into things values (?, ?, cast(? as text))"
                " on conflict do update set doc = excluded.doc",
                things,
            )
        self.appended, self.changed = [], {}

    def events(self) -> Iterator[tuple[int, int, str]]:
        """Return every event that is kept: partition, position and what was stored."""
        yield from self.connection.execute(
            "select partition, position, doc from events order by partition, position"
        )

    def things(self, kind: str) -> dict[str, Doc]:
        """Return every thing of a kind that is kept, by its id."""
        found = self.connection.execute(
            "select id, doc from things where kind = ? order by rowid", (kind,)
        )
        return {identity: msgspec.json.decode(doc) for identity, doc in found}
