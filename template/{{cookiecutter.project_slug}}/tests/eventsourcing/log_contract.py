"""What a log must do with appends and reads, whatever it is made of.

test_log.py runs this on both adapters. Who writes another one runs it there, with an `adapter`
fixture as adapters.py has them; log_contract_writers.py is the second half.
"""

import pytest

from ourbank.eventsourcing.event import Recorded
from ourbank.eventsourcing.log import (
    Append,
    Log,
    Outcome,
    StreamRange,
    loaded,
)

from .jars import CODEC, META, Filled, filled, filling, jar, key, refusing
from tests.conftest import PARTITIONS

A, B, C = jar(1), jar(2), jar(3)
NONE: frozenset[int] = frozenset()


def these(*indexes: int) -> frozenset[int]:
    """Appends of a batch, by their places in it."""
    return frozenset(indexes)


async def stored(log: Log, partition: int = 0) -> list[Recorded]:
    return await log.read(partition, 0, 10_000)


async def places(log: Log, partition: int = 0) -> list[tuple[int, str, int]]:
    """Position, stream and version of all that a partition holds."""
    return [(e.position, e.stream_id, e.version) for e in await stored(log, partition)]


class AppendContract:
    """A batch is one transaction, in which each append is accepted or refused by itself."""

    async def test_positions_follow_the_batch_and_have_no_gap(self, log: Log) -> None:
        first = await log.append(0, [filling(A, times=2), filling(B)], 0)
        second = await log.append(0, [filling(A, 2)], 3)
        assert (first.head, first.stale, first.duplicate) == (0, NONE, NONE)
        assert second.head == 3
        assert await places(log) == [(1, A, 1), (2, A, 2), (3, B, 1), (4, A, 3)]

    async def test_each_partition_counts_by_itself(self, log: Log) -> None:
        for partition in (0, 2):
            await log.append(partition, [filling(jar(9, partition), times=2)], 0)
        assert [place[0] for place in await places(log, 2)] == [1, 2]
        assert await places(log, 1) == []
        assert await log.heads() == [2, 0, 2, 0]

    async def test_what_is_read_is_what_was_written(self, log: Log) -> None:
        appended = await log.append(0, [Append([(A, 0)], [filled(A, 1, amount=7)])], 0)
        (event,) = await stored(log)
        assert (event.partition, event.position, event.stream_id, event.version) == (0, 1, A, 1)
        assert (event.type, event.schema_version, event.meta) == ("Filled", 1, META)
        assert event.data == CODEC.encode(Filled(7))[2]
        assert event.event == Filled(7)
        assert event.recorded_at == appended.recorded_at
        assert event.recorded_at.utcoffset() is not None

    async def test_a_stale_append_is_refused_whole_and_the_others_are_not(self, log: Log) -> None:
        await log.append(0, [filling(A)], 0)
        both = Append([(B, 0), (A, 0)], [filled(B, 1), filled(A, 1)])
        appended = await log.append(0, [filling(C), both, filling(C, 1)], -1)
        assert (appended.head, appended.stale) == (1, these(1))
        assert await places(log) == [(1, A, 1), (2, C, 1), (3, C, 2)]

    async def test_an_append_may_rest_on_a_stream_it_does_not_write(self, log: Log) -> None:
        await log.append(0, [filling(A)], 0)
        resting = [filling(B, resting_on=[(A, 1)]), filling(C, resting_on=[(A, 0)])]
        assert (await log.append(0, resting, -1)).stale == these(1)
        assert await places(log) == [(1, A, 1), (2, B, 1)]

    async def test_appends_of_a_batch_may_continue_each_other(self, log: Log) -> None:
        await log.append(0, [filling(A)], 0)
        chain = [filling(A, 1, times=2), filling(B, resting_on=[(A, 3)]), filling(A, 3)]
        assert (await log.append(0, chain, -1)).stale == NONE
        assert await places(log) == [(1, A, 1), (2, A, 2), (3, A, 3), (4, B, 1), (5, A, 4)]

    async def test_a_refusal_takes_along_what_rests_on_it_and_nothing_else(self, log: Log) -> None:
        await log.append(0, [filling(A, times=3)], 0)
        batch = [
            filling(A, 1),  # stale: the stream is at 3
            filling(B, resting_on=[(A, 2)]),  # was decided after it
            filling(B, 1),  # and this after that
            filling(C),
            refusing(A, 2, key(1)),  # no events, and yet it rests on what is not there
            filling(C, 1),
        ]
        assert (await log.append(0, batch, -1)).stale == these(0, 1, 2, 4)
        assert await places(log) == [(n, A, n) for n in (1, 2, 3)] + [(4, C, 1), (5, C, 2)]
        assert await log.outcomes([key(1)]) == {}

    async def test_a_strangers_event_never_stands_in_for_a_refused_one(self, log: Log) -> None:
        await log.append(0, [filling(A)], 0)
        await log.append(0, [filling(A, 1)], 1)  # the stranger's
        batch = [filling(A, 1), filling(A, 2)]  # the second was decided on what the first leads to
        assert (await log.append(0, batch, 1)).stale == these(0, 1)

    async def test_a_strangers_event_never_stands_in_for_a_duplicate(self, log: Log) -> None:
        await log.append(0, [filling(A)], 0)
        await log.append(0, [filling(A, 1)], 1)
        await log.append(0, [filling(B, under=key(1))], 2)
        batch = [filling(A, 1, under=key(1)), filling(A, 2)]
        appended = await log.append(0, batch, 3)
        assert (appended.duplicate, appended.stale) == (these(0), these(1))

    @pytest.mark.parametrize("expected_head", [-1, 0, 1, 3, 1_000])
    async def test_a_wrong_expected_head_means_that_versions_are_compared(
        self, log: Log, expected_head: int
    ) -> None:
        await log.append(0, [filling(A, times=2)], 0)
        appended = await log.append(0, [filling(A), filling(B)], expected_head)
        assert (appended.head, appended.stale) == (2, these(0))
        assert await places(log) == [(1, A, 1), (2, A, 2), (3, B, 1)]

    async def test_an_append_without_events_leaves_the_head(self, log: Log) -> None:
        await log.append(0, [filling(A)], 0)
        appended = await log.append(0, [refusing(A, 1, key(1)), filling(A, 1)], 1)
        assert (appended.head, appended.stale) == (1, NONE)
        assert await places(log) == [(1, A, 1), (2, A, 2)]


