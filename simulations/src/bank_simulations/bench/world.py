"""A bank with a log of any length: made by the bank itself, then copied under other ids.

The first 10,000 events are real: accounts opened and transfers completed by the bank's own engine.
A longer log is made of copies of them in SQL, set by set: every stream under a new id in the same
partition, at the next positions, with its outcomes under keys of their own. Each copy is as valid
as the original, and no copy touches another, so histories are as long at every size. Read models
are not copied: the bank makes them anew from the log, which is timed.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from string import Template
from typing import TYPE_CHECKING, Any

from bank_simulations.console import BrokenRunError, Progress

from .bank import Bank, Databases
from .inside.workloads import UNIFORM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .plan import Bench

FIRST_EVENTS = 10_000
ACCOUNTS = 20
EVENTS_OF_ACCOUNTS, EVENTS_PER_TRANSFER = 2 * ACCOUNTS + 1, 5
IN_FLIGHT = 100
MAKING_SECONDS_MAX = 120.0
COPIES_AT_A_TIME = 50
REBUILDING_SECONDS_MAX = 6 * 3600.0

ORIGINAL = """
create unlogged table bench_original as select * from events where stream_id !~ '^cus_';
create unlogged table bench_outcomes as
  select outcomes.* from outcomes where stream_id !~ '^cus_';
"""
# An id is a prefix and 32 hex digits. The first eight are of the time: a copy has its number there.
# Customers are not copied: the copies' accounts are the same customer's.
COPY = Template(r"""
create function pg_temp.copied(text, copy int) returns text immutable language sql as $$$$
  select regexp_replace($$1, '\m((?!cus_)[a-z]{3}_)[0-9a-f]{8}(?=[0-9a-f]{24})',
                        '\1' || lpad(to_hex(copy), 8, '0'), 'g') $$$$;
with heads as (select partition, max(position) as head from events group by partition),
     last as (select max(recorded_at) as at from events)
insert into events
select o.partition, h.head + row_number() over (partition by o.partition order by copy, o.position),
       pg_temp.copied(o.stream_id, copy), o.version, o.type, o.schema_version, last.at, o.meta,
       pg_temp.copied(o.data, copy)
  from bench_original o join heads h using (partition) cross join last
 cross join generate_series($first, $last) as copy;
insert into outcomes
select gen_random_uuid(), o.fingerprint, pg_temp.copied(o.stream_id, copy), o.version,
       o.event_count, o.rejection, o.recorded_at
  from bench_outcomes o cross join generate_series($first, $last) as copy;
""")
CAUGHT_UP = """
update checkpoints c set position = h.head
  from (select partition, max(position) as head from events group by partition) h
 where c.partition = h.partition
"""
SAMPLE = """
select stream_id from (select stream_id from events where type = 'AccountOpened') a
 order by md5(stream_id || '{seed}') limit {count}
"""


@dataclass(slots=True)
class World:
    """A bank's databases, and how often its first events are in them."""

    bench: Bench
    bank: Bank
    databases: Databases
    copies: int = 0

    @classmethod
    def create(cls, bench: Bench, bank: Bank, name: str) -> World:
        """The first 10,000 events, made by the bank."""
        world = cls(bench, bank, Databases.create(bench.server, name))
        with bank.inside("engine", world.databases) as child:
            child.ask({"package": bank.package, "accounts": ACCOUNTS})
            wanted = {"workload": UNIFORM, "in_flight": IN_FLIGHT, "seed": f"{bench.plan.seed}"}
            transfers = (FIRST_EVENTS - EVENTS_OF_ACCOUNTS) // EVENTS_PER_TRANSFER
            child.ask({**wanted, "seconds": MAKING_SECONDS_MAX, "transfers_max": transfers})
        world.query(ORIGINAL)
        return world

    def query(self, statement: str) -> str:
        """Ask the database of the events."""
        return self.bench.server.query(statement, self.databases.events)

    @property
    def events(self) -> int:
        """How many there are."""
        return int(self.query("select count(*) from events"))

    def grow(self, wanted: int) -> None:
        """Copy the first events until there are about `wanted`; BrokenRunError where ids meet."""
        size = int(self.query("select count(*) from bench_original"))
        more = max(0, (wanted - self.events) // size)
        with Progress(f"Copying events to {wanted:,}", more) as progress:
            for first in range(self.copies + 1, self.copies + more + 1, COPIES_AT_A_TIME):
                last = min(first + COPIES_AT_A_TIME - 1, self.copies + more)
                self.query(COPY.substitute(first=first, last=last))
                progress.advance(last - first + 1)
        self.copies += more
        self.query("analyze")
        self._require_gapless()

    def _require_gapless(self) -> None:
        gaps = "select count(*) from (select 1 from events group by partition"
        if int(self.query(f"{gaps} having max(position) <> count(*)) as torn")):
            raise BrokenRunError("the copied log has gaps: is the bank's table another one?")

    def rebuild(self) -> dict[str, dict[str, Any]]:
        """Let the bank make its read models anew; events and seconds of each."""
        self.query(CAUGHT_UP)  # what is made anew is complete, and copied sagas have all ended
        with self.bank.inside("rebuild", self.databases) as child:
            found: dict[str, dict[str, Any]] = child.ask(
                {"package": self.bank.package}, REBUILDING_SECONDS_MAX
            )
        return found

    def accounts(self, count: int) -> list[str]:
        """Some accounts, drawn from all there are."""
        seed = self.bench.plan.seed
        return self.query(SAMPLE.format(seed=seed, count=count)).splitlines()

    @contextmanager
    def copied(self) -> Iterator[Databases]:
        """The same world once more, for what would make it longer."""
        server, of = self.bench.server, self.databases
        copy = Databases(server.copy(of.events, "world_copy"), server.copy(of.keys, "world_keys"))
        try:
            yield copy
        finally:
            copy.drop(server)

    def drop(self) -> None:
        """Give the disk back."""
        self.databases.drop(self.bench.server)
