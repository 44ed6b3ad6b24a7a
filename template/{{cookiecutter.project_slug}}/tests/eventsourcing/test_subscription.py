"""Who follows a partition reads every event once, in order, from memory or from the log."""

import asyncio
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ourbank.eventsourcing import subscription
from ourbank.eventsourcing.event import Recorded
from ourbank.eventsourcing.log import LogUnavailableError
from ourbank.eventsourcing.memory import MemoryLog
from ourbank.eventsourcing.subscription import Feed, watch

from .adapters import let_run, until
from .jars import CODEC, filling
from .log_contract import A
from tests.conftest import PARTITIONS

T0 = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class CountingLog(MemoryLog):
    """A log in memory that counts how often it is read, and may be away."""

    def __init__(self) -> None:
        super().__init__(CODEC, PARTITIONS, lambda: T0)
        self.read_count = 0
        self.fault: Exception | None = None

    async def grow(self, count: int) -> list[Recorded]:
        """Append so many events; what was appended."""
        head = (await self.heads())[0]
        await self.append(0, [filling(A, head, times=count)], -1)
        return await super().read(0, head, count)

    async def read(self, partition: int, after: int, limit: int) -> list[Recorded]:
        self.read_count += 1
        return await super().read(partition, after, limit)

    async def heads(self) -> list[int]:
        if self.fault is not None:
            raise self.fault
        return await super().heads()


@pytest.fixture
def log() -> CountingLog:
    return CountingLog()


@pytest.fixture
def feed(log: CountingLog) -> Feed:
    return Feed(0, log)


async def positions(feed: Feed, after: int, limit: int = 100) -> list[int]:
    return [event.position for event in await feed.read(after, limit)]


async def test_what_was_published_is_read_from_memory(log: CountingLog, feed: Feed) -> None:
    feed.publish(0, await log.grow(3))
    feed.publish(3, await log.grow(2))
    assert feed.head == 5
    assert await positions(feed, 0) == [1, 2, 3, 4, 5]
    assert await positions(feed, 3) == [4, 5]
    assert await positions(feed, 1, limit=2) == [2, 3]
    assert await positions(feed, 5) == await positions(feed, 9) == []
    assert log.read_count == 0


async def test_what_one_reader_fetched_the_next_one_finds_in_memory(
    log: CountingLog, feed: Feed
) -> None:
    await log.grow(6)
    feed.saw(6)
    assert await positions(feed, 2, limit=2) == [3, 4]
    assert await positions(feed, 4) == [5, 6]
    assert (await positions(feed, 2), log.read_count) == ([3, 4, 5, 6], 2)


async def test_who_reads_the_past_does_not_push_the_present_out_of_memory(
    log: CountingLog, feed: Feed
) -> None:
    await log.grow(4)
    feed.publish(4, await log.grow(2))
    assert await positions(feed, 0, limit=2) == [1, 2]
    assert (await positions(feed, 4), log.read_count) == ([5, 6], 1)


async def test_what_is_published_twice_is_kept_once(log: CountingLog, feed: Feed) -> None:
    """A reader fetched what the loop then meets and publishes itself."""
    events = await log.grow(6)
    feed.publish(0, events[:4])
    feed.publish(2, events[2:])
    feed.publish(1, events[1:3])
    assert await positions(feed, 0) == [1, 2, 3, 4, 5, 6]
    assert log.read_count == 0


async def test_a_feed_that_is_to_keep_nothing_keeps_nothing(log: CountingLog) -> None:
    feed = Feed(0, log, events_max=0)
    await log.grow(4)
    feed.saw(4)
    for _ in range(2):
        assert await positions(feed, 0) == [1, 2, 3, 4]
    assert log.read_count == 2


async def test_what_others_appended_is_read_from_the_log(log: CountingLog, feed: Feed) -> None:
    feed.publish(0, await log.grow(2))
    await log.grow(2)
    assert await positions(feed, 2) == []  # nobody has told it yet
    feed.saw(4)
    assert await positions(feed, 2) == [3, 4]
    assert log.read_count == 1


