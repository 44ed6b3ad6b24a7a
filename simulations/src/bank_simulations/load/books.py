"""The model's own books: which answers are possible, given what was asked and answered so far.

Answers arrive while other transfers are under way, so a balance is known only as a range. Every
judgement takes the end of the range that favours the bank: what is called wrong is wrong.

Several processes may have asked, each knowing its own part. All of them note the times on the
machine's one monotonic clock, so the parts are put in order and judged as one, after the run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from .measurement import Observation
    from .plan import Planned

INSUFFICIENT_FUNDS = "insufficient-funds"


@dataclass(slots=True)
class Balance:
    """One account: its opening balance, and sums of what was asked for and what became of it."""

    opening_minor: int
    in_asked: int = 0
    in_done: int = 0
    in_refused: int = 0
    out_asked: int = 0
    out_done: int = 0
    out_refused: int = 0

    @property
    def least_minor(self) -> int:
        """The least it can be once nothing moves: every debit in doubt happened, no credit did."""
        return self.opening_minor + self.in_done - (self.out_asked - self.out_refused)

    @property
    def most_minor(self) -> int:
        """The most it can be once nothing moves: every credit in doubt happened, no debit did."""
        return self.opening_minor + (self.in_asked - self.in_refused) - self.out_done


@dataclass(frozen=True, slots=True)
class Asked:
    """What was certain about the source when a transfer was asked for."""

    in_done: int
    out_done: int
    out_refused: int


class Books:
    """The balances of all accounts of a run, and the transfers whose outcome is unknown."""

    def __init__(
        self, accounts: int, opening_minor: int, expected_refusals: Collection[str] = ()
    ) -> None:
        self.balances = [Balance(opening_minor) for _ in range(accounts)]
        self._expected = frozenset(expected_refusals)

    def ask(self, planned: Planned) -> Asked:
        """Note that the transfer is about to be asked for."""
        source, target = self._parties(planned)
        asked = Asked(source.in_done, source.out_done, source.out_refused)
        source.out_asked += planned.amount_minor
        target.in_asked += planned.amount_minor
        return asked

    def complete(self, planned: Planned, asked: Asked) -> bool:
        """Note that the transfer completed; False if the money cannot have been there."""
        source, target = self._parties(planned)
        most = source.opening_minor + (source.in_asked - source.in_refused) - asked.out_done
        source.out_done += planned.amount_minor
        target.in_done += planned.amount_minor
        return most >= planned.amount_minor

    def refuse(self, planned: Planned, asked: Asked, code: str) -> bool:
        """Note that the transfer was refused; False if there is no reason the model knows."""
        source, target = self._parties(planned)
        others = source.out_asked - planned.amount_minor - asked.out_refused
        least = source.opening_minor + asked.in_done - others
        source.out_refused += planned.amount_minor
        target.in_refused += planned.amount_minor
        broke = code == INSUFFICIENT_FUNDS and least < planned.amount_minor
        return broke or code in self._expected

    def _parties(self, planned: Planned) -> tuple[Balance, Balance]:
        return self.balances[planned.source], self.balances[planned.target]


def judge(observations: Iterable[Observation], books: Books) -> None:
    """Go through what was asked and decided, in order of time; mark what the books do not allow."""
    asked: dict[int, Asked] = {}
    for _, decides, place, seen in sorted(_moves(observations)):
        if not decides:
            asked[place] = books.ask(seen.planned)
        elif seen.refusal is None:
            seen.agreed = books.complete(seen.planned, asked.pop(place))
        else:
            seen.agreed = books.refuse(seen.planned, asked.pop(place), seen.refusal)


def _moves(
    observations: Iterable[Observation],
) -> Iterator[tuple[float, bool, int, Observation]]:
    """When each was asked and, where that is known, decided; asked first where both are at once."""
    for place, seen in enumerate(observations):
        yield seen.asked_at, False, place, seen
        if seen.decided_at is not None:
            yield seen.decided_at, True, place, seen
