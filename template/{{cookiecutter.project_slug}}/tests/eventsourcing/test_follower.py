"""What another worker left unfinished is found again, however often partitions change hands."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from ourbank.eventsourcing import follower as module
from ourbank.eventsourcing.event import Recorded
from ourbank.eventsourcing.follower import Follower, Milestone
from ourbank.eventsourcing.log import (
    Append,
    LogUnavailableError,
    StreamRange,
)
from ourbank.eventsourcing.memory import MemoryLog
from ourbank.eventsourcing.subscription import Feed

from .adapters import let_run, until
from .jars import CODEC, Broken, Filled, Poured, encoded, jar
from .log_contract import A, B, C
from tests.conftest import PARTITIONS

T0 = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
NAME = "saga:jars"
MILESTONES = {Filled: Milestone.BEGAN, Broken: Milestone.ENDED}


class Checkpoints:
    """The store of checkpoints, in memory."""

    def __init__(self) -> None:
        self.kept: dict[int, int] = {}
        self.is_away = False

    async def checkpoints(self, partition: int, names: Sequence[str]) -> dict[str, int]:
        return dict.fromkeys(names, self.kept.get(partition, 0))

    async def keep(self, name: str, positions: dict[int, int]) -> None:
        assert name == NAME
        if self.is_away:
            raise LogUnavailableError
        self.kept |= positions


class World:
    """A log of processes (a jar is filled, and broken at its end), and followers of it."""

    def __init__(self) -> None:
        self.now = T0
        self.log = MemoryLog(CODEC, PARTITIONS, lambda: self.now)
        self.store = Checkpoints()
        self.feeds = [Feed(number, self.log) for number in range(PARTITIONS)]
        self.picked_up: list[str] = []
        self.broken: set[str] = set()

    async def happen(self, *events: tuple[str, Filled | Poured | Broken]) -> None:
        for stream, event in events:
            version = len(await self.log.load([StreamRange(stream, 0)]))
            append = Append([(stream, version)], [encoded(stream, version + 1, event)])
            await self.log.append(0, [append], -1)
        self.feeds[0].saw((await self.log.heads())[0])

    async def pick_up(self, process_id: str) -> None:
        if process_id in self.broken:
            raise ZeroDivisionError
        self.picked_up.append(process_id)

    def follower(self) -> Follower:
        def milestone(recorded: Recorded) -> Milestone | None:
            return MILESTONES.get(type(recorded.event))

        return Follower(NAME, self.feeds, self.store, milestone, self.pick_up, lambda: self.now)

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(module, "TICK_SECONDS", 0.001)
    monkeypatch.setattr(module, "CHECKPOINT_SECONDS", 0)
    return World()


@asynccontextmanager
async def following(world: World) -> AsyncIterator[Follower]:
    follower = world.follower()
    await follower.hold(0, 1)
    running = asyncio.create_task(follower.run())
    try:
        yield follower
        assert not running.done()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_what_is_old_and_unfinished_is_picked_up(world: World) -> None:
    await world.happen((A, Filled(1)), (B, Filled(1)), (B, Broken()), (A, Poured(1)))
    world.later(module.UNDRIVEN_SECONDS)
    await world.happen((C, Filled(1)))  # young: whoever began it is at it
    async with following(world) as follower:
        await until(lambda: len(world.picked_up) >= 3)  # again and again, until it ends
        assert set(world.picked_up) == {A}
        assert follower.oldest_seconds(0) == module.UNDRIVEN_SECONDS
        await world.happen((A, Broken()))
        await until(lambda: follower.oldest_seconds(0) == 0)
        assert set(world.picked_up) == {A}


async def test_while_all_are_slow_what_is_slow_is_not_picked_up(world: World) -> None:
    """To drive what others drive would make them slower still."""
    taking = 2 * module.UNDRIVEN_SECONDS
    others = [jar(number) for number in range(100, 100 + module.LATELY_MIN)]
    await world.happen(*[(other, Filled(1)) for other in others], (B, Filled(1)))
    world.later(taking)
    await world.happen(*[(other, Broken()) for other in others])
    async with following(world):
        await let_run()
        assert world.picked_up == []
        world.later(taking * module.UNDRIVEN_TIMES - taking)
        await until(lambda: set(world.picked_up) == {B})


async def test_a_few_that_were_slow_do_not_make_it_wait(world: World) -> None:
    """They may be what a killed worker left behind, and so may the next one."""
    await world.happen((A, Filled(1)))
    world.later(10)
    await world.happen((A, Broken()), (B, Filled(1)))
    world.later(module.UNDRIVEN_SECONDS)
    async with following(world):
        await until(lambda: set(world.picked_up) == {B})


async def test_how_slow_others_were_long_ago_does_not_count(world: World) -> None:
    await world.happen((A, Filled(1)))
    world.later(60)
    await world.happen((A, Broken()))
    world.later(module.LATELY_SECONDS)
    await world.happen((B, Filled(1)))
    world.later(module.UNDRIVEN_SECONDS)
    async with following(world):
        await until(lambda: set(world.picked_up) == {B})


async def test_the_checkpoint_is_before_the_oldest_unfinished(world: World) -> None:
    async with following(world):
        await world.happen((A, Filled(1)), (A, Broken()))
        await until(lambda: world.store.kept == {0: 2})
        await world.happen((B, Filled(1)), (C, Filled(1)), (C, Broken()), (A, Poured(1)))
        await let_run()
        assert world.store.kept == {0: 2}  # B stands at 3, and has not ended
        await world.happen((B, Broken()))
        await until(lambda: world.store.kept == {0: 7})


async def test_who_takes_over_finds_the_unfinished_again(world: World) -> None:
    async with following(world):
        await world.happen((A, Filled(1)), (B, Filled(1)), (C, Filled(1)), (A, Broken()))
        await until(lambda: world.store.kept == {0: 1})
    assert world.picked_up == []
    world.later(60)
    async with following(world):
        await until(lambda: set(world.picked_up) == {B, C})


async def test_nothing_is_picked_up_of_a_partition_given_up(world: World) -> None:
    async with following(world) as follower:
        await world.happen((A, Filled(1)))
        await let_run()
        await follower.release(0)
        assert not follower.holds(0)
        world.later(60)
        await let_run()
        assert world.picked_up == []
        assert follower.oldest_seconds(0) == 0
        await follower.hold(0, 2)
        await until(lambda: set(world.picked_up) == {A})


async def test_only_so_many_are_picked_up_at_a_time_the_oldest_first(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PICK_UP_MAX", 2)
    await world.happen((C, Filled(1)), (B, Filled(1)), (A, Filled(1)))
    world.later(60)
    async with following(world):
        await until(lambda: len(world.picked_up) >= 4)
        assert world.picked_up[:4] == [C, B, C, B]


async def test_a_store_that_is_away_is_tried_again(world: World) -> None:
    world.store.is_away = True
    async with following(world):
        await world.happen((A, Filled(1)), (A, Broken()))
        await let_run()
        world.store.is_away = False
        await until(lambda: world.store.kept == {0: 2})


async def test_a_process_that_cannot_be_picked_up_does_not_end_the_follower(world: World) -> None:
    world.broken = {A}
    await world.happen((A, Filled(1)))
    world.later(60)
    async with following(world):
        await let_run()
        world.broken = set()
        await until(lambda: set(world.picked_up) == {A})


async def test_a_process_that_cannot_be_picked_up_holds_up_no_other(world: World) -> None:
    world.broken = {A}
    await world.happen((C, Filled(1)), (C, Broken()), (A, Filled(1)), (B, Filled(1)))
    world.later(60)
    async with following(world):
        await let_run()
        assert set(world.picked_up) == {B}
        assert world.store.kept == {0: 2}
