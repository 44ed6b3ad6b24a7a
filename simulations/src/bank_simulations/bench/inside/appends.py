"""The bank's log alone: batches of the common rows through its append, nothing decided."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import uvloop

from .lines import hear, say
from .rows import Rows
from .session import Session, opened


async def main(job: dict[str, Any]) -> None:
    """Append as told, one writer a partition at most."""
    async with opened(job["package"], with_worker=False) as session:
        say({"connections_max": session.process.bank.log.partition_count})
        while (wanted := await asyncio.to_thread(hear)) is not None:
            say(await _run(session, wanted))


async def _run(session: Session, wanted: dict[str, Any]) -> dict[str, Any]:
    heads = await session.process.bank.log.heads()
    started = time.perf_counter()
    until = started + wanted["seconds"]
    counts = await asyncio.gather(
        *(
            _write(session, Rows(wanted["seed"], worker), worker, heads[worker], until, wanted)
            for worker in range(wanted["connections"])
        )
    )
    took = time.perf_counter() - started
    stored = sum(await session.process.bank.log.heads()) - sum(heads)
    return {"events": sum(counts), "seconds": took, "stored": stored}


async def _write(
    session: Session, rows: Rows, partition: int, head: int, until: float, wanted: dict[str, Any]
) -> int:
    """Append each event as a decision of its own, as the engine's batches do."""
    log, batch, count = session.process.bank.log, wanted["batch"], 0
    append = session.part("eventsourcing.log").Append
    event = session.part("eventsourcing.event").EventData
    while time.perf_counter() < until:
        appends = [
            append([(row.stream_id, row.version - 1)], [event(*row)]) for row in rows.next(batch)
        ]
        head = (await log.append(partition, appends, head)).head + batch
        count += batch
    return count


if __name__ == "__main__":
    first = hear()
    if first is not None:
        uvloop.run(main(first))
