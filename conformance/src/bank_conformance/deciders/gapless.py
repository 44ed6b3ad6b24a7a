"""Numbers that must run 1, 2, 3 … , and readings that must not change afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import Generic, NamedTuple, TypeVar

Item = TypeVar("Item")


class Break(NamedTuple):
    """A place where a number is not the one that had to come."""

    place: int
    expected: int
    actual: int


def breaks(numbers: Iterable[int], first: int = 1) -> list[Break]:
    """Return the places where `numbers` do not run `first`, `first` + 1, …, counted from there
    on.
    """
    found, expected = [], first
    for place, actual in enumerate(numbers):
        if actual != expected:
            found.append(Break(place, expected, actual))
        expected = actual + 1
    return found


class Change(NamedTuple, Generic[Item]):
    """An element of an earlier reading that a later one does not repeat."""

    place: int
    before: Item
    after: Item | None


def changes(earlier: Sequence[Item], later: Sequence[Item]) -> list[Change[Item]]:
    """Return where `earlier` is not a prefix of `later`."""
    pairs = zip_longest(earlier, later[: len(earlier)])
    return [Change(i, old, new) for i, (old, new) in enumerate(pairs) if old != new]
