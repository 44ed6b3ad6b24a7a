"""The recorder of the `eventsourcing` library on PostgreSQL, alone: stored events, nothing else.

Its functions in the database are switched on, which save a round trip, and the pool has a
connection for each thread.
"""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

from eventsourcing.persistence import InfrastructureFactory, StoredEvent
from eventsourcing.utils import Environment

from bank_simulations.bench.inside.lines import hear, say
from bank_simulations.bench.inside.rows import Row, Rows
from bank_simulations.bench.stores.library_settings import environment, shown
from bank_simulations.bench.stores.threads import together

NAME = "Bench"
THREADS_MAX = 16


def main(job: dict[str, Any]) -> None:
    """Make its table, then record as told."""
    settings = environment(job["uri"], THREADS_MAX)
    factory: InfrastructureFactory[Any] = InfrastructureFactory.construct(
        Environment(NAME, settings)
    )
    try:
        recorder = factory.application_recorder()
        say({"settings": shown(settings)})
        while (wanted := hear()) is not None:
            say(_run(recorder, wanted))
    finally:
        factory.close()


def _run(recorder: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    before = recorder.max_notification_id() or 0

    def write(worker: int, until: float) -> int:
        rows, batch, count = Rows(wanted["seed"], worker), wanted["batch"], 0
        while time.perf_counter() < until:
            recorder.insert_events([_stored(row) for row in rows.next(batch)])
            count += batch
        return count

    events, took = together(wanted["connections"], wanted["seconds"], write)
    stored = (recorder.max_notification_id() or 0) - before
    return {"events": events, "seconds": took, "stored": stored}


def _stored(row: Row) -> StoredEvent:
    """The same row; the library's ids are UUIDs."""
    stream = UUID(hex=row.stream_id[4:])
    return StoredEvent(stream, row.version, row.type, row.data.encode())


if __name__ == "__main__":
    first = hear()
    if first is not None:
        main(first)
