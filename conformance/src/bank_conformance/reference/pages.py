"""Pages of a list: the cursor is the key of the last item that was given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .problems import RefusalError


class Page(NamedTuple):
    """Where a page begins and ends in its list, and the cursor of the next one."""

    first: int
    end: int
    cursor: str | None


class Pages:
    """Cuts lists into pages. The steps that a mutant breaks are methods of their own."""

    def cut(self, keys: Sequence[str], cursor: str | None, limit: int) -> Page:
        """Return the page of the items with these keys that follows the cursor."""
        first = 0 if cursor is None else self.after(keys, cursor)
        end = min(first + limit, len(keys))
        return Page(first, end, self.cursor(keys, end) if end < len(keys) else None)

    def after(self, keys: Sequence[str], cursor: str) -> int:
        """Return where the list goes on after a cursor, or refuse (400) it."""
        if cursor not in keys:
            raise RefusalError(400, "invalid-cursor")
        return keys.index(cursor) + 1

    def cursor(self, keys: Sequence[str], end: int) -> str:
        """Return the cursor for what follows the first `end` items."""
        return keys[end - 1]
