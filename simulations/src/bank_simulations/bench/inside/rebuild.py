"""Every read model made anew from the log, as the bank's own command does it, and how fast."""

from __future__ import annotations

import time
from typing import Any

import uvloop

from .lines import hear, say
from .session import opened


async def main(job: dict[str, Any]) -> None:
    """Say for each read model how many events were folded in how many seconds."""
    async with opened(job["package"], with_worker=False) as session:
        rebuild = session.part("eventsourcing.rebuild").Rebuild
        found = {}
        for model in session.part("readmodels").READ_MODELS:
            started = time.perf_counter()
            log, database = session.process.bank.log, session.process.database
            events = await rebuild(model, log, database, lambda _done, _total: None).run()
            found[model.name] = {"events": events, "seconds": time.perf_counter() - started}
        say(found)


if __name__ == "__main__":
    first = hear()
    if first is not None:
        uvloop.run(main(first))
