"""Real time: what was answered before something else was sent must come before it.

The claimed order is the account version. A write that names version v *is* step v; a read or a
refusal that names v saw the account after step v. One sweep over the interval ends decides it, in n
log n.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable
from itertools import accumulate
from math import inf
from typing import NamedTuple

from bank_conformance.model import Observation


class Inversion(NamedTuple):
    """Two observations whose claimed order contradicts real time."""

    earlier: Observation
    later: Observation


def inversions(observations: Iterable[Observation], made: Collection[int] = ()) -> list[Inversion]:
    """Return, for every observation that contradicts real time, one that it contradicts.

    `made` names the operations that made a version of their own although their kind does not tell.
    """
    claimed = [item for item in observations if item.version is not None]
    by_end = sorted(claimed, key=lambda item: item.completed)
    newest: Observation | None = None
    found, done = [], 0
    for later in sorted(claimed, key=lambda item: item.invoked):
        while done < len(by_end) and by_end[done].completed < later.invoked:
            newest = _newer(newest, by_end[done])
            done += 1
        if newest is not None and _contradicts(
            newest, later, later.steps or later.operation in made
        ):
            found.append(Inversion(newest, later))
    return found


def _newer(one: Observation | None, other: Observation) -> Observation:
    return other if one is None or _claim(other) > _claim(one) else one


def _claim(item: Observation) -> int:
    return item.version or 0


def _contradicts(earlier: Observation, later: Observation, made: bool) -> bool:
    """Say whether `later` should have claimed more: one that made its version, strictly more."""
    return _claim(later) < _claim(earlier) + made


class Windows:
    """Between which versions something must have happened that names none itself."""

    def __init__(self, observations: Iterable[Observation]) -> None:
        claimed = [item for item in observations if item.version is not None]
        ended = sorted((item.completed, _claim(item)) for item in claimed)
        begun = sorted((item.invoked, _claim(item) - item.steps) for item in claimed)
        self._ends = [at for at, _ in ended]
        self._highest = list(accumulate((version for _, version in ended), max))
        self._starts = [at for at, _ in begun]
        self._lowest = list(accumulate((version for _, version in reversed(begun)), min))[::-1]

    def after(self, at: float) -> int:
        """Return the highest version claimed by what was answered before `at`."""
        count = bisect_left(self._ends, at)
        return self._highest[count - 1] if count else 0

    def before(self, at: float) -> float:
        """Return the lowest version seen by what was sent after `at`, infinity if nothing was.

        A write that claims version v saw v - 1.
        """
        first = bisect_right(self._starts, at)
        return self._lowest[first] if first < len(self._lowest) else inf
