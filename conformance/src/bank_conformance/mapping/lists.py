"""Lists: a bank's pages as the contract's, which have an order, a limit and a cursor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

LIMIT = 100
EMULATED = frozenset({"order", "limit", "cursor"})
"""What a list that comes whole is given here."""


class Page(NamedTuple):
    """The items of a page, each with its place in the whole list from 1, and the next cursor."""

    items: list[tuple[int, Any]]
    next: str | None


def of_whole(items: Sequence[Any], query: Mapping[str, Any], *, newest_first: bool) -> Page:
    """Return a page of a list that was answered whole.

    The cursor is the place of the last item shown, so that a list which grows at its end does not
    move under it.
    """
    oldest_first = reversed(items) if newest_first else items
    placed = list(enumerate(oldest_first, 1))
    limit, cursor = _number(query.get("limit"), LIMIT), _number(query.get("cursor"), 0)
    if query.get("order") == "desc":
        left = [(at, item) for at, item in reversed(placed) if not cursor or at < cursor]
    else:
        left = placed[cursor:]
    more = len(left) > limit
    return Page(left[:limit], str(left[limit - 1][0]) if more else None)


def by_offset(items: Sequence[Any], query: Mapping[str, Any]) -> Page:
    """Return a page that the bank answered from an offset; a short page is the last."""
    begin = _number(query.get("cursor"), 0)
    full = len(items) >= _number(query.get("limit"), LIMIT)
    placed = list(enumerate(items, begin + 1))
    return Page(placed, str(begin + len(items)) if full else None)


def _number(given: Any, default: int) -> int:
    text = str(given)
    return int(text) if text.isascii() and text.isdigit() and int(text) else default
