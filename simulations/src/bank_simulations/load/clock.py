"""The run's one clock, and the generator's own use of the processor."""

from __future__ import annotations

import time

CPU_WINDOW_SECONDS = 5.0


class RunClock:
    """Seconds since the start of the run, on the monotonic clock of this process."""

    def __init__(self) -> None:
        self._epoch = time.perf_counter()

    def start(self, in_seconds: float = 0.0) -> None:
        """Let the run begin so much from now; until then `now` is negative."""
        self._epoch = time.perf_counter() + in_seconds

    def now(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self._epoch


class CpuMeter:
    """The busiest stretch of this process, as a share of one core."""

    def __init__(self) -> None:
        self.max_share = 0.0
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def sample(self, *, closing: bool = False) -> None:
        """Look at the clock; a stretch ends every five seconds, and at the end of the run."""
        wall, cpu = time.perf_counter(), time.process_time()
        length = wall - self._wall
        whole = length >= CPU_WINDOW_SECONDS
        if whole or (closing and (self.max_share == 0.0 or length > CPU_WINDOW_SECONDS / 2)):
            self.max_share = max(self.max_share, (cpu - self._cpu) / max(length, 1e-9))
            self._wall, self._cpu = wall, cpu
