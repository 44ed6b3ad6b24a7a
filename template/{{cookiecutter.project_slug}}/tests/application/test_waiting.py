"""How long a read waits for what its caller has seen."""

import asyncio
from collections.abc import Mapping
from typing import Any, cast

from ourbank.application.consistency import Freshness


class Slow(Freshness):
    """Comes as far as asked, and takes its time."""

    def __init__(self) -> None:
        super().__init__(cast("Any", None))
        self.given: list[float] = []

    def reached(self, read_model: str, positions: Mapping[int, int]) -> bool:
        del read_model, positions
        return True

    async def wait(self, read_model: str, partition: int, position: int, seconds: float) -> None:
        del read_model, partition, position
        self.given.append(seconds)
        await asyncio.sleep(0.05)


async def nothing() -> None:
    """To be read."""


async def test_all_partitions_of_a_token_share_the_time_to_wait() -> None:
    slow = Slow()
    await slow.read("accounts", {0: 1, 1: 1, 2: 1}, 1, nothing)
    first, second, third = slow.given
    assert first > second + 0.04 > third + 0.08
