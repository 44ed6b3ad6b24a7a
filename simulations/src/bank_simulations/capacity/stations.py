"""Queueing stations for simpy: processors, threads on them, and loops that work in batches.

First come, first served everywhere. A station is told how long a job takes; whatever varies about
that is drawn by whoever asks.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

from simpy import Environment, Event

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

Item = TypeVar("Item")


class Cores:
    """Processors: as many jobs run at a time as there are cores, the others wait.

    `busy_seconds` is the work begun so far, over all cores.
    """

    def __init__(self, env: Environment, count: int) -> None:
        self._env = env
        self._free = count
        self._waiting: deque[tuple[float, Callable[[], object]]] = deque()
        self.busy_seconds = 0.0

    def run(self, seconds: float) -> Event:
        """A job of its own; the event is its end."""
        done = Event(self._env)
        self.begin(seconds, done.succeed)
        return done

    def begin(self, seconds: float, ended: Callable[[], object]) -> None:
        """The same for a job whose end is told by a call."""
        if not self._free:
            self._waiting.append((seconds, ended))
            return
        self._free -= 1
        self.busy_seconds += seconds

        def end(_: Event) -> None:
            self._free += 1
            if self._waiting:
                self.begin(*self._waiting.popleft())
            ended()

        self._env.timeout(seconds).callbacks.append(end)


class Thread:
    """One thread of execution: one job at a time, each on a core of its machine."""

    def __init__(self, env: Environment, cores: Cores) -> None:
        self._env = env
        self._cores = cores
        self._jobs: deque[tuple[float, Event]] = deque()
        self.busy_seconds = 0.0

    def run(self, seconds: float) -> Event:
        """A job; the event is its end."""
        done = Event(self._env)
        self._jobs.append((seconds, done))
        if len(self._jobs) == 1:
            self._begin()
        return done

    def _begin(self) -> None:
        seconds, _ = self._jobs[0]
        self.busy_seconds += seconds
        self._cores.begin(seconds, self._end)

    def _end(self) -> None:
        _, done = self._jobs.popleft()
        done.succeed()
        if self._jobs:
            self._begin()


class BatchLoop(Generic[Item]):
    """Takes all that waits, up to a limit, works on it as one, and takes what gathered meanwhile.

    `batch_count` and `item_count` tell how large batches were.
    """

    def __init__(
        self,
        env: Environment,
        work: Callable[[list[Item]], Generator[Event, None, None]],
        batch_max: int,
    ) -> None:
        self._env = env
        self._work = work
        self._batch_max = batch_max
        self._waiting: deque[Item] = deque()
        self._wake = Event(env)
        self.batch_count = 0
        self.item_count = 0
        env.process(self._run())

    def put(self, item: Item) -> None:
        """Let it wait for the next batch."""
        self._waiting.append(item)
        if not self._wake.triggered:
            self._wake.succeed()

    def _run(self) -> Generator[Event, None, None]:
        while True:
            if not self._waiting:
                self._wake = Event(self._env)
                yield self._wake
            count = min(len(self._waiting), self._batch_max)
            batch = [self._waiting.popleft() for _ in range(count)]
            self.batch_count += 1
            self.item_count += count
            yield from self._work(batch)
