"""What a log must do when several write at once: the order in which things become visible."""

import asyncio
from collections import Counter
from datetime import timedelta

from ourbank.eventsourcing.event import Recorded
from ourbank.eventsourcing.log import (
    Append,
    Log,
    Snapshot,
    SnapshotStore,
)

from .adapters import Adapter, let_run, promptly
from .jars import filled, filling, jar, key
from .log_contract import A, B, places, stored
from tests.conftest import PARTITIONS


class WriterContract:
    """Of writers at once each event is stored once, in an order that never changes."""

    async def test_of_racers_on_one_version_exactly_one_wins(self, adapter: Adapter) -> None:
        logs = [await adapter.another() for _ in range(8)]
        for version in range(5):
            async with promptly():
                races = [log.append(0, [filling(A, version)], version) for log in logs]
                outcomes = await asyncio.gather(*races)
            assert sum(not outcome.stale for outcome in outcomes) == 1
        assert await places(adapter.log) == [(n, A, n) for n in range(1, 6)]

    async def test_successes_equal_events_exactly(self, adapter: Adapter) -> None:
        """Writers hammer few streams with guessed versions; what was accepted is what is there."""
        accepted: Counter[str] = Counter()
        streams = [jar(n, partition) for n in range(2) for partition in range(2)]

        async def writer(log: Log) -> None:
            at = dict.fromkeys(streams, 0)
            for _ in range(10):
                for partition in range(2):
                    mine = [s for s in streams if s.endswith(str(partition))]
                    batch = [filling(s, at[s], times=2) for s in mine]
                    appended = await log.append(partition, batch, -1)
                    for index, stream in enumerate(mine):
                        at[stream] += 2  # a success is seen; a loss teaches that somebody else won
                        accepted[stream] += 2 * (index not in appended.stale)

        async with promptly(60):
            await asyncio.gather(*[writer(await adapter.another()) for _ in range(6)])
        for partition in range(2):
            events = await stored(adapter.log, partition)
            assert [e.position for e in events] == list(range(1, len(events) + 1))
            for stream in (s for s in streams if s.endswith(str(partition))):
                versions = [e.version for e in events if e.stream_id == stream]
                assert versions == list(range(1, accepted[stream] + 1))
        assert accepted.total() == sum(await adapter.log.heads()) > 0

    async def test_a_reader_never_sees_later_before_earlier(self, adapter: Adapter) -> None:
        """While a writer pauses between insert and commit, those after it wait behind it."""
        log = adapter.log
        await log.append(0, [filling(A)], 0)
        async with promptly():
            paused = await adapter.pause(0, [filling(A, 1, times=3)])
            behind = asyncio.create_task(log.append(0, [filling(B)], -1))
            await let_run()
            assert not behind.done()
            assert await places(log) == [(1, A, 1)]
            assert await log.heads() == [1, 0, 0, 0]
            await paused.commit()
            assert (await behind).head == 4
        assert [place[0] for place in await places(log)] == [1, 2, 3, 4, 5]

    async def test_a_paused_writer_holds_up_its_own_partition_only(self, adapter: Adapter) -> None:
        async with promptly():
            paused = await adapter.pause(0, [filling(A)])
            for partition in range(1, PARTITIONS):
                await adapter.log.append(partition, [filling(jar(5, partition))], 0)
            assert await adapter.log.heads() == [0, 1, 1, 1]
            await paused.commit()
        assert await adapter.log.heads() == [1, 1, 1, 1]

    async def test_what_is_rolled_back_leaves_no_gap_and_no_outcome(self, adapter: Adapter) -> None:
        log = adapter.log
        async with promptly():
            paused = await adapter.pause(0, [filling(A, times=3, under=key(1))])
            behind = asyncio.create_task(log.append(0, [filling(A), filling(B)], -1))
            await paused.roll_back()
            assert (await behind).stale == frozenset()
        assert await places(log) == [(1, A, 1), (2, B, 1)]
        assert await log.outcomes([key(1)]) == {}

    async def test_interleaved_batches_become_visible_whole_and_in_order(
        self, adapter: Adapter
    ) -> None:
        """A reader that only ever moves forward has, at the end, read everything."""
        seen: list[Recorded] = []
        writers = [await adapter.another() for _ in range(4)]

        async def follow(count: int) -> None:
            while len(seen) < count:
                seen.extend(await adapter.log.read(0, seen[-1].position if seen else 0, 7))
                await asyncio.sleep(0)

        async def write(number: int, log: Log) -> None:
            for version in range(0, 30, 3):
                await log.append(0, [filling(jar(number), version, times=3)], -1)

        async with promptly(60):
            writing = [write(number, log) for number, log in enumerate(writers)]
            await asyncio.gather(follow(4 * 30), *writing)
        assert seen == await stored(adapter.log)
        batches = [seen[n : n + 3] for n in range(0, len(seen), 3)]
        assert all(len({event.stream_id for event in batch}) == 1 for batch in batches)

    async def test_recorded_at_never_runs_back(self, adapter: Adapter) -> None:
        await adapter.log.append(0, [filling(A)], 0)
        await adapter.turn_the_clock_back(timedelta(hours=1))
        await adapter.log.append(0, [filling(A, 1)], 1)
        first, second = await stored(adapter.log)
        assert first.recorded_at <= second.recorded_at

    async def test_an_append_given_up_halfway_keeps_no_lock(self, adapter: Adapter) -> None:
        """Whoever is killed while waiting holds up nobody: not its partition, not its keys."""
        log, there = adapter.log, jar(1, 1)
        async with promptly():
            paused = await adapter.pause(0, [filling(A, under=key(2))])
            batch = [filling(there, under=key(1)), filling(jar(2, 1), under=key(2))]
            killed = asyncio.create_task(log.append(1, batch, 0))
            await let_run()
            killed.cancel()
            await asyncio.gather(killed, return_exceptions=True)
            await paused.commit()
        async with promptly(5):
            appended = await log.append(1, [filling(there, under=key(1))], 0)
        assert (appended.stale, appended.duplicate) == (frozenset(), frozenset())


