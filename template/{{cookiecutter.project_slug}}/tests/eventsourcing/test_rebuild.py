"""A read model made anew is the fold of the log, whoever advances the old one meanwhile, if anybody
does.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from ourbank.eventsourcing import rebuild
from ourbank.eventsourcing.log import LogUnavailableError
from ourbank.eventsourcing.rebuild import Rebuild, RebuildError

from .adapters import PostgresAdapter, promptly, until
from .jars import Filled
from .log_contract import A, B
from .shelves import LEVELS, level_rows, rows, shelves
from .shops import EPOCH, Shop

MODEL = replace(LEVELS, name="test_levels")
"""A rebuild finds a table by the read model's name."""

pytestmark = pytest.mark.postgres


@pytest.fixture
async def shop(database: AsyncEngine, postgres_adapter: PostgresAdapter) -> AsyncIterator[Shop]:
    async with shelves(database):
        async with database.begin() as connection:
            await connection.execute(text("update leases set epoch = :epoch"), {"epoch": EPOCH})
        opened = Shop(database, postgres_adapter.log)
        yield opened
        for task in opened.running:
            task.cancel()
        await asyncio.gather(*opened.running, return_exceptions=True)
        async with database.begin() as connection:
            await connection.execute(text("drop table if exists test_levels_new"))


async def _rebuild(shop: Shop) -> int:
    return await Rebuild(MODEL, shop.log, shop.database, lambda _done, _all: None).run()


async def _parked(shop: Shop) -> list[tuple[object, ...]]:
    return await rows(shop.database, "select read_model, position from parked_events")


async def test_what_a_worker_remembers_of_wrong_rows_does_not_come_back(shop: Shop) -> None:
    await shop.change((A, Filled(1)), (B, Filled(2)))
    first, _ = await shop.projector(MODEL)
    await shop.until_at(2, MODEL.name)
    await first.release(0)
    async with shop.database.begin() as connection:
        await connection.execute(text("update test_levels set level = 90"))
    projector, feeds = await shop.projector(MODEL)
    await shop.change((A, Filled(5)))
    await shop.tell(feeds)
    await shop.until_at(3, MODEL.name)
    assert await level_rows(shop.database) == [(A, 95, 2), (B, 90, 1)]
    assert await _rebuild(shop) == 3
    assert await level_rows(shop.database) == [(A, 6, 2), (B, 2, 1)]
    await shop.change((A, Filled(10)))
    await shop.tell(feeds)
    await until(lambda: not projector.holds(0))
    await projector.hold(0, EPOCH + 1)  # as its leases do
    await shop.until_at(4, MODEL.name)
    assert await level_rows(shop.database) == [(A, 16, 3), (B, 2, 1)]


async def test_a_rebuild_that_overtakes_everybody_leaves_nothing_to_fold_again(shop: Shop) -> None:
    await shop.change((A, Filled(1)), (B, Filled(2)), (A, Filled(3)))
    await _rebuild(shop)
    _, feeds = await shop.projector(MODEL, epoch=EPOCH + 1)
    await shop.change((A, Filled(10)))
    await shop.tell(feeds)
    await shop.until_at(4, MODEL.name)
    assert await level_rows(shop.database) == [(A, 14, 3), (B, 2, 1)]
    assert await _parked(shop) == []


async def test_a_worker_that_was_overtaken_gives_up_and_begins_behind_the_rebuild(
    shop: Shop,
) -> None:
    await shop.change((A, Filled(1)))
    projector, feeds = await shop.projector(MODEL)
    await shop.until_at(1, MODEL.name)
    await shop.change((A, Filled(2)))  # nobody has told the worker
    await _rebuild(shop)
    await shop.change((B, Filled(5)))
    await shop.tell(feeds)
    await until(lambda: not projector.holds(0))
    await projector.hold(0, EPOCH + 1)
    await shop.until_at(3, MODEL.name)
    assert await level_rows(shop.database) == [(A, 3, 2), (B, 5, 1)]
    assert await _parked(shop) == []


@asynccontextmanager
async def _at_work(shop: Shop, seconds: float = 60) -> AsyncIterator[asyncio.Task[int]]:
    """A rebuild that has folded a page, and pauses."""
    begun = asyncio.Event()
    first = Rebuild(MODEL, shop.log, shop.database, lambda _done, _all: begun.set(), seconds)
    running = asyncio.create_task(first.run())
    async with promptly():
        await begun.wait()
    yield running
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def _left_over(shop: Shop) -> list[tuple[object, ...]]:
    """Tables and checkpoints beside those that serve."""
    tables = "select relname from pg_class where relname in ('test_levels_new', 'test_levels_old')"
    names = "select read_model from checkpoints where read_model like '%@new'"
    return await rows(shop.database, f"{tables} union all {names}")


async def test_a_second_rebuild_is_refused_until_the_first_one_has_ended(shop: Shop) -> None:
    await shop.change((A, Filled(1)))
    async with _at_work(shop):
        with pytest.raises(RebuildError, match="test_levels is being rebuilt already: wait"):
            await _rebuild(shop)
    for _ in range(2):
        assert await _rebuild(shop) == 1
    assert await level_rows(shop.database) == [(A, 1, 1)]
    assert await _left_over(shop) == []


async def test_a_rebuild_that_lost_its_lock_puts_nothing_in_place(shop: Shop) -> None:
    await shop.change((A, Filled(1)))
    sessions = "from pg_locks where locktype = 'advisory' and classid = 4244"
    async with _at_work(shop, 0.5) as first:
        assert await rows(shop.database, f"select pg_terminate_backend(pid) {sessions}")
        assert await _rebuild(shop) == 1
        with pytest.raises(LogUnavailableError):
            await first
    assert await level_rows(shop.database) == [(A, 1, 1)]
    assert await _left_over(shop) == []


async def test_reads_do_not_wait_for_a_rebuild_that_waits_for_a_dump(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuild, "PAUSE_SECONDS", 0.05)
    await shop.change((A, Filled(1)))
    async with shop.database.connect() as dump:
        await dump.execute(text("select from test_levels"))
        rebuilding = asyncio.create_task(_rebuild(shop))
        for passed in range(20):
            async with asyncio.timeout(2):
                await level_rows(shop.database)
            await asyncio.sleep(0.05)
            if passed == 10:
                await shop.change((A, Filled(10)))  # it folds on meanwhile
        assert not rebuilding.done()
    async with promptly():
        assert await rebuilding == 2
    assert await level_rows(shop.database) == [(A, 11, 2)]


async def test_a_rebuild_that_gives_up_leaves_all_as_it_was(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuild, "CUT_OVER_SECONDS_MAX", 0)
    await shop.change((A, Filled(1)))
    async with shop.database.connect() as dump:
        await dump.execute(text("select from test_levels"))
        with pytest.raises(RebuildError, match="test_levels is in use"):
            await _rebuild(shop)
    assert await level_rows(shop.database) == []
    assert await _left_over(shop) == []
    assert await _rebuild(shop) == 1
