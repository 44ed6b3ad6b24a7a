"""How long a read waits for what its caller has seen."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from ourbank.application.consistency import Freshness
from ourbank.http.exchange import catch_up_all


class Slow(Freshness):
    """Comes as far as asked, and takes its time."""

    def __init__(self) -> None:
        super().__init__(cast("Any", None))
        self.given: list[float] = []

    async def wait(self, read_model: str, partition: int, position: int, seconds: float) -> None:
        del read_model, partition, position
        self.given.append(seconds)
        await asyncio.sleep(0.05)


async def test_all_partitions_of_a_token_share_the_time_to_wait() -> None:
    slow = Slow()
    bank = cast("Any", SimpleNamespace(freshness=slow))
    await catch_up_all(bank, "accounts", {0: 1, 1: 1, 2: 1}, 1)
    first, second, third = slow.given
    assert first > second + 0.04 > third + 0.08
