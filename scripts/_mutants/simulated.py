"""One mutant in the bank's own simulation: how many seeds it lives."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median_low
from typing import TYPE_CHECKING

import msgspec
from _demo.bank import DemoError
from _tasks.steps import SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .table import Mutant

PLAYER = Path(__file__).with_name("streams.py")
PARTS = ("src", "simulation")
LEFT_BEHIND = shutil.ignore_patterns("__pycache__", "corpus")


class Stream(msgspec.Struct, frozen=True):
    """Seeds one after the other from `first` on, up to one that fails or to the limit.

    `seeds` is how many were played, `found` what was wrong with the last one: nothing, if the
    limit came first.
    """

    first: int
    seeds: int
    found: str
    core_seconds: float

    @property
    def last(self) -> int:
        """The seed that failed, if one did."""
        return self.first + self.seeds - 1


@dataclass(slots=True)
class Hunt:
    """What became of a mutant; `cleared` says that the bank without it passes the same seeds."""

    mutant: Mutant
    streams: list[Stream] = field(default_factory=list)
    executions: int = 0
    seconds: float = 0.0
    cleared: bool = True

    @property
    def passed(self) -> bool:
        """Whether every stream found it, and found nothing but it."""
        return bool(self.executions and self.cleared) and all(one.found for one in self.streams)

    @property
    def median(self) -> int:
        """Seeds until it is found; of an even number of streams the lower one."""
        return median_low(one.seeds for one in self.streams)

    @property
    def worst(self) -> int:
        """Seeds until it is found, in the stream that needed most."""
        return max(one.seeds for one in self.streams)

    @property
    def found_as(self) -> str:
        """How it shows most often."""
        return Counter(one.found for one in self.streams).most_common(1)[0][0]

    @property
    def outcome(self) -> str:
        """One line that says so."""
        if not self.executions:
            return "its broken line never ran"
        if not self.streams[-1].found:
            return f"survived {self.streams[-1].seeds:,} seeds from {self.streams[-1].first:,} on"
        if not self.cleared:
            return "the bank itself fails the same seeds"
        return f"median {self.median:,} seeds, worst {self.worst:,}: {self.found_as}"


def copied(into: Path) -> Path:
    """The template's bank, as much of it as the simulation runs."""
    for part in PARTS:
        shutil.copytree(SERVICE / part, into / part, ignore=LEFT_BEHIND)
    (into / "var").mkdir()
    return into


def hunt(folder: Path, samples: int, seeds_max: int, mutant: Mutant) -> Hunt:
    """Break a copy of the bank, and play streams of seeds until each has found it, or one gave up.

    Raises:
        StaleError: the mutant does not fit the source.
        DemoError: the simulation could not be run.
    """
    hunted, began = Hunt(mutant), time.monotonic()
    bank = copied(folder / mutant.id)
    mutant.put_into(bank)
    streams = [(1 + n * seeds_max, (n + 1) * seeds_max) for n in range(samples)]
    hunted.streams = list(_until_survival(_played(bank, streams)))
    tally = bank / "var" / "tally"
    hunted.executions = tally.stat().st_size if tally.exists() else 0
    hunted.seconds = time.monotonic() - began
    shutil.rmtree(bank)
    return hunted


def clear(folder: Path, hunts: Sequence[Hunt]) -> None:
    """Play the seeds that failed on the bank itself: what fails there too proves nothing."""
    due = sorted({one.last for each in hunts for one in each.streams if one.found})
    if not due:
        return
    bank = copied(folder / "itself")
    failed = {one.last for one in _played(bank, [(seed, seed) for seed in due]) if one.found}
    for each in hunts:
        each.cleared = failed.isdisjoint(one.last for one in each.streams)


def _until_survival(streams: Iterable[Stream]) -> Iterator[Stream]:
    """Up to the first that found nothing, and with it: the others could not change the outcome."""
    for stream in streams:
        yield stream
        if not stream.found:
            return


def _played(bank: Path, streams: Sequence[tuple[int, int]]) -> Iterator[Stream]:
    """One stream after the other, as long as anybody asks."""
    command = [sys.executable, str(PLAYER), *(f"{first}-{last}" for first, last in streams)]
    path = os.pathsep.join([str(bank), str(bank / "src")])
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    with subprocess.Popen(
        command, cwd=bank, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as player:
        try:
            for line in player.stdout or ():
                yield msgspec.json.decode(line, type=Stream)
            if player.wait():
                said = player.stderr.read().decode() if player.stderr else ""
                raise DemoError(f"{bank.name} cannot be simulated: {said[-2000:]}")
        finally:
            player.kill()
