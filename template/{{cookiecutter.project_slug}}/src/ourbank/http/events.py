"""/v1/events: the ordered feed."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query
from starlette.responses import Response

from ..application.bank import Bank
from ..application.consistency import TokenError, positions, token
from ..domain.entry import FundsCredited, FundsDebited
from ..domain.ledger import postings
from ..eventsourcing.event import Recorded
from ..eventsourcing.subscription import look
from .accounts import Limit
from .exchange import TheBank, WaitSeconds, answer
from .problems import ProblemError
from .route import Route
from .security import Caller, require

router = APIRouter(prefix="/v1/events", tags=["events"], route_class=Route)

POLL_SECONDS = 0.05


@router.get("")
async def read_events(
    bank: TheBank,
    caller: Caller,
    wait: WaitSeconds,
    after: Annotated[str | None, Query(max_length=4096)] = None,
    limit: Limit = 100,
) -> Response:
    """Events in order of position within each partition; personal data is sealed here too."""
    require(caller, "events:read")
    at = _positions(bank, after)
    found = await _read(bank, at, limit)
    deadline = asyncio.get_running_loop().time() + wait
    while not found and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(POLL_SECONDS)
        found = await _read(bank, at, limit)
    for recorded in found:
        at[recorded.partition] = recorded.position
    members = {
        "items": [shown(recorded) for recorded in found],
        "next": token(bank.log.incarnation, at),
    }
    return answer(bank, members, at=at)


def _positions(bank: Bank, after: str | None) -> dict[int, int]:
    if after is None:
        return {}
    try:
        return positions(bank.log.incarnation, bank.log.partition_count, after)
    except TokenError:
        detail = "`after` is not a position of this feed, or from before a restore"
        raise ProblemError(400, "cursor-invalid", detail) from None


async def _read(bank: Bank, at: dict[int, int], limit: int) -> list[Recorded]:
    """The next events of all partitions, as evenly as the limit allows."""
    found: list[Recorded] = []
    feeds = bank.engine.feeds
    await look(bank.log, feeds)
    for number, feed in enumerate(feeds):
        share = -(-(limit - len(found)) // (len(feeds) - number))
        page: Sequence[Recorded] = await feed.read(at.get(number, 0), share)
        found += page[:share]
    return found


def shown(recorded: Recorded) -> dict[str, Any]:
    """An event as the feed shows it."""
    return {
        "partition": recorded.partition,
        "position": recorded.position,
        "stream_id": recorded.stream_id,
        "version": recorded.version,
        "type": recorded.type,
        "schema_version": recorded.schema_version,
        "recorded_at": recorded.recorded_at,
        "data": msgspec.Raw(recorded.data.encode()),
        "postings": _postings(recorded),
    }


def _postings(recorded: Recorded) -> Sequence[Any]:
    event = recorded.event
    if not isinstance(event, FundsCredited | FundsDebited):
        return ()
    return postings(event.account_id, event.code, event.amount_minor, event.currency)