class OutcomeContract:
    """A keyed append takes effect once, and what came of it can be read."""

    async def test_the_outcome_is_kept_with_the_events(self, log: Log) -> None:
        await log.append(0, [filling(A)], 0)
        two = Append(
            [(A, 1), (B, 0)],
            [filled(A, 2), filled(B, 1), filled(A, 3)],
            key(1),
            "a request",
        )
        await log.append(0, [two], 1)
        kept = Outcome(key(1), "a request", A, 1, 2, None)  # of the primary stream
        assert await log.outcomes([key(1), key(2)]) == {key(1): kept}

    async def test_a_rejection_is_kept_as_well(self, log: Log) -> None:
        await log.append(0, [filling(A)], 0)
        await log.append(0, [refusing(A, 1, key(1))], 1)
        kept = Outcome(key(1), "a request", A, 1, 0, '{"code":"jar-empty"}')
        assert await log.outcomes([key(1)]) == {key(1): kept}

    @pytest.mark.parametrize("expected_head", [-1, 1])
    async def test_the_same_key_again_is_a_duplicate_and_has_no_effect(
        self, log: Log, expected_head: int
    ) -> None:
        await log.append(0, [filling(A, under=key(1))], 0)
        kept = await log.outcomes([key(1)])
        again = Append([(A, 1)], [filled(A, 2)], key(1), "another request")
        appended = await log.append(0, [again], expected_head)
        assert (appended.head, appended.duplicate, appended.stale) == (1, these(0), NONE)
        assert await places(log) == [(1, A, 1)]
        assert await log.outcomes([key(1)]) == kept

    async def test_a_duplicate_is_one_whatever_version_it_expects(self, log: Log) -> None:
        await log.append(0, [filling(A, under=key(1))], 0)
        appended = await log.append(0, [filling(A, 0, under=key(1))], -1)
        assert (appended.duplicate, appended.stale) == (these(0), NONE)

    @pytest.mark.parametrize("expected_head", [-1, 1])
    async def test_what_rests_on_a_duplicate_is_stale_and_the_others_go_on(
        self, log: Log, expected_head: int
    ) -> None:
        await log.append(0, [refusing(A, 0, key(1)), filling(B, under=key(2))], 0)
        batch = [
            filling(A, 0, under=key(1)),  # rejected the first time: no event then or now
            filling(A, 1, under=key(3)),
            filling(C, under=key(4)),
            filling(B, 1, under=key(2)),
        ]
        appended = await log.append(0, batch, expected_head)
        assert (appended.duplicate, appended.stale) == (these(0, 3), these(1))
        assert await places(log) == [(1, B, 1), (2, C, 1)]
        assert set(await log.outcomes([key(n) for n in range(1, 5)])) == {key(1), key(2), key(4)}

    async def test_a_stale_append_leaves_no_outcome_and_its_key_can_be_used(self, log: Log) -> None:
        await log.append(0, [filling(A)], 0)
        stale = await log.append(0, [filling(A, under=key(1)), filling(B, under=key(2))], -1)
        assert stale.stale == these(0)
        assert set(await log.outcomes([key(1), key(2)])) == {key(2)}
        again = await log.append(0, [filling(A, 1, under=key(1))], -1)
        assert (again.stale, again.duplicate) == (NONE, NONE)
        assert set(await log.outcomes([key(1)])) == {key(1)}

    async def test_a_key_counts_in_every_partition(self, log: Log) -> None:
        await log.append(0, [filling(A, under=key(1))], 0)
        there = jar(1, 1)
        appended = await log.append(1, [filling(there, under=key(1)), filling(jar(2, 1))], 0)
        assert appended.duplicate == these(0)
        assert await places(log, 1) == [(1, jar(2, 1), 1)]


