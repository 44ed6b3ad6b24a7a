"""What a partition keeps in memory and in snapshots: bounded, current, and never needed."""

import asyncio
import gc
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ourbank.eventsourcing.aggregate import StateCache, Versioned
from ourbank.eventsourcing.codec import StateCodec
from ourbank.eventsourcing.engine import Engine
from ourbank.eventsourcing.event import Recorded
from ourbank.eventsourcing.log import Snapshot, StreamRange

from .adapters import Adapter, let_run, promptly
from .engines import Interposed, filled_up, level, running
from .jars import CODEC, JARS, META, Filled, Jar, Poured, jar, smash
from .log_contract import A, B
from tests.conftest import PARTITIONS

FINGERPRINT = StateCodec(Jar).fingerprint


async def kept(adapter: Adapter, stream: str, version: int) -> Snapshot:
    """The snapshot of a stream, once there is one at this version."""
    async with promptly():
        while True:
            found = await adapter.snapshots.load([stream])
            if found and found[0].version == version:
                return found[0]
            await asyncio.sleep(0.005)


def in_memory(engine: Engine, streams: list[str]) -> list[str]:
    return [stream for stream in streams if engine.peek(stream) is not None]


async def test_the_cache_is_bounded_and_what_left_it_is_loaded_again(
    adapter: Adapter, interposed: Interposed
) -> None:
    streams = [jar(n) for n in range(10)]
    async with running(interposed, adapter.snapshots, cache_size=3 * PARTITIONS) as engine:
        for _ in range(2):
            for stream in streams:
                await filled_up(engine, stream)
        assert in_memory(engine, streams) == streams[-3:]
        assert [await level(engine, stream) for stream in streams] == [2] * 10
        assert len(in_memory(engine, streams)) == 3


async def test_a_batch_larger_than_the_cache_is_decided_all_the_same(
    adapter: Adapter, interposed: Interposed
) -> None:
    streams = [jar(n) for n in range(10)]
    async with promptly(), running(interposed, adapter.snapshots, cache_size=1) as engine:
        await asyncio.gather(*[filled_up(engine, stream) for stream in streams * 3])
        assert [await level(engine, stream) for stream in streams] == [3] * 10


async def test_what_was_used_last_stays(adapter: Adapter) -> None:
    async with running(adapter.log, adapter.snapshots, cache_size=2 * PARTITIONS) as engine:
        for stream in (A, B, A, jar(7)):
            await filled_up(engine, stream)
        assert in_memory(engine, [A, B, jar(7)]) == [A, jar(7)]


async def test_a_state_in_memory_is_not_loaded_again(
    adapter: Adapter, interposed: Interposed
) -> None:
    async with running(interposed, adapter.snapshots) as engine:
        for _ in range(3):
            await filled_up(engine, A)
        assert await level(engine, A) == 3
    assert interposed.ranges == [StreamRange(A, 0)]


async def test_what_has_ended_leaves_the_cache_and_can_still_be_read(adapter: Adapter) -> None:
    async with running(adapter.log, adapter.snapshots) as engine:
        await filled_up(engine, A, 5)
        await engine.execute((A,), smash(A), META)
        assert engine.peek(A) is None
        assert (await engine.read(A)).state == Jar(5, is_broken=True)


async def test_snapshots_are_written_and_only_the_tail_is_loaded(
    adapter: Adapter, interposed: Interposed
) -> None:
    async with running(adapter.log, adapter.snapshots, snapshot_every=3) as engine:
        for _ in range(7):
            await filled_up(engine, A, 2)
        snapshot = await kept(adapter, A, 6)
    assert JARS.from_snapshot(snapshot) == Versioned(6, Jar(12))
    async with running(interposed, adapter.snapshots) as restarted:
        assert await level(restarted, A) == 14
        assert (await filled_up(restarted, A)).version == 8
    assert interposed.ranges == [StreamRange(A, 6)]


async def test_a_snapshot_equals_the_fold_also_in_the_middle_of_a_batch(adapter: Adapter) -> None:
    async with promptly(), running(adapter.log, adapter.snapshots, snapshot_every=4) as engine:
        await asyncio.gather(*[filled_up(engine, A, n) for n in range(1, 7)])
        snapshot = await kept(adapter, A, 6)  # at the end of the batch that went past 4
        assert JARS.from_snapshot(snapshot) == Versioned(6, Jar(21))


