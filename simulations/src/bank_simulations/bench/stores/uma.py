"""UmaDB, an event store in Rust: its server from the `umadb` wheel, its own blocking client.

The server runs at its defaults and syncs before it answers. Each thread has a client of its own;
an append is a batch of events without a condition, each tagged with its stream.
"""

from __future__ import annotations

import time
from typing import Any

import umadb

from bank_simulations.bench.inside.lines import hear, say
from bank_simulations.bench.inside.rows import Rows
from bank_simulations.bench.stores.threads import together

START_SECONDS_MAX = 20.0
SETTINGS = {
    "client": "umadb, a thread and a client each",
    "condition": "none",
    "server": "defaults",
}


def main(job: dict[str, Any]) -> None:
    """Wait for the server, then append as told."""
    url = job["uri"]
    _wait(url)
    say({"settings": SETTINGS})
    while (wanted := hear()) is not None:
        say(_run(url, wanted))


def _wait(url: str) -> None:
    give_up_at = time.monotonic() + START_SECONDS_MAX
    while True:
        try:
            umadb.Client(url).head()
        except (umadb.TransportError, OSError, RuntimeError):
            if time.monotonic() > give_up_at:
                raise
            time.sleep(0.05)
        else:
            return


def _run(url: str, wanted: dict[str, Any]) -> dict[str, Any]:
    client = umadb.Client(url)
    before = client.head() or 0

    def write(worker: int, until: float) -> int:
        own, count = umadb.Client(url), 0
        rows, batch = Rows(wanted["seed"], worker), wanted["batch"]
        while time.perf_counter() < until:
            own.append(
                [
                    umadb.Event(event_type=row.type, data=row.data.encode(), tags=[row.stream_id])
                    for row in rows.next(batch)
                ]
            )
            count += batch
        return count

    events, took = together(wanted["connections"], wanted["seconds"], write)
    return {"events": events, "seconds": took, "stored": (client.head() or 0) - before}


if __name__ == "__main__":
    first = hear()
    if first is not None:
        main(first)
