"""Is the bank well? Checks that can be made while it serves; each finding names what to do."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from ..eventsourcing.aggregate import Aggregates, Versioned
from ..eventsourcing.connections import connected
from ..eventsourcing.log import Log, StreamRange, loaded
from ..eventsourcing.postgres import PostgresSnapshots

SNAPSHOTS_MAX = 200
"""Snapshots folded again, the longest streams first."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: what was found, and the cure when it is not well."""

    name: str
    is_well: bool
    found: str
    cure: str = ""


class Doctor:
    """Looks at the log, the read models and the snapshots."""

    def __init__(self, engine: AsyncEngine, log: Log, aggregates: Aggregates) -> None:
        self._engine = engine
        self._log = log
        self._aggregates = aggregates

    async def checks(self, read_models: Sequence[str]) -> AsyncIterator[Check]:
        """All checks, one after the other."""
        yield await self._positions()
        yield await self._lag(read_models)
        yield await self._parked()
        yield await self._balances()
        yield await self._in_transit()
        yield await self._dangling()
        yield await self._snapshots()

    async def _positions(self) -> Check:
        """Positions 1..n of every partition are all there (EVENT_STORES: gapless)."""
        rows = await self._rows(
            "select partition from events group by 1 having count(*) <> max(position)"
        )
        found = f"{len(rows)} partitions with gaps" if rows else "no gap in any partition"
        return Check("log", not rows, found, "restore from a backup: events are missing")

    async def _lag(self, read_models: Sequence[str]) -> Check:
        heads = await self._log.heads()
        rows = await self._rows(
            """
            select read_model, cast(sum(position) as bigint) from checkpoints
             where read_model = any(:names) group by 1
            """,
            names=list(read_models),
        )
        done = {row[0]: row[1] for row in rows}
        behind = {n: sum(heads) - done.get(n, 0) for n in read_models}
        found = ", ".join(f"{n} {count}" for n, count in behind.items())
        is_well = max(behind.values()) < 10_000  # noqa: PLR2004 (seconds of work)
        return Check("lag in events", is_well, found, "is a worker running? see its log")

    async def _parked(self) -> Check:
        rows = await self._rows("select read_model, count(*) from parked_events group by 1")
        found = ", ".join(f"{row[0]} {row[1]}" for row in rows) or "none"
        return Check(
            "parked events", not rows, found, "mend the fold, then `rebuild` the read model"
        )

    async def _balances(self) -> Check:
        """Each account's balance is the sum of its entries (I6, I7)."""
        rows = await self._rows("""
            select account_id from accounts a
              left join (select account_id, count(*) as n, sum(case direction when 'CRDT' then
              amount_minor else -amount_minor end) as total
                           from entries group by 1) e using (account_id)
             where a.booked_minor <> coalesce(e.total, 0) or a.sequence <> coalesce(e.n, 0) limit 20
        """)
        found = (
            f"{len(rows)} accounts differ" if rows else "every balance is the sum of its entries"
        )
        return Check("balances", not rows, found, "wait for the lag to go, else `rebuild accounts`")

    async def _in_transit(self) -> Check:
        """What left and has not arrived is exactly the transfers on their way (5b)."""
        rows = await self._rows("""
            select currency, sum(case code when 'TRANSFER_IN' then amount_minor else -amount_minor
            end)
              from entries where code in ('TRANSFER_IN', 'TRANSFER_OUT') group by 1 having
                   sum(case code when 'TRANSFER_IN' then amount_minor else -amount_minor end) <> 0
        """)
        found = ", ".join(f"{row[0]} {row[1]}" for row in rows) or "nothing"
        return Check(
            "in transit", not rows, found, "normal while transfers run; at rest it must be nothing"
        )

    async def _dangling(self) -> Check:
        rows = await self._rows("""
            select count(*) from transfers
             where ended_at is null and requested_at < clock_timestamp() - interval '10 seconds'
        """)
        count = rows[0][0]
        found = f"{count} transfers older than 10 s" if count else "none older than 10 s"
        return Check("transfers in flight", not count, found, "is a worker running? see its log")

    async def _snapshots(self) -> Check:
        """A snapshot is what folding the stream gives."""
        rows = await self._rows(
            "select stream_id from snapshots order by version desc limit :limit",
            limit=SNAPSHOTS_MAX,
        )
        wrong = [row[0] for row in rows if not await self._snapshot_is_fold(row[0])]
        found = f"{len(wrong)} of {len(rows)} differ from the fold"
        return Check("snapshots", not wrong, found, "delete from snapshots: they are made again")

    async def _snapshot_is_fold(self, stream_id: str) -> bool:
        for snapshot in await PostgresSnapshots(self._engine).load([stream_id]):
            kept = self._aggregates.from_snapshot(snapshot)
            folded: Versioned = self._aggregates.initial(stream_id)
            async for recorded in loaded(self._log, [StreamRange(stream_id, 0, snapshot.version)]):
                folded = self._aggregates.fold(folded, (recorded,))
            if kept is not None and kept != folded:
                return False
        return True

    async def _rows(self, query: str, **arguments: object) -> list[tuple[Any, ...]]:
        async with connected(self._engine) as connection:
            return [tuple(row) for row in await connection.execute(text(query), arguments)]
