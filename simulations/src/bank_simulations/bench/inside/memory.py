"""What open accounts cost a process of the bank in memory."""

from __future__ import annotations

import gc
import resource
from pathlib import Path
from typing import Any

import uvloop

from .lines import hear, say
from .session import opened

WARM_UP_ACCOUNTS = 500


async def main(job: dict[str, Any]) -> None:
    """Open `accounts`, and say what the process grew by, in bytes."""
    async with opened(job["package"]) as session:
        await session.accounts(WARM_UP_ACCOUNTS)
        await session.caught_up()
        before = _resident_bytes()
        await session.accounts(job["accounts"])
        await session.caught_up()
        say({"before_bytes": before, "after_bytes": _resident_bytes()})


def _resident_bytes() -> int:
    """Now, not at its highest; linux only, and the benchmark says so elsewhere."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()


if __name__ == "__main__":
    first = hear()
    if first is not None:
        uvloop.run(main(first))
