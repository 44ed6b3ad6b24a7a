"""The run's one clock, and the generator's own use of the processor."""

from __future__ import annotations

import time
from dataclasses import dataclass

CPU_WINDOW_SECONDS = 5.0


class RunClock:
    """Seconds since the start of the run, on the machine's monotonic clock."""

    def __init__(self) -> None:
        self._epoch = machine_seconds()

    def start(self, in_seconds: float = 0.0) -> None:
        """Let the run begin so much from now; until then `now` is negative."""
        self.start_at(machine_seconds() + in_seconds)

    def start_at(self, moment: float) -> None:
        """Let the run begin at this moment of the machine's clock."""
        self._epoch = moment

    def now(self) -> float:
        """Seconds since the start."""
        return machine_seconds() - self._epoch


def machine_seconds() -> float:
    """The machine's monotonic clock, which all of its processes share."""
    return time.perf_counter()


@dataclass(frozen=True, slots=True)
class CpuWindow:
    """A stretch of the run, and how much of one core this process used in it."""

    began_seconds: float
    ended_seconds: float
    share: float


class CpuMeter:
    """This process's use of one core, in windows of five seconds of the run."""

    def __init__(self, clock: RunClock) -> None:
        self.windows: list[CpuWindow] = []
        self._clock = clock
        self._wall, self._cpu = clock.now(), time.process_time()

    def sample(self, *, closing: bool = False) -> None:
        """Look at the clock; a window ends every five seconds, and at the end of the run."""
        wall, cpu = self._clock.now(), time.process_time()
        length = wall - self._wall
        last = closing and (not self.windows or length > CPU_WINDOW_SECONDS / 2)
        if length >= CPU_WINDOW_SECONDS or last:
            share = (cpu - self._cpu) / max(length, 1e-9)
            self.windows.append(CpuWindow(self._wall, wall, share))
            self._wall, self._cpu = wall, cpu

    @property
    def max_share(self) -> float:
        """The busiest window."""
        return max((window.share for window in self.windows), default=0.0)
