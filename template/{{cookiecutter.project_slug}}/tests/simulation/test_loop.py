"""Time that stands still, an order nobody chose, and no way out."""

import asyncio
import time
from random import Random

import pytest

from simulation.loop import OWNER, RealWorldError, SimulatedLoop, StuckError


class Somebody:
    """A process, as far as the loop is concerned."""

    def __init__(self) -> None:
        self.alive = True
        self.paused_until = 0.0
        self.steps = 0
        self.dies_at_step = -1

    def crash(self) -> None:
        self.alive = False


def loop(seed: int = 1) -> SimulatedLoop:
    return SimulatedLoop(Random(seed))


def test_an_hour_passes_at_once() -> None:
    simulated, began = loop(), time.monotonic()
    simulated.run_until_complete(asyncio.sleep(3600))
    assert simulated.time() == 3600
    assert time.monotonic() - began < 60
    simulated.bury()


def test_the_order_of_what_is_ready_is_drawn_from_the_seed() -> None:
    def order(seed: int) -> list[int]:
        simulated, ran = loop(seed), list[int]()

        async def one(number: int) -> None:
            ran.append(number)

        async def all_of_them() -> None:
            await asyncio.gather(*(one(number) for number in range(10)))

        simulated.run_until_complete(all_of_them())
        simulated.bury()
        return ran

    assert order(1) == order(1) != order(2)
    assert sorted(order(1)) == list(range(10))


@pytest.mark.parametrize(
    "reach_out",
    [
        lambda: asyncio.to_thread(int),
        lambda: asyncio.open_connection("127.0.0.1", 1),
        lambda: asyncio.create_subprocess_exec("true"),
    ],
)
def test_threads_sockets_and_processes_are_out_of_reach(reach_out) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001
    simulated = loop()
    with pytest.raises(RealWorldError):
        simulated.run_until_complete(reach_out())
    simulated.bury()


def test_who_waits_for_nothing_is_told() -> None:
    simulated = loop()
    with pytest.raises(StuckError, match="nothing will ever wake it"):
        simulated.run_until_complete(asyncio.Event().wait())
    simulated.bury()


def test_who_never_waits_is_told() -> None:
    async def spin() -> None:
        while True:  # noqa: ASYNC110 (that is the point)
            await asyncio.sleep(0)

    simulated = loop()
    with pytest.raises(StuckError, match="something never waits"):
        simulated.run_until_complete(spin())
    simulated.bury()


def test_of_the_dead_nothing_runs_any_more_and_no_finally() -> None:
    did: list[str] = []
    somebody = Somebody()

    async def live() -> None:
        OWNER.set(somebody)

        async def work() -> None:
            try:
                await asyncio.sleep(1)
                did.append("went on")
            finally:
                did.append("cleaned up")

        working = asyncio.create_task(work())
        await asyncio.sleep(0.5)
        del working

    async def kill() -> None:
        asyncio.create_task(live())  # noqa: RUF006 (the loop keeps it)
        await asyncio.sleep(0.7)
        somebody.alive = False
        await asyncio.sleep(9)
        assert did == []

    simulated = loop()
    simulated.run_until_complete(kill())
    simulated.bury()


def test_the_paused_go_on_later() -> None:
    somebody, woke = Somebody(), list[float]()

    async def live() -> None:
        OWNER.set(somebody)
        await asyncio.sleep(1)
        woke.append(asyncio.get_running_loop().time())

    async def pause() -> None:
        living = asyncio.create_task(live())
        await asyncio.sleep(0.5)
        somebody.paused_until = 3.0
        await asyncio.sleep(5)
        assert living.done()

    simulated = loop()
    simulated.run_until_complete(pause())
    simulated.bury()
    assert woke == [3.0]
