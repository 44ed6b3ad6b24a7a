"""A consumer of the feed that is always at its end, while events are being written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from bank_conformance.bank.shapes import EventPage, FeedEvent, read

from .stage import Stage

PAUSE_SECONDS = 0.005


class Delivery(NamedTuple):
    """An event as the feed delivered it, and the read that did."""

    event: FeedEvent
    operation: int


@asynccontextmanager
async def tailing(stage: Stage, found: list[Delivery]) -> AsyncIterator[None]:
    """Read the feed on and on until the end of the block, from where it stands now."""
    if stage.feed_from is None:
        yield
        return
    over = asyncio.Event()
    task = asyncio.create_task(_tail(stage, found, stage.feed_from, over))
    try:
        yield
    finally:
        over.set()
        await task


async def _tail(stage: Stage, found: list[Delivery], after: str, over: asyncio.Event) -> None:
    session = stage.session("tail of the feed")
    while True:
        last = over.is_set()
        page = await session.call("readEvents", query={"after": after, "limit": 1000})
        shown = read(page, EventPage) if page.ok else EventPage([], after)
        found += [Delivery(event, page.index) for event in shown.items]
        after = shown.next
        if last and not shown.items:
            return
        await stage.wait(PAUSE_SECONDS)