class KeyRaceContract:
    """The same key used at once, in two partitions: one effect, and nobody waits for ever."""

    async def test_one_key_in_two_partitions_has_one_effect(self, adapter: Adapter) -> None:
        for number in range(10):
            async with promptly():
                outcomes = await asyncio.gather(
                    *[
                        adapter.log.append(p, [filling(jar(number, p), under=key(number))], -1)
                        for p in range(PARTITIONS)
                    ]
                )
            assert sum(not outcome.duplicate for outcome in outcomes) == 1
        assert sum(await adapter.log.heads()) == 10

    async def test_keys_in_opposite_order_do_not_deadlock(self, adapter: Adapter) -> None:
        """Both are stopped halfway, at a key that a third one holds: each has its first by then."""
        log, keys = adapter.log, [key(1), key(5), key(9)]
        batches = [
            [filling(jar(n, partition), under=each) for n, each in enumerate(keys[::order])]
            for partition, order in ((0, 1), (1, -1))
        ]
        async with promptly():
            paused = await adapter.pause(2, [filling(jar(1, 2), under=key(5))])
            writing = [asyncio.create_task(log.append(p, batches[p], 0)) for p in (0, 1)]
            await let_run()
            await paused.roll_back()
            first, second = await asyncio.gather(*writing)
        assert len(first.duplicate) + len(second.duplicate) == len(keys)
        assert sum(await log.heads()) == len(keys)

    async def test_who_finds_a_key_in_use_waits_for_what_becomes_of_it(
        self, adapter: Adapter
    ) -> None:
        log = adapter.log
        async with promptly():
            paused = await adapter.pause(0, [filling(A, under=key(1))])
            waiting = asyncio.create_task(log.append(1, [filling(jar(1, 1), under=key(1))], 0))
            await let_run()
            assert not waiting.done()
            await paused.commit()
            assert (await waiting).duplicate == {0}

    async def test_a_key_that_was_rolled_back_is_free(self, adapter: Adapter) -> None:
        log = adapter.log
        async with promptly():
            paused = await adapter.pause(0, [filling(A, under=key(1))])
            waiting = asyncio.create_task(log.append(1, [filling(jar(1, 1), under=key(1))], 0))
            await let_run()
            await paused.roll_back()
            assert (await waiting).duplicate == frozenset()
        assert (await log.outcomes([key(1)]))[key(1)].stream_id == jar(1, 1)

    async def test_a_stale_append_gives_its_key_back_to_who_waits(self, adapter: Adapter) -> None:
        log = adapter.log
        await log.append(0, [filling(A)], 0)
        async with promptly():
            stale = Append([(A, 0)], [filled(A, 1)], key(1))
            paused = await adapter.pause(0, [stale])
            waiting = asyncio.create_task(log.append(1, [filling(jar(1, 1), under=key(1))], 0))
            await let_run()
            await paused.commit()
            assert (await waiting).duplicate == frozenset()
        assert set(await log.outcomes([key(1)])) == {key(1)}


class SnapshotContract:
    """A snapshot is the newest state that was kept, for each stream."""

    async def test_what_is_kept_is_loaded(self, snapshots: SnapshotStore) -> None:
        kept = [Snapshot(A, 5, b"schema", b"five"), Snapshot(B, 7, b"schema", b"seven")]
        await snapshots.save(kept)
        assert sorted(await snapshots.load([B, jar(9), A])) == kept

    async def test_an_older_one_never_replaces_a_newer_one(self, snapshots: SnapshotStore) -> None:
        for version in (5, 9, 7, 9):
            await snapshots.save([Snapshot(A, version, b"schema", str(version).encode())])
        assert await snapshots.load([A]) == [Snapshot(A, 9, b"schema", b"9")]

    async def test_another_schema_replaces_it_even_at_a_lower_version(
        self, snapshots: SnapshotStore
    ) -> None:
        await snapshots.save([Snapshot(A, 9, b"old schema", b"nine")])
        await snapshots.save([Snapshot(A, 5, b"schema", b"five")])
        assert await snapshots.load([A]) == [Snapshot(A, 5, b"schema", b"five")]