class ReadContract:
    """A partition is read by position, a stream by version."""

    async def test_a_partition_is_read_page_by_page(self, log: Log) -> None:
        await log.append(0, [filling(jar(n), times=2) for n in range(5)], 0)
        pages = [await log.read(0, after, 4) for after in (0, 4, 8, 10, 99)]
        assert [[e.position for e in page] for page in pages] == [
            [1, 2, 3, 4],
            [5, 6, 7, 8],
            [9, 10],
            [],
            [],
        ]

    async def test_streams_are_loaded_by_ranges(self, log: Log) -> None:
        await log.append(0, [filling(B, times=4), filling(A, times=3)], 0)
        await log.append(1, [filling(jar(7, 1), times=2)], 0)
        ranges = [
            StreamRange(B, 1, 3),
            StreamRange(A, 2),
            StreamRange(C, 0),
            StreamRange(jar(7, 1), 0, 1),
            StreamRange(A, 99),
        ]
        loaded = [(e.stream_id, e.version) for e in await log.load(ranges)]
        assert loaded == [(A, 3), (B, 2), (B, 3), (jar(7, 1), 1)]

    @pytest.mark.parametrize("limit", [1, 2, 3, 5, 8, 9])
    async def test_streams_are_loaded_page_by_page_and_nothing_is_missed_or_seen_twice(
        self, log: Log, limit: int
    ) -> None:
        await log.append(0, [filling(B, times=4), filling(C), filling(A, times=3)], 0)
        ranges = [StreamRange(B, 2), StreamRange(A, 1), StreamRange(B, 0, 2), StreamRange(C, 0, 1)]
        assert len(await log.load(ranges, limit)) == min(limit, 7)
        found = [(e.stream_id, e.version) async for e in loaded(log, ranges, limit)]
        assert found == [(A, 2), (A, 3), (B, 1), (B, 2), (B, 3), (B, 4), (C, 1)]

    async def test_what_is_loaded_is_decoded_and_knows_its_position(self, log: Log) -> None:
        await log.append(0, [filling(B), filling(A, times=2)], 0)
        assert await log.load([StreamRange(A, 1)]) == (await stored(log))[2:]

    async def test_nothing_asked_is_nothing_answered(self, log: Log) -> None:
        assert await log.load([]) == []
        assert await log.outcomes([]) == {}
        assert await log.heads() == [0] * PARTITIONS == [0] * log.partition_count
