"""Watching for one thing to show, and how often to look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bank_conformance.deciders.stable_latency import Latency

if TYPE_CHECKING:
    from collections.abc import Callable

    from bank_simulations.client import Answer

    from .plan import Planned

OK = 200
FIRST_LOOK_SECONDS = 0.015
"""After the answer: read models follow a little later, and a look at once is mostly in vain."""
LOOK_SECONDS = (0.02, 0.03, 0.05)
OVERDUE_LOOK_SECONDS = 0.25
TERMINAL = frozenset({"COMPLETED", "REJECTED", "FAILED", "CANCELLED", "EXPIRED"})


@dataclass(slots=True)
class Watch:
    """One place to look at until something shows there.

    Attributes:
        path: what to GET.
        shows: whether it shows in the body of a 200.
        lower_seconds: when the last look that missed it began, from the intended start.
        seen: between which two looks it appeared.
        found: the body in which it showed.
        misses: how many looks surely missed it.
    """

    path: str
    shows: Callable[[Any], bool]
    lower_seconds: float = 0.0
    seen: Latency | None = None
    found: Any = None
    misses: int = 0

    def learn(self, answer: Answer, began_seconds: float, ended_seconds: float) -> None:
        """Take in one look; an error says neither yes nor no."""
        if answer.status != OK:
            return
        if self.shows(answer.body):
            self.seen = Latency(self.lower_seconds, ended_seconds)
            self.found = answer.body
        else:
            self.lower_seconds = began_seconds
            self.misses += 1


def entry_watch(account_id: str, transfer_id: str, direction: str, planned: Planned) -> Watch:
    """Wait for the transfer's entry in an account's history, with the right sign and amount."""

    def is_it(entry: Any) -> bool:
        return (
            isinstance(entry, dict)
            and entry.get("transfer_id") == transfer_id
            and entry.get("direction") == direction
            and entry.get("amount_minor") == planned.amount_minor
        )

    def shows(body: Any) -> bool:
        items = body.get("items") if isinstance(body, dict) else None
        return isinstance(items, list) and any(map(is_it, items))

    return Watch(f"/v1/accounts/{account_id}/entries?transfer_id={transfer_id}", shows)


def terminal_watch(transfer_id: str) -> Watch:
    """Wait for the transfer to reach a state that is final."""

    def shows(body: Any) -> bool:
        return isinstance(body, dict) and body.get("state") in TERMINAL

    return Watch(f"/v1/transfers/{transfer_id}", shows)


def pause_seconds(looks: int, overdue: bool, watching: int, looks_per_second_max: float) -> float:
    """How long to wait for the next look.

    Soon at first, then every 50 ms, which is precise enough for a bound of seconds; four times a
    second once the bound is broken anyway. When many are watched at once all looks together stay
    below the limit: watching must not be the load.
    """
    usual = LOOK_SECONDS[min(looks, len(LOOK_SECONDS) - 1)]
    fair = watching / looks_per_second_max
    return max(OVERDUE_LOOK_SECONDS if overdue else usual, fair)
