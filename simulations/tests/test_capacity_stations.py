"""The stations of the capacity model against queueing theory."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

import pytest
from bank_simulations.capacity.stations import BatchLoop, Cores, Thread
from simpy import Environment, Event

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

JOBS = 60_000
SERVICE = 0.01


def mean_wait(
    rate: float, run: Callable[[Environment], Callable[[float], Event]], kind: str
) -> float:
    """Mean seconds between arrival and begin of service; services are `kind`, of mean SERVICE."""
    env, dice = Environment(), random.Random(3)  # noqa: S311
    waits: list[float] = []
    serve = run(env)

    def job(length: float) -> Generator[Event, None, None]:
        came = env.now
        yield serve(length)
        waits.append(env.now - came - length)

    def arrive() -> Generator[Event, None, None]:
        for _ in range(JOBS):
            yield env.timeout(dice.expovariate(rate))
            length = SERVICE if kind == "fixed" else dice.expovariate(1 / SERVICE)
            env.process(job(length))

    env.process(arrive())
    env.run()
    return sum(waits) / JOBS


def test_a_thread_waits_as_mm1_does() -> None:
    for busy in (0.5, 0.8):
        found = mean_wait(busy / SERVICE, lambda env: Thread(env, Cores(env, 1)).run, "random")
        assert found == pytest.approx(SERVICE * busy / (1 - busy), rel=0.08)


def test_a_thread_waits_as_md1_does() -> None:
    for busy in (0.5, 0.8):
        found = mean_wait(busy / SERVICE, lambda env: Thread(env, Cores(env, 1)).run, "fixed")
        assert found == pytest.approx(SERVICE * busy / (1 - busy) / 2, rel=0.06)


def test_cores_wait_as_mmc_does() -> None:
    servers, load = 3, 2.4
    erlang_b = 1.0
    for count in range(1, servers + 1):
        erlang_b = load * erlang_b / (count + load * erlang_b)
    busy = load / servers
    delayed = erlang_b / (1 - busy * (1 - erlang_b))
    found = mean_wait(load / SERVICE, lambda env: Cores(env, servers).run, "random")
    assert found == pytest.approx(delayed * SERVICE / (servers - load), rel=0.08)


@pytest.mark.parametrize("arrivals", [0.2, 1.0, 3.0])
def test_a_batch_loop_without_a_limit_is_the_known_bulk_queue(arrivals: float) -> None:
    """Batches take D; a Poisson number comes meanwhile, of mean a. The next batch is all of them,
    or the next to come. So a batch holds a + exp(-a) on average, and the mean wait is D/2 for the
    share a / (a + exp(-a)) who come while one is under way, 0 for the rest.
    """
    env, dice = Environment(), random.Random(5)  # noqa: S311
    waits: list[float] = []

    def work(batch: list[float]) -> Generator[Event, None, None]:
        waits.extend(env.now - came for came in batch)
        yield env.timeout(SERVICE)

    loop = BatchLoop(env, work, JOBS)

    def arrive() -> Generator[Event, None, None]:
        for _ in range(JOBS):
            yield env.timeout(dice.expovariate(arrivals / SERVICE))
            loop.put(env.now)

    env.process(arrive())
    env.run()
    size = arrivals + math.exp(-arrivals)
    assert loop.item_count / loop.batch_count == pytest.approx(size, rel=0.02)
    assert sum(waits) / JOBS == pytest.approx(SERVICE / 2 * arrivals / size, rel=0.03)


def test_a_batch_is_never_larger_than_its_limit_and_keeps_the_order() -> None:
    env = Environment()
    batches: list[list[int]] = []

    def work(batch: list[int]) -> Generator[Event, None, None]:
        batches.append(batch)
        yield env.timeout(1.0)

    loop = BatchLoop(env, work, 3)
    for item in range(7):
        loop.put(item)
    env.run()
    assert batches == [[0, 1, 2], [3, 4, 5], [6]]


def test_threads_share_cores_and_a_thread_never_uses_two() -> None:
    env = Environment()
    cores = Cores(env, 2)
    one, other, third = (Thread(env, cores) for _ in range(3))
    ends: dict[str, float] = {}

    def job(name: str, thread: Thread) -> Generator[Event, None, None]:
        yield thread.run(1.0)
        ends[name] = env.now

    for name, thread in (("a", one), ("b", one), ("c", other), ("d", third)):
        env.process(job(name, thread))
    env.run()
    assert ends == {"a": 1.0, "c": 1.0, "d": 2.0, "b": 2.0}
    assert cores.busy_seconds == 4.0
    assert one.busy_seconds == 2.0
