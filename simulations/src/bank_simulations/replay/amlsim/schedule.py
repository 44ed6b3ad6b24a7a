"""Which transfers may be under way together: those between which the order cannot be seen.

A transfer may start when every earlier one that touches either of its accounts has ended. Then each
account meets its transfers in the order of the file, so every outcome and every balance is that of
one transfer at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .book import Transfer


class Schedule:
    """Transfers by their places in a sequence; each is freed once, after those it waits for.

    It is enough to wait for the last earlier one of each account: that one waited for those before.
    Not `in_order`, none waits for any.
    """

    def __init__(self, transfers: Sequence[Transfer], *, in_order: bool = True) -> None:
        self._awaited = [0] * len(transfers)
        self._followers: list[list[int]] = [[] for _ in transfers]
        last: dict[str, int] = {}
        for place, transfer in enumerate(transfers if in_order else ()):
            accounts = {transfer.source, transfer.target}
            earlier = {last[account] for account in accounts if account in last}
            self._awaited[place] = len(earlier)
            for each in earlier:
                self._followers[each].append(place)
            last.update(dict.fromkeys(accounts, place))

    def free_at_first(self) -> list[int]:
        """The places of the transfers that wait for none."""
        return [place for place, awaited in enumerate(self._awaited) if awaited == 0]

    def free_after(self, place: int) -> list[int]:
        """Note that the transfer at `place` has ended; the places of those that may start now."""
        for follower in self._followers[place]:
            self._awaited[follower] -= 1
        return [each for each in self._followers[place] if self._awaited[each] == 0]
