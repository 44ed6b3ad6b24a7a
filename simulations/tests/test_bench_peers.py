"""Each peer does what it says: what it counts is in its database, and no money came or went."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from bank_simulations.bench.append_peers import (
    Appender,
    BankLog,
    LibraryRecorder,
    Uma,
    Unnest,
)
from bank_simulations.bench.bank import ONE_PARTITION, TEMPLATE, Bank, Databases
from bank_simulations.bench.bank_peers import BankBatches, BankOverHttp, Engine
from bank_simulations.bench.groups.growth import add_throughput
from bank_simulations.bench.groups.queries import ask
from bank_simulations.bench.http_peers import OPENING_MINOR, Crud, HttpPeer, Load, Setting
from bank_simulations.bench.inside.session import FUNDS_MINOR
from bank_simulations.bench.inside.workloads import HOT, UNIFORM, ZIPF
from bank_simulations.bench.library import LibraryBank, LibrarySaga
from bank_simulations.bench.peers import Contest, Peer
from bank_simulations.bench.pgbench import Pgbench, SimpleUpdate
from bank_simulations.bench.plan import Bench, Plan
from bank_simulations.bench.postgres import Server, embedded
from bank_simulations.bench.world import ACCOUNTS, World
from bank_simulations.console import BrokenRunError

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.slow, pytest.mark.postgres]

SECONDS = 1.0
LOAD = Load(accounts=20, workload=UNIFORM, seed=7)
COMPLETED = "select count(*) from events where type = 'TransferCompleted'"
BOOKED = "select sum(booked_minor) from accounts"


@pytest.fixture(scope="module")
def place() -> Iterator[Bench]:
    plan = Plan((), Contest(1, SECONDS, 0), 20, 1, 7, 10_000, is_quick=True)
    with TemporaryDirectory(prefix="bench-") as room, embedded() as server:
        bank = Bank.find(TEMPLATE, Path(room))
        bank.prepare(server)
        yield Bench(server, bank, Path(room), plan)


@pytest.fixture
def server(place: Bench) -> Server:
    return place.server


@pytest.fixture
def bank(place: Bench) -> Bank:
    assert place.bank is not None
    return place.bank


def measured(peer: Peer, variant: Any, seconds: float = SECONDS) -> int:
    peer.prepare()
    try:
        run = peer.measure(variant, seconds)
    finally:
        peer.close()
    assert run.count > 0
    assert run.seconds >= seconds * 0.9
    return run.count


def test_raw_inserts_are_in_their_table(server: Server) -> None:
    peer = Unnest(server, 10, 1)
    count = measured(peer, 2)
    uri = server.uri.replace("/postgres?", "/append_unnest_10?")
    assert int(server.query("select count(*) from events", uri)) == count


def test_the_banks_log_has_every_row_without_gaps(server: Server, bank: Bank) -> None:
    count = measured(BankLog(bank, server, 10, 1), 2)
    uri = server.uri.replace("/postgres?", "/append_bank_10?")
    query = "select sum(head) from (select max(position) as head from events group by partition) h"
    assert int(server.query("select count(*) from events", uri)) == count
    assert int(server.query(query, uri)) == count


def test_the_librarys_recorder_has_every_row(server: Server) -> None:
    pytest.importorskip("psycopg_pool")
    count = measured(LibraryRecorder(server, 10, 1), 2)
    uri = server.uri.replace("/postgres?", "/append_library_10?")
    assert int(server.query("select count(*) from bench_events", uri)) == count


def test_umadb_has_as_many_events_as_were_appended(place: Bench) -> None:
    pytest.importorskip("umadb")
    assert measured(Uma(place.room, 10, 1), 2) % 10 == 0


def test_a_store_that_lost_rows_is_told() -> None:
    class Losing(Appender):
        title = "losing"

        def start(self) -> Any:
            return Forgetful(), {}

    with pytest.raises(BrokenRunError, match="appended 10 events, but 9 are stored"):
        measured(Losing(10, 1), 1)


class Forgetful:
    """A child that lost a row."""

    def ask(self, _job: Any) -> dict[str, Any]:
        return {"events": 10, "seconds": 1.0, "stored": 9}

    def close(self) -> None:
        """Nothing runs."""


@pytest.mark.parametrize("kind", [Pgbench, SimpleUpdate])
def test_pgbench_counts_what_is_in_its_history(server: Server, kind: type[Pgbench]) -> None:
    peer = kind(server, 1)
    peer.prepare()
    run = peer.measure(4, SECONDS)
    name = f"pgbench_{kind.script.replace('-', '_')}"
    uri = server.uri.replace("/postgres?", f"/{name}?")
    assert int(server.query("select count(*) from pgbench_history", uri)) == run.count
    assert run.usage.cpu_seconds["postgres"] > 0
    assert run.usage.cpu_seconds["client"] > 0


def test_the_crud_service_keeps_the_sum_and_a_row_a_transfer(server: Server) -> None:
    peer = Crud(server, LOAD)
    count = measured(peer, Setting(1, 4))
    uri = server.uri.replace("/postgres?", "/crud_uniform?")
    assert int(server.query("select count(*) from transfer", uri)) == count
    total = int(server.query("select sum(balance) from account", uri))
    assert total == LOAD.accounts * OPENING_MINOR
    assert len(peer.start_seconds) == 2


@pytest.mark.parametrize("kind", [LibraryBank, LibrarySaga])
def test_the_library_has_five_events_a_transfer_and_keeps_the_sum(
    server: Server, kind: type[LibraryBank]
) -> None:
    pytest.importorskip("psycopg_pool")
    count = measured(kind(server, LOAD), 2)
    uri = server.uri.replace("/postgres?", f"/{kind.database}_uniform?")
    stored = int(server.query("select count(*) from bank_events", uri))
    assert stored == LOAD.accounts + 5 * count


@pytest.mark.parametrize(("kind", "variant"), [(BankOverHttp, 1), (BankBatches, 10)])
def test_the_bank_over_http_completed_what_was_counted(
    server: Server, bank: Bank, kind: type[BankOverHttp], variant: int
) -> None:
    count = measured(kind(bank, server, LOAD), Setting(1, 4, variant))
    uri = server.uri.replace("/postgres?", f"/bank_{kind.kind}_uniform?")
    assert int(server.query(COMPLETED, uri)) == count
    assert int(server.query(BOOKED, uri)) == LOAD.accounts * OPENING_MINOR


@pytest.mark.parametrize("workload", [UNIFORM, HOT, ZIPF])
def test_the_engine_completed_and_shows_what_it_counted(
    server: Server, bank: Bank, workload: str
) -> None:
    databases = Databases.create(server, f"engine_test_{workload[0]}")
    accounts = 2 if workload == HOT else 20
    with bank.inside("engine", databases) as child:
        child.ask({"package": bank.package, "accounts": accounts})
        job = {"workload": workload, "in_flight": 50, "seconds": SECONDS, "seed": "1"}
        closed = child.ask(job)
        opened = child.ask({**job, "rate": 20.0})
    assert closed["transfers"] > 0
    assert opened["transfers"] > 0
    done = closed["transfers"] + opened["transfers"]
    assert int(server.query(COMPLETED, databases.events)) == done
    assert int(server.query(BOOKED, databases.events)) == accounts * FUNDS_MINOR
    assert 0 < opened["p50"] <= opened["p99"] <= opened["p999"] <= opened["worst"]


def test_two_processes_complete_transfers_on_one_database(server: Server, bank: Bank) -> None:
    peer = Engine(bank, server, LOAD, processes=2)
    run = peer.measure(20, SECONDS)
    assert run.count > 0
    assert run.usage.cpu_seconds["service"] > 0
    assert run.usage.disk_bytes["table events"] > 0


def test_a_bank_with_one_partition_has_one(server: Server, bank: Bank) -> None:
    peer = Engine(bank, server, LOAD, partitions=ONE_PARTITION)
    assert peer.name == "bank in-process, 1 partition"
    assert peer.measure(20, SECONDS).count > 0
    over_http = BankOverHttp(bank, server, LOAD, partitions=ONE_PARTITION)
    assert measured(over_http, Setting(1, 4)) > 0
    uri = server.uri.replace("/postgres?", "/bank_http_uniform_1?")
    assert int(server.query("select max(partition) from events", uri)) == 0
    assert int(server.query("select partition_count from log_settings", uri)) == 1


def test_a_service_that_does_not_start_ends_the_run(server: Server) -> None:
    class Absent(Crud):
        def service(self, setting: Setting, port: int) -> Any:
            made = super().service(setting, port)
            return type(made)((*made.command[:2], "no_such_module"), {})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bank_simulations.bench.http_peers.START_SECONDS_MAX", 1.0)
        peer: HttpPeer = Absent(server, Load(2, HOT, 1))
        with pytest.raises(BrokenRunError, match="is the bank up"):
            peer.prepare()


def test_growth_measures_throughput_on_a_copy_so_that_the_size_stays_what_it_says(
    place: Bench, bank: Bank
) -> None:
    world = World.create(place, bank, "growing")
    before = world.events
    add_throughput(world, before)
    assert place.figures[-1].name == f"transfers at {before:,} events"
    assert place.figures[-1].median > 0
    assert world.events == before
    world.drop()


def test_a_copied_world_has_no_gaps_and_keeps_the_sum(place: Bench, bank: Bank) -> None:
    world = World.create(place, bank, "world")
    first = world.events
    world.grow(3 * first)
    world.rebuild()
    copies = world.copies
    assert copies >= 1
    assert first == pytest.approx(10_000, rel=0.02)
    count = int(world.query("select count(distinct account_id) from accounts"))
    assert count == ACCOUNTS * (copies + 1)
    assert int(world.query(BOOKED)) == count * FUNDS_MINOR
    doubled = "select count(*) from (select stream_id from events group by stream_id, version"
    assert int(world.query(f"{doubled} having count(*) > 1) as twice")) == 0
    ask(world, "queries", first)
    names = {figure.name for figure in place.figures}
    assert f"balance at {first:,} events" in names
    assert place.left_out["statement, queries"] == "this bank does not offer it"
    world.drop()
