"""Concurrent writers as threads, for clients that block."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def together(
    connections: int, seconds: float, work: Callable[[int, float], int]
) -> tuple[int, float]:
    """Let `work(worker, until)` count in each thread; the sum, and the seconds it took."""
    started = time.perf_counter()
    with ThreadPoolExecutor(connections) as pool:
        until = started + seconds
        counts = [pool.submit(work, worker, until) for worker in range(connections)]
        total = sum(each.result() for each in counts)
    return total, time.perf_counter() - started
