"""Who is alive shares the partitions evenly; who dies or leaves is replaced."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from ourbank.eventsourcing import lease
from ourbank.eventsourcing.lease import Leases
from ourbank.eventsourcing.log import LogUnavailableError
from ourbank.eventsourcing.postgres_projection import (
    PostgresLeases,
)

from .adapters import until
from tests.conftest import PARTITIONS

pytestmark = pytest.mark.postgres
ALL = set(range(PARTITIONS))
LONG_SECONDS = 60.0


class Bench:
    """What a worker works on; `told` is all it was told, in order."""

    def __init__(self, name: str, told: list[tuple[str, str, int]]) -> None:
        self._name = name
        self._told = told
        self.held: dict[int, int] = {}

    async def hold(self, partition: int, epoch: int) -> None:
        self._told.append((self._name, "hold", partition))
        self.held[partition] = epoch

    async def release(self, partition: int) -> None:
        self._told.append((self._name, "release", partition))
        self.held.pop(partition, None)

    def holds(self, partition: int) -> bool:
        return partition in self.held


class Staff:
    """Workers on one database."""

    def __init__(self, database: AsyncEngine) -> None:
        self.database = database
        self.told: list[tuple[str, str, int]] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.leases: dict[str, Leases] = {}

    def hire(self, name: str) -> Bench:
        bench = Bench(name, self.told)
        self.leases[name] = Leases(name, PostgresLeases(self.database), [bench])
        self.tasks[name] = asyncio.create_task(self.leases[name].run())
        return bench

    async def kill(self, name: str) -> None:
        """Stop without a word."""
        self.tasks[name].cancel()
        await asyncio.gather(self.tasks[name], return_exceptions=True)


@pytest.fixture
async def staff(database: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Staff]:
    monkeypatch.setattr(lease, "RENEW_SECONDS", 0.02)
    hired = Staff(database)
    yield hired
    for name in hired.tasks:
        await hired.kill(name)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases that end soon when they are not renewed."""
    monkeypatch.setattr(lease, "LEASE_SECONDS", 0.5)


@pytest.fixture
def long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases that do not end within a test."""
    monkeypatch.setattr(lease, "LEASE_SECONDS", LONG_SECONDS)


@pytest.mark.usefixtures("long")
async def test_who_is_alone_holds_everything(staff: Staff) -> None:
    bench = staff.hire("a")
    await until(lambda: set(bench.held) == ALL)
    assert staff.leases["a"].held == bench.held


@pytest.mark.usefixtures("long")
async def test_newcomers_get_their_share_without_a_partition_ever_held_twice(staff: Staff) -> None:
    a = staff.hire("a")
    await until(lambda: set(a.held) == ALL)
    b = staff.hire("b")
    await until(lambda: len(a.held) == len(b.held) == PARTITIONS // 2)
    c = staff.hire("c")
    await until(lambda: max(len(x.held) for x in (a, b, c)) <= 2)
    await until(lambda: set(a.held) | set(b.held) | set(c.held) == ALL)
    _assert_never_held_twice(staff)


@pytest.mark.usefixtures("short")
async def test_the_partitions_of_the_dead_move(staff: Staff) -> None:
    a, b = staff.hire("a"), staff.hire("b")
    await until(lambda: len(a.held) == len(b.held) == PARTITIONS // 2)
    epochs = dict(b.held)
    await staff.kill("b")
    await until(lambda: set(a.held) == ALL)
    assert all(a.held[partition] > epoch for partition, epoch in epochs.items())


@pytest.mark.usefixtures("long")
async def test_who_leaves_in_order_hands_over_at_once(staff: Staff) -> None:
    """Before the leases end: they are long."""
    a, b = staff.hire("a"), staff.hire("b")
    await until(lambda: len(a.held) == len(b.held) == PARTITIONS // 2)
    await staff.kill("b")
    await staff.leases["b"].close()
    assert b.held == {}
    await until(lambda: set(a.held) == ALL)
    _assert_never_held_twice(staff)


@pytest.mark.usefixtures("long")
async def test_who_lost_a_lease_stops_working_on_it(staff: Staff) -> None:
    """As after a long pause: somebody else holds the partition, under a new epoch."""
    bench = staff.hire("a")
    await until(lambda: set(bench.held) == ALL)
    async with staff.database.begin() as connection:
        stolen = "update leases set owner = 'x', epoch = epoch + 1 where partition = 2"
        await connection.execute(text(stolen))
    await until(lambda: set(bench.held) == ALL - {2})
    assert ("a", "release", 2) in staff.told


@pytest.mark.usefixtures("long")
async def test_who_gave_a_partition_up_is_asked_again_while_the_lease_is_held(
    staff: Staff,
) -> None:
    bench = staff.hire("a")
    await until(lambda: set(bench.held) == ALL)
    epoch = bench.held.pop(1)
    await until(lambda: bench.held.get(1) == epoch)


class _Faulty(PostgresLeases):
    """Fails once."""

    def __init__(self, engine: AsyncEngine, fault: Exception) -> None:
        super().__init__(engine)
        self._faults = [fault]

    async def renew(self, owner: str, seconds: float) -> tuple[dict[int, int], int]:
        if self._faults:
            raise self._faults.pop()
        return await super().renew(owner, seconds)


@pytest.mark.parametrize(
    "fault",
    [
        LogUnavailableError(),
        RuntimeError("deadlock detected"),
    ],
)
async def test_a_fault_of_the_store_does_not_end_the_keeping_of_leases(
    database: AsyncEngine, fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "RENEW_SECONDS", 0.01)
    leases = Leases("a", _Faulty(database, fault), [])
    running = asyncio.create_task(leases.run())
    try:
        await until(lambda: set(leases.held) == ALL or running.done())
        assert not running.done()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def _assert_never_held_twice(staff: Staff) -> None:
    holder: dict[int, str] = {}
    for name, what, partition in staff.told:
        if what == "hold":
            assert partition not in holder
            holder[partition] = name
        elif holder.get(partition) == name:
            del holder[partition]
