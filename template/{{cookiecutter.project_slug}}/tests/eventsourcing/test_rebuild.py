"""A read model made anew is the fold of the log, whoever advances the old one meanwhile, if anybody
does.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from ourbank.eventsourcing.rebuild import Rebuild

from .adapters import PostgresAdapter, until
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
            await connection.execute(text("drop table if exists test_levels_old"))


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
