"""Many seeds, on as many cores as there are: what they found, and whether everything happened."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from hashlib import blake2b
from time import perf_counter

from .ends import End
from .faults import Kind
from .plan import Plan, draw
from .run import Run, play
from .workloads import WEIGHTS

SEEDS_A_TASK = 50
SOMETIMES_SEEDS_MIN = 1_000
"""From so many seeds on, a fault or an end that never happened is a defect of the simulation."""


@dataclass
class Summary:
    """What came of many seeds. `core_seconds` is processor time, of all cores together."""

    seeds: int = 0
    simulated_seconds: float = 0.0
    core_seconds: float = 0.0
    seconds: float = 0.0
    steps: int = 0
    sometimes: Counter[str] = field(default_factory=Counter)
    operations: Counter[str] = field(default_factory=Counter)
    failures: list[Run] = field(default_factory=list)
    traces: dict[int, str] = field(default_factory=dict)
    """By the first seed of each task: the hash of its traces."""

    @property
    def trace(self) -> str:
        """The hash over all traces, in the order of the seeds."""
        whole = blake2b(digest_size=16)
        for first in sorted(self.traces):
            whole.update(self.traces[first].encode())
        return whole.hexdigest()

    @property
    def never(self) -> list[str]:
        """The faults that did not happen once, and the ends that nothing came to."""
        return [kind for kind in (*Kind, *End) if not self.sometimes[kind]]

    @property
    def passed(self) -> bool:
        """Whether nothing was found, by a run in which everything had happened."""
        enough = self.seeds >= SOMETIMES_SEEDS_MIN
        return not self.failures and not (enough and self.never)

    def add(self, other: "Summary") -> None:
        """Take in what another task found."""
        self.seeds += other.seeds
        self.simulated_seconds += other.simulated_seconds
        self.core_seconds += other.core_seconds
        self.steps += other.steps
        self.sometimes += other.sometimes
        self.operations += other.operations
        self.failures += other.failures
        self.traces |= other.traces

    def take(self, run: Run) -> None:
        """Count one run."""
        self.seeds += 1
        self.simulated_seconds += run.simulated_seconds
        self.core_seconds += run.core_seconds
        self.steps += run.steps
        self.sometimes += run.sometimes
        self.operations += run.operations
        if run.violations:
            self.failures.append(run)


def campaign(
    seeds: Sequence[int],
    *,
    jobs: int | None = None,
    failures_max: int = 1,
    progress: Callable[[Summary], None] = lambda _: None,
) -> Summary:
    """Play all seeds, or fewer when so many have failed; `jobs` processes, one a core."""
    summary, began = Summary(), perf_counter()
    for part in _parts(seeds, jobs or os.cpu_count() or 1):
        summary.add(part)
        summary.seconds = perf_counter() - began
        progress(summary)
        if len(summary.failures) >= failures_max:
            break
    return summary


def _parts(seeds: Sequence[int], jobs: int) -> Iterator[Summary]:
    tasks = [seeds[at : at + SEEDS_A_TASK] for at in range(0, len(seeds), SEEDS_A_TASK)]
    if jobs == 1 or len(tasks) == 1:
        yield from map(_task, tasks)
        return
    with ProcessPoolExecutor(jobs) as pool:
        try:
            for done in as_completed([pool.submit(_task, task) for task in tasks]):
                yield done.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _task(seeds: Sequence[int]) -> Summary:
    summary, traces = Summary(), blake2b(digest_size=16)
    for run in _runs(draw(seed, WEIGHTS) for seed in seeds):
        summary.take(run)
        traces.update(run.trace.encode())
    summary.traces[seeds[0]] = traces.hexdigest()
    return summary


def _runs(plans: Iterable[Plan]) -> Iterator[Run]:
    return map(play, plans)
