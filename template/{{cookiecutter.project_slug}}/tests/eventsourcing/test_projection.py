"""Read models follow the log exactly once, whoever advances them and whenever that ends."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from asyncpg import NotNullViolationError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from ourbank.eventsourcing import projection
from ourbank.eventsourcing.event import Recorded
from ourbank.eventsourcing.log import LogUnavailableError
from ourbank.eventsourcing.postgres_projection import (
    PostgresLeases,
)
from ourbank.eventsourcing.projection import (
    Advance,
    Changes,
    CheckpointMovedError,
)

from .adapters import PostgresAdapter, let_run, promptly, until
from .engines import failing
from .jars import Broken, Filled, jar
from .log_contract import A, B, C
from .shelves import CHANGES, LEVELS, POISON, change_rows, checkpoints, level_rows, rows, shelves
from .shops import EPOCH, Shop, Store
from tests.conftest import PARTITIONS

pytestmark = pytest.mark.postgres


@pytest.fixture
async def shop(database: AsyncEngine, postgres_adapter: PostgresAdapter) -> AsyncIterator[Shop]:
    async with shelves(database):
        await _lease(database, EPOCH)
        opened = Shop(database, postgres_adapter.log)
        yield opened
        for task in opened.running:
            task.cancel()
        await asyncio.gather(*opened.running, return_exceptions=True)


async def _lease(database: AsyncEngine, epoch: int) -> None:
    async with database.begin() as connection:
        await connection.execute(text("update leases set epoch = :epoch"), {"epoch": epoch})


async def test_rows_and_checkpoints_follow_the_log(shop: Shop) -> None:
    await shop.change((A, Filled(1)), (B, Filled(2)), (A, Filled(3)))
    told: list[Advance] = []
    _, feeds = await shop.projector(advanced=told.extend)
    await shop.until_at(3)
    assert await level_rows(shop.database) == [(A, 4, 2), (B, 2, 1)]
    assert await change_rows(shop.database) == [(1, 1), (2, 2), (3, 3)]
    await shop.change((A, Filled(10)))
    await shop.tell(feeds)
    await shop.until_at(4)
    assert await level_rows(shop.database) == [(A, 14, 3), (B, 2, 1)]
    assert Advance("levels", 0, EPOCH, 3, 4) in told


async def test_of_two_projectors_on_a_partition_one_wins_and_nothing_is_done_twice(
    shop: Shop,
) -> None:
    workers = [await shop.projector() for _ in range(2)]
    for number in range(15):
        await shop.change((A, Filled(1)), (jar(number + 10), Filled(2)))
        for projector, feeds in workers:
            if not projector.holds(0):  # it was beaten and gave up; its leases would tell it again
                await projector.hold(0, EPOCH)
            await shop.tell(feeds)
        await let_run()
    await shop.until_at(30)
    expected = [(A, 15, 15), *[(jar(number + 10), 2, 1) for number in range(15)]]
    assert await level_rows(shop.database) == sorted(expected)
    assert len(await change_rows(shop.database)) == 30


async def test_who_comes_second_with_a_page_writes_nothing_and_gives_up(shop: Shop) -> None:
    await shop.change((A, Filled(1)))
    slow = Store(shop.database)

    async def overtaken() -> None:
        await shop.projector()
        await shop.until_at(1)

    slow.before_commit = overtaken
    projector, _ = await shop.projector(store=slow)
    await until(lambda: not projector.holds(0))
    assert await level_rows(shop.database) == [(A, 1, 1)]


async def test_what_a_crash_of_the_server_takes_back_is_folded_again_though_nothing_new_comes(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projection, "DURABLE_SECONDS", 0.05)
    await shop.change((A, Filled(1)))
    projector, feeds = await shop.projector()
    await shop.until_at(1)
    await shop.change((A, Filled(2)))
    await shop.tell(feeds)
    await shop.until_at(2)
    async with shop.database.begin() as connection:
        await connection.execute(text("update checkpoints set position = 1 where partition = 0"))
        await connection.execute(text("update test_levels set level = 1, version = 1"))
        await connection.execute(text("delete from test_changes where position = 2"))
    await until(lambda: not projector.holds(0))
    await projector.hold(0, EPOCH)  # as its leases do
    await shop.until_at(2)
    assert await level_rows(shop.database) == [(A, 3, 2)]
    assert await change_rows(shop.database) == [(1, 1), (2, 2)]


async def test_a_crash_between_fold_and_commit_does_nothing(shop: Shop) -> None:
    await shop.change((A, Filled(1)), (B, Filled(POISON)))
    doomed, died = Store(shop.database), asyncio.Event()

    async def die() -> None:
        died.set()
        await asyncio.Event().wait()

    doomed.before_commit = die
    await shop.projector(store=doomed)
    async with promptly():
        await died.wait()
    shop.running[0].cancel()
    assert await level_rows(shop.database) == []
    assert await checkpoints(shop.database) == {"levels": 0, "changes": 0}
    await shop.projector()
    await shop.until_at(2)
    assert await level_rows(shop.database) == [(A, 1, 1)]
    assert await change_rows(shop.database) == [(1, 1), (2, POISON)]


async def test_a_failed_write_takes_the_checkpoint_with_it(shop: Shop) -> None:
    """Rows, parked events and checkpoints are one transaction: all of them or none."""
    store = Store(shop.database)
    await store.checkpoints(0, ["levels"])
    broken = Changes(rows={(A,): LEVELS.row_type(A, None, 1)})  # the table wants a level
    with pytest.raises(NotNullViolationError):
        await store.commit({"levels": LEVELS}, {"levels": broken}, [_first_step()])
    assert await level_rows(shop.database) == []
    assert await checkpoints(shop.database) == {"levels": 0}


async def test_a_lost_answer_to_a_commit_does_not_fold_twice(shop: Shop) -> None:
    await shop.change((A, Filled(1)))
    store = Store(shop.database)
    store.after_commit = failing(LogUnavailableError())
    projector, feeds = await shop.projector(store=store)
    # it tries again, finds the checkpoint moved, and gives up
    await until(lambda: not projector.holds(0))
    await projector.hold(0, EPOCH)
    await shop.change((A, Filled(2)))
    await shop.tell(feeds)
    await shop.until_at(2)
    assert await level_rows(shop.database) == [(A, 3, 2)]


async def test_a_zombie_with_an_old_epoch_writes_nothing(shop: Shop) -> None:
    await shop.change((A, Filled(1)))
    await _lease(shop.database, EPOCH + 1)
    zombie, _ = await shop.projector(epoch=EPOCH)
    await until(lambda: not zombie.holds(0))
    assert await level_rows(shop.database) == await change_rows(shop.database) == []
    assert await checkpoints(shop.database) == {"levels": 0, "changes": 0}
    await shop.projector(epoch=EPOCH + 1)
    await shop.until_at(1)


async def test_the_store_refuses_an_epoch_that_is_over(shop: Shop) -> None:
    store = Store(shop.database)
    await store.checkpoints(0, ["levels"])
    leases = PostgresLeases(shop.database)
    assert await leases.claim("a worker", 1, 10) == {0: EPOCH + 1}
    change = Changes(rows={(A,): LEVELS.row_type(A, 1, 1)})
    with pytest.raises(CheckpointMovedError):
        await store.commit({"levels": LEVELS}, {"levels": change}, [_first_step()])
    assert await level_rows(shop.database) == []


def _first_step() -> Advance:
    return Advance("levels", 0, EPOCH, before=0, after=1)


async def test_a_lagging_read_model_catches_up_and_then_shares_the_pages(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projection, "PAGE_EVENTS_MAX", 2)
    await shop.change(*[(A, Filled(1))] * 5)
    first, _ = await shop.projector(LEVELS)
    await shop.until_at(5, "levels")
    await first.release(0)
    projector, feeds = await shop.projector(LEVELS, CHANGES)
    await shop.until_at(5)
    await shop.change((A, Filled(1)))
    await shop.tell(feeds)
    await shop.until_at(6)
    assert projector.holds(0)
    assert await level_rows(shop.database) == [(A, 6, 6)]
    assert len(await change_rows(shop.database)) == 6


async def test_read_models_that_have_met_read_one_page_together(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shop.change((A, Filled(1)))
    first, _ = await shop.projector(LEVELS)
    await shop.until_at(1, "levels")
    await first.release(0)
    steps: list[list[str]] = []
    _, feeds = await shop.projector(
        advanced=lambda advances: steps.append(sorted(a.read_model for a in advances))
    )
    await until(lambda: steps[-1] == ["changes"])
    pages, read = list[int](), feeds[0].read

    async def counted(after: int, limit: int) -> Sequence[Recorded]:
        if page := await read(after, limit):
            pages.append(after)
        return page

    monkeypatch.setattr(feeds[0], "read", counted)
    await shop.change((A, Filled(1)))
    await shop.tell(feeds)
    await shop.until_at(2)
    await until(lambda: steps[-1] == ["changes", "levels"])
    assert pages.count(1) == 1  # one page for both


async def test_rows_stay_in_memory_between_pages(shop: Shop) -> None:
    store = Store(shop.database)
    _, feeds = await shop.projector(store=store)
    for number in range(1, 4):
        await shop.change((A, Filled(1)))
        await shop.tell(feeds)
        await shop.until_at(number)
    assert store.loaded == [(A,)]  # and never a row of the model that only inserts
    assert await level_rows(shop.database) == [(A, 3, 3)]


async def test_rows_are_loaded_again_after_somebody_else_held_the_partition(shop: Shop) -> None:
    mine, feeds = await shop.projector()
    await shop.change((A, Filled(1)))
    await shop.tell(feeds)
    await shop.until_at(1)
    await mine.release(0)
    assert not mine.holds(0)
    await shop.change((A, Filled(2)))
    theirs, _ = await shop.projector()
    await shop.until_at(2)
    await theirs.release(0)
    await shop.change((A, Filled(4)))
    await shop.tell(feeds)
    await let_run()
    assert await checkpoints(shop.database) == {"levels": 2, "changes": 2}  # nobody holds it
    await mine.hold(0, EPOCH)
    await shop.until_at(3)
    assert await level_rows(shop.database) == [(A, 7, 3)]


async def test_the_rows_in_memory_are_bounded(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projection, "ROWS_CACHED_MAX", 2)
    store = Store(shop.database)
    _, feeds = await shop.projector(store=store)
    for number in range(1, 7):
        await shop.change((jar(number % 3), Filled(1)))
        await shop.tell(feeds)
        await shop.until_at(number)
    assert await level_rows(shop.database) == [(jar(n), 2, 2) for n in range(3)]
    assert len(store.loaded) > 3


async def test_a_row_can_go_and_come_again(shop: Shop) -> None:
    _, feeds = await shop.projector()
    await shop.change((A, Filled(1)), (B, Filled(1)))
    await shop.tell(feeds)
    await shop.until_at(2)
    await shop.change((A, Broken()), (C, Filled(1)), (C, Broken()))
    await shop.tell(feeds)
    await shop.until_at(5)
    assert await level_rows(shop.database) == [(B, 1, 1)]
    await shop.change((A, Filled(7)))
    await shop.tell(feeds)
    await shop.until_at(6)
    assert await level_rows(shop.database) == [(A, 7, 1), (B, 1, 1)]


async def test_a_poison_event_parks_its_key_and_later_ones_of_that_key_only(shop: Shop) -> None:
    _, feeds = await shop.projector()
    await shop.change((A, Filled(1)), (A, Filled(POISON)), (B, Filled(2)), (A, Filled(4)))
    await shop.tell(feeds)
    await shop.until_at(4)
    await shop.change((A, Filled(8)), (B, Filled(16)))
    await shop.tell(feeds)
    await shop.until_at(6)
    assert await level_rows(shop.database) == [(A, 1, 1), (B, 18, 2)]
    assert len(await change_rows(shop.database)) == 6  # the other read model took no harm
    assert await _parked(shop) == [(2, [A], "ValueError"), (4, [A], ""), (5, [A], "")]


async def test_a_parked_key_stays_parked_for_the_next_worker(shop: Shop) -> None:
    first, feeds = await shop.projector()
    await shop.change((A, Filled(POISON)))
    await shop.tell(feeds)
    await shop.until_at(1)
    await first.release(0)
    _, feeds = await shop.projector()
    await shop.change((A, Filled(1)), (B, Filled(1)))
    await shop.tell(feeds)
    await shop.until_at(3)
    assert await level_rows(shop.database) == [(B, 1, 1)]
    assert await _parked(shop) == [(1, [A], "ValueError"), (2, [A], "")]


async def test_a_key_that_was_mended_goes_on_with_the_worker_that_had_set_it_aside(
    shop: Shop,
) -> None:
    projector, feeds = await shop.projector()
    await shop.change((A, Filled(POISON)))
    await shop.tell(feeds)
    await shop.until_at(1)
    async with shop.database.begin() as connection:
        await connection.execute(text("delete from parked_events"))  # as a rebuild does
    await projector.release(0)
    await projector.hold(0, EPOCH)
    await shop.change((A, Filled(1)))
    await shop.tell(feeds)
    await shop.until_at(2)
    assert await level_rows(shop.database) == [(A, 1, 1)]
    assert await _parked(shop) == []


async def _parked(shop: Shop) -> list[tuple[Any, ...]]:
    return await rows(
        shop.database,
        "select position, key, error from parked_events where read_model = 'levels' order by 1",
    )


async def test_several_partitions_advance_in_one_transaction(shop: Shop) -> None:
    projector, feeds = await shop.projector()
    for partition in range(1, PARTITIONS):
        await projector.hold(partition, EPOCH)
    for partition in range(PARTITIONS):
        await shop.change((jar(1, partition), Filled(1)), partition=partition)
    await shop.tell(feeds)
    async with promptly():
        while len(await level_rows(shop.database)) < PARTITIONS:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    everywhere = dict.fromkeys(range(PARTITIONS), 1)
    assert await Store(shop.database).positions("levels") == everywhere


async def test_a_fault_is_tried_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projection, "RETRY_SECONDS", 0.01)
    await shop.change((A, Filled(1)))
    store = Store(shop.database)
    store.before_commit = failing(LogUnavailableError())
    projector, _ = await shop.projector(store=store)
    await shop.until_at(1)
    assert projector.holds(0)
    assert await level_rows(shop.database) == [(A, 1, 1)]


async def test_rows_that_could_not_be_loaded_are_not_taken_for_missing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projection, "RETRY_SECONDS", 0.01)
    await shop.change((A, Filled(1)))
    first, _ = await shop.projector()
    await shop.until_at(1)
    await first.release(0)
    await shop.change((A, Filled(2)))
    store = Store(shop.database)
    store.before_load = failing(LogUnavailableError())
    await shop.projector(store=store)
    await shop.until_at(2)
    assert await level_rows(shop.database) == [(A, 3, 2)]


async def test_checkpoints_of_a_follower_never_run_back(shop: Shop) -> None:
    store = Store(shop.database)
    await store.checkpoints(0, ["follower"])
    for position in (5, 3):
        await store.keep("follower", {0: position, 1: position})  # 1 was never begun
    assert await store.positions("follower") == {0: 5}
