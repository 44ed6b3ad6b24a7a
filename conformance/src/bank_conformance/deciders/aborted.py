"""Aborted reads: something was seen of a command that the bank says it never did."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple


class Sight(NamedTuple):
    """An amount that a read showed, and which read."""

    amount: int
    operation: int


def aborted(rejected: Collection[int], sights: Iterable[Sight]) -> list[Sight]:
    """Return the first sight of each amount that only a refused command moves."""
    first: dict[int, Sight] = {}
    for sight in sights:
        if sight.amount in rejected:
            first.setdefault(sight.amount, sight)
    return list(first.values())