async def test_a_gap_empties_the_memory_and_no_event_is_skipped(
    log: CountingLog, feed: Feed
) -> None:
    feed.publish(0, await log.grow(2))
    await log.grow(1)  # by another process, never met here
    feed.publish(3, await log.grow(2))
    assert await positions(feed, 0) == [1, 2, 3, 4, 5]
    assert log.read_count == 1
    assert await positions(feed, 3) == [4, 5]
    assert log.read_count == 1


async def test_publishing_nothing_changes_nothing(log: CountingLog, feed: Feed) -> None:
    feed.publish(0, await log.grow(1))
    feed.publish(7, [])
    assert (feed.head, await positions(feed, 0), log.read_count) == (1, [1], 0)


async def test_the_memory_is_bounded_and_the_rest_is_in_the_log(log: CountingLog) -> None:
    feed = Feed(0, log, events_max=3)
    events = await log.grow(40)
    for event in events:
        feed.publish(event.position - 1, [event])
    in_memory = [n for n in range(40) if await _is_in_memory(feed, log, n)]
    assert 3 <= len(in_memory) <= 6
    assert in_memory == list(range(40 - len(in_memory), 40))
    assert await positions(feed, 0) == list(range(1, 41))


async def _is_in_memory(feed: Feed, log: CountingLog, after: int) -> bool:
    before = log.read_count
    assert await positions(feed, after, limit=1) == [after + 1]
    return log.read_count == before


async def test_listeners_are_called_when_there_is_more_and_only_then(
    log: CountingLog, feed: Feed
) -> None:
    calls: list[int] = []
    feed.listen(lambda: calls.append(feed.head))
    feed.publish(0, await log.grow(2))
    feed.saw(2)
    feed.saw(1)
    feed.saw(5)
    assert calls == [2, 5]
    assert feed.head == 5


async def test_it_tells_when_an_event_was_recorded(log: CountingLog, feed: Feed) -> None:
    await log.grow(2)
    feed.publish(2, await log.grow(2))
    assert feed.recorded_at(4) == T0
    assert feed.recorded_at(1) == T0  # that of the first one after it in memory
    assert feed.recorded_at(5) is None


pieces = st.lists(st.tuples(st.booleans(), st.integers(1, 9)), max_size=25)


@given(pieces, st.integers(1, 7))
def test_a_reader_meets_every_event_once_whoever_appended_it(
    appended: list[tuple[bool, int]], limit: int
) -> None:
    asyncio.run(_follow(appended, limit))


async def _follow(appended: list[tuple[bool, int]], limit: int) -> None:
    log = CountingLog()
    feed, seen = Feed(0, log), list[int]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subscription, "FEED_EVENTS_MAX", 4)
        for is_ours, count in appended:
            head = (await log.heads())[0]
            events = await log.grow(count)
            if is_ours:
                feed.publish(head, events)
            seen += await positions(feed, len(seen), limit)
        feed.saw((await log.heads())[0])
        while more := await positions(feed, len(seen), limit):
            seen += more
    assert seen == list(range(1, feed.head + 1))


@pytest.mark.parametrize(
    "fault",
    [
        None,
        LogUnavailableError(),
        RuntimeError("the pool is empty"),
    ],
)
async def test_what_other_processes_append_is_heard_of(
    log: CountingLog, fault: Exception | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription, "POLL_SECONDS_AWAY", 0.005)
    feeds = [Feed(number, log) for number in range(PARTITIONS)]
    watching = asyncio.create_task(watch(log, feeds))
    await log.grow(2)
    await until(lambda: feeds[0].head == 2)
    log.fault = fault
    await let_run()
    log.fault = None
    await log.grow(1)
    try:
        await until(lambda: feeds[0].head == 3 or watching.done())
        assert feeds[0].head == 3
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
