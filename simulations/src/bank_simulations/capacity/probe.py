"""What a bank's processes used and how large its batches were: read before and after, subtracted.

Both are optional: processes can be looked at where the bank runs on this machine, metrics where it
serves them (BANK_METRICS_PORT).
"""

from __future__ import annotations

import re
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil  # type: ignore[import-untyped]
from geventhttpclient import HTTPClient
from geventhttpclient.response import HTTPParseError

from bank_simulations.console import BadInputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

GROUPS = ("api", "worker", "database")
OBSERVER = "observer"
TIMEOUT_SECONDS = 5.0
SAMPLE = re.compile(r"^(\w+)(?:\{[^}]*\})? ([0-9.eE+-]+)$", re.MULTILINE)
COUNTERS = (
    "bank_append_batch_commands_sum",
    "bank_append_batch_commands_count",
    "bank_append_seconds_sum",
)


@dataclass(frozen=True, slots=True)
class Reading:
    """Totals so far: seconds on a clock, processor seconds by group, counters by name."""

    at_seconds: float
    cpu_seconds: Mapping[str, float]
    counters: Mapping[str, float]

    def since(self, before: Reading) -> Reading:
        """What happened in between."""
        return Reading(
            self.at_seconds - before.at_seconds,
            {name: self.cpu_seconds[name] - cpu for name, cpu in before.cpu_seconds.items()},
            {name: self.counters[name] - count for name, count in before.counters.items()},
        )

    @property
    def batch_commands(self) -> float | None:
        """Mean commands of a batch."""
        return self._mean("bank_append_batch_commands_sum")

    @property
    def append_seconds(self) -> float | None:
        """Mean time of a batch to the log and back."""
        return self._mean("bank_append_seconds_sum")

    def _mean(self, name: str) -> float | None:
        batches = self.counters.get("bank_append_batch_commands_count")
        return self.counters[name] / batches if batches else None


@dataclass(frozen=True, slots=True)
class Probe:
    """Where to look; `processes` are the groups' first processes, whose children count too."""

    processes: Mapping[str, Sequence[int]]
    metrics_urls: Sequence[str] = ()

    def read(self) -> Reading:
        """Look now.

        Raises:
            BadInputError: a process has ended, or nobody serves metrics there.
        """
        cpu = {name: sum(map(_tree_seconds, pids)) for name, pids in self.processes.items()}
        cpu[OBSERVER] = time.process_time()
        pages = [_fetch(url) for url in self.metrics_urls]
        counters = {name: sum(_total(page, name) for page in pages) for name in COUNTERS}
        return Reading(time.perf_counter(), cpu, counters if pages else {})


def parse_processes(texts: Sequence[str]) -> dict[str, list[int]]:
    """`api=4711`: a group, an equals sign, the id of its first process; repeatable."""
    found: dict[str, list[int]] = {}
    for text in texts:
        name, _, pid = text.partition("=")
        if name not in GROUPS or not pid.isdecimal():
            raise BadInputError(
                f"{text!r} names no process: it looks like api=4711, with {', '.join(GROUPS)}"
            )
        found.setdefault(name, []).append(int(pid))
    return found


def _tree_seconds(pid: int) -> float:
    """Processor seconds of a process and its children, those that have ended included."""
    try:
        first = psutil.Process(pid)
        family = [first, *first.children(recursive=True)]
    except psutil.Error as error:
        raise BadInputError(f"no process {pid} to look at: {error}") from error
    return sum(map(_seconds, family))


def _seconds(process: psutil.Process) -> float:
    try:
        used = process.cpu_times()
    except psutil.Error:  # it ended just now, and its parent counts it from here on
        return 0.0
    return float(used.user + used.system + used.children_user + used.children_system)


def _fetch(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise BadInputError(f"{url!r} serves no metrics: it looks like http://127.0.0.1:9000")
    try:
        with closing(HTTPClient.from_url(url, network_timeout=TIMEOUT_SECONDS)) as http:
            return str(http.get("/metrics").read().decode())
    except (OSError, HTTPParseError, UnicodeDecodeError) as error:
        raise BadInputError(f"no metrics at {url}: {error}; set BANK_METRICS_PORT") from error


def _total(page: str, name: str) -> float:
    return sum(float(value) for found, value in SAMPLE.findall(page) if found == name)
