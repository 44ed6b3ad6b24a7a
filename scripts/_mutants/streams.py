"""Plays streams of seeds on the bank that is at hand, broken or not: a program of its own.

    python streams.py 1-2000 2001-4000 …

It prints a line of JSON a stream, up to the first seed of it that fails. Only the copy of the bank
is imported, through PYTHONPATH.
"""

import json
import sys

from simulation.plan import draw  # type: ignore[import-not-found] # the bank's, known when it runs
from simulation.run import play  # type: ignore[import-not-found]
from simulation.shrink import kind_of  # type: ignore[import-not-found]
from simulation.workloads import WEIGHTS  # type: ignore[import-not-found]


def played(first: int, last: int) -> dict[str, object]:
    """How many seeds of a stream were played, and how the last of them failed, if it did."""
    core_seconds, seed, found = 0.0, first, ""
    for seed in range(first, last + 1):
        run = play(draw(seed, WEIGHTS))
        core_seconds += run.core_seconds
        if run.violations:
            found = kind_of(run.violations).removeprefix("# s: ")  # when does not matter
            break
    return {"first": first, "seeds": seed - first + 1, "found": found, "core_seconds": core_seconds}


for stream in sys.argv[1:]:
    begin, _, end = stream.partition("-")
    print(json.dumps(played(int(begin), int(end))), flush=True)