async def test_a_snapshot_of_another_schema_is_ignored(adapter: Adapter) -> None:
    async with running(adapter.log, adapter.snapshots) as engine:
        await filled_up(engine, A, 5)
    await adapter.snapshots.save([Snapshot(A, 1, b"another schema", b'{"level":1000}')])
    async with running(adapter.log, adapter.snapshots) as restarted:
        assert await level(restarted, A) == 5


async def test_a_snapshot_that_cannot_be_decoded_costs_time_and_nothing_else(
    adapter: Adapter,
) -> None:
    async with running(adapter.log, adapter.snapshots) as engine:
        await filled_up(engine, A, 5)
    await adapter.snapshots.save([Snapshot(A, 1, FINGERPRINT, b'{"level":')])
    async with running(adapter.log, adapter.snapshots) as restarted:
        assert await level(restarted, A) == 5


@pytest.fixture
async def unheard() -> list[str]:
    """What the event loop complains of: exceptions of tasks that nobody asked after."""
    complaints: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: complaints.append(str(context["message"])))
    return complaints


@pytest.fixture
def full_disk(adapter: Adapter, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """No snapshot can be written; set when it was tried."""
    tried = asyncio.Event()

    async def save(snapshots: object) -> None:
        del snapshots
        tried.set()
        raise OSError

    monkeypatch.setattr(adapter.snapshots, "save", save)
    return tried


@pytest.mark.usefixtures("unheard")
async def test_a_snapshot_that_cannot_be_written_costs_nothing(
    adapter: Adapter, full_disk: asyncio.Event
) -> None:
    async with promptly(), running(adapter.log, adapter.snapshots, snapshot_every=1) as engine:
        await filled_up(engine, A)
        await full_disk.wait()
        assert (await filled_up(engine, A)).version == 2


async def test_a_snapshot_that_cannot_be_written_is_a_line_in_the_log(
    adapter: Adapter,
    full_disk: asyncio.Event,
    unheard: list[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with promptly(), running(adapter.log, adapter.snapshots, snapshot_every=1) as engine:
        await filled_up(engine, A)
        await full_disk.wait()
        await filled_up(engine, A)
    gc.collect()
    assert unheard == []
    assert "snapshot" in caplog.text


async def test_stopping_finishes_the_snapshots_under_way(
    adapter: Adapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    resume, written = asyncio.Event(), asyncio.Event()

    async def save(snapshots: object) -> None:
        del snapshots
        await resume.wait()
        written.set()

    monkeypatch.setattr(adapter.snapshots, "save", save)
    async with running(adapter.log, adapter.snapshots, snapshot_every=1) as engine:
        await filled_up(engine, A)
        await let_run()
        asyncio.get_running_loop().call_later(0.05, resume.set)
    assert written.is_set()


amounts = st.lists(st.tuples(st.sampled_from([Filled, Poured]), st.integers(0, 100)), max_size=30)


@given(amounts, st.integers(0, 30))
def test_a_snapshot_anywhere_and_the_tail_give_the_whole_fold(
    changes: list[tuple[type[Filled] | type[Poured], int]], at: int
) -> None:
    events = [_recorded(n, kind(amount)) for n, (kind, amount) in enumerate(changes, start=1)]
    whole = JARS.fold(JARS.initial(A), events)
    begun = JARS.fold(JARS.initial(A), events[:at])
    if begun.state is not None:
        restored = JARS.from_snapshot(JARS.snapshot(A, begun))
        assert restored == begun
        assert JARS.fold(restored, events[at:]) == whole


@given(st.integers(1, 5), st.lists(st.integers(0, 9), max_size=40))
def test_the_least_recently_used_go_first(capacity: int, uses: list[int]) -> None:
    cache, order = StateCache(capacity), list[int]()
    for use in uses:
        if cache.get(jar(use)) is None:
            cache.update({jar(use): Versioned(use, None)})
        order = [*(other for other in order if other != use), use][-capacity:]
    assert len(cache) == len(order)
    assert [cache.get(jar(n)) for n in order] == [Versioned(n, None) for n in order]


def _recorded(version: int, event: Filled | Poured) -> Recorded:
    event_type, schema_version, data = CODEC.encode(event)
    at = datetime(2026, 11, 23, tzinfo=UTC)
    return Recorded(0, version, A, version, event_type, schema_version, at, META, data, event)
