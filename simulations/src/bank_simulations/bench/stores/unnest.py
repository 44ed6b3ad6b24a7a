"""Raw `INSERT … unnest`: as fast as PostgreSQL takes rows from Python into a log without rules.

The table has the columns and the indexes of the bank's log, and nothing else: no lock, no expected
version, no outcome of a key. asyncpg prepares the statement once and sends arrays, in autocommit.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import asyncpg  # type: ignore[import-untyped]
import uvloop

from bank_simulations.bench.inside.lines import hear, say
from bank_simulations.bench.inside.rows import Rows

if TYPE_CHECKING:
    from asyncpg.pool import Pool  # type: ignore[import-untyped]

CONNECTIONS_MAX = 16
TABLE = """
create table events (
  partition int not null, position bigint not null, stream_id text not null collate "C",
  version bigint not null, type text not null collate "C", schema_version smallint not null,
  recorded_at timestamptz not null, meta text not null, data text not null,
  primary key (partition, position));
create unique index events_stream on events (stream_id, version);
"""
INSERT = """
insert into events select * from unnest(
  $1::int[], $2::bigint[], $3::text[], $4::bigint[], $5::text[], $6::smallint[], $7::timestamptz[],
  $8::text[], $9::text[])
"""
SETTINGS = {"driver": "asyncpg", "loop": "uvloop", "statement": "prepared", "transaction": "each"}


async def main(job: dict[str, Any]) -> None:
    """Make the table, then insert as told."""
    pool = await asyncpg.create_pool(job["uri"], min_size=1, max_size=CONNECTIONS_MAX)
    try:
        await pool.execute(TABLE)
        say({"settings": SETTINGS})
        while (wanted := await asyncio.to_thread(hear)) is not None:
            say(await _run(pool, wanted))
    finally:
        await pool.close()


async def _run(pool: Pool, wanted: dict[str, Any]) -> dict[str, Any]:
    before = await pool.fetchval("select count(*) from events")
    started = time.perf_counter()
    until = started + wanted["seconds"]
    writers = [_write(pool, worker, until, wanted) for worker in range(wanted["connections"])]
    counts = await asyncio.gather(*writers)
    took = time.perf_counter() - started
    stored = await pool.fetchval("select count(*) from events") - before
    return {"events": sum(counts), "seconds": took, "stored": stored}


async def _write(pool: Pool, partition: int, until: float, wanted: dict[str, Any]) -> int:
    rows, batch, count = Rows(wanted["seed"], partition), wanted["batch"], 0
    async with pool.acquire() as connection:
        last = "select coalesce(max(position), 0) from events where partition = $1"
        head = await connection.fetchval(last, partition)
        while time.perf_counter() < until:
            streams, versions, types, schemas, metas, datas = zip(*rows.next(batch), strict=True)
            places = ([partition] * batch, range(head + 1, head + batch + 1))
            times = [datetime.now(UTC)] * batch
            values = (streams, versions, types, schemas, times, metas, datas)
            await connection.execute(INSERT, *places, *values)
            head, count = head + batch, count + batch
    return count


if __name__ == "__main__":
    first = hear()
    if first is not None:
        uvloop.run(main(first))
