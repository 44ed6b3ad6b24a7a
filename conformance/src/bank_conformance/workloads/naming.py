"""Customers live a little, and everything that the bank says of it is kept: what names things?"""

from __future__ import annotations

from dataclasses import dataclass

from bank_conformance.history import History, Operation

from .parties import Party, look, party, share
from .rest import FEED_SECONDS_MAX
from .stage import Stage


@dataclass(slots=True)
class Naming:
    """Everything that was said, and of whom."""

    history: History
    said: list[Operation]
    parties: tuple[Party, ...]
    bank_name: str


async def naming(stage: Stage) -> Naming:
    """Register, transfer, look at everything, erase, and read the feed of it all."""
    start = stage.feed_from
    if start is not None:
        _, start = await stage.staff.events(start, seconds=FEED_SECONDS_MAX)
    first = len(stage.history)
    parties = (await party(stage, "one party"), await party(stage, "other party"))
    sent = await share(stage, *parties, "shared narrative")
    for one in parties:
        await look(stage.staff, one, sent)
    await stage.staff.call("listTransfers", query={"account_id": parties[0].account_id, "limit": 1})
    await stage.staff.erase(parties[0].customer_id)
    await stage.staff.erasure(parties[0].customer_id)
    await stage.staff.events(start, seconds=FEED_SECONDS_MAX)
    said = stage.history.operations[first:]
    return Naming(stage.history, said, parties, stage.target.name)
