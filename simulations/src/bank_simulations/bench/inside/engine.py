"""The bank's engine in this process: accounts first, then one load after the other as told."""

from __future__ import annotations

import asyncio
from typing import Any

import uvloop

from .lines import hear, say
from .loads import ClosedLoop, OpenLoop
from .session import opened


async def main(job: dict[str, Any]) -> None:
    """Serve loads between the accounts of `job`: a number of new ones, or their ids."""
    async with opened(job["package"]) as session:
        accounts = await session.accounts(job["accounts"])
        await session.caught_up()
        say({"accounts": accounts})
        # heard in a thread: the bank goes on working, and renews its leases, meanwhile
        while (wanted := await asyncio.to_thread(hear)) is not None:
            if "rate" in wanted:
                load = OpenLoop(session, accounts, wanted["workload"], wanted["seed"])
                say(await load.run(wanted["rate"], wanted["seconds"]))
            else:
                loop = ClosedLoop(
                    session,
                    accounts,
                    wanted["workload"],
                    wanted["seed"],
                    wanted.get("transfers_max"),
                )
                say(await loop.run(wanted["in_flight"], wanted["seconds"]))


if __name__ == "__main__":
    first = hear()
    if first is not None:
        uvloop.run(main(first))
