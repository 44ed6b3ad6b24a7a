"""What a run asked for and was told, and what the bank shows once it is at rest."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CREDIT, DEBIT = "CRDT", "DBIT"


class Told(StrEnum):
    """What the bank last said about a transfer."""

    NOTHING = "nothing"
    ACCEPTED = "accepted"
    COMPLETED = "completed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Sent:
    """A transfer that was asked for.

    Attributes:
        key: its idempotency key.
        source: the account it was to come from.
        target: the account it was to go to.
        amount_minor: how much, in minor units.
        told: what the bank said about it during the run.
        transfer_id: under which id, where it gave one.
    """

    key: str
    source: str
    target: str
    amount_minor: int
    told: Told = Told.NOTHING
    transfer_id: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of an account's history; those that are of no transfer have an empty id."""

    transfer_id: str
    direction: str
    amount_minor: int

    @property
    def change_minor(self) -> int:
        """What it does to the balance."""
        return self.amount_minor if self.direction == CREDIT else -self.amount_minor


@dataclass(frozen=True, slots=True)
class Shown:
    """An account at rest: its balances, and its whole history."""

    booked_minor: int
    held_minor: int
    entries: Sequence[Entry]


@dataclass(frozen=True, slots=True)
class Found:
    """What the bank shows at rest.

    Attributes:
        answers: the id the bank gives for a key when it is asked once more; empty where the answer
            names no transfer, None where there is no answer.
        states: of each transfer by its id, None where there is no such transfer.
        accounts: each account of the run by its id.
        opening_minor: what was on each account before the run.
    """

    answers: Mapping[str, str | None]
    states: Mapping[str, str | None]
    accounts: Mapping[str, Shown]
    opening_minor: int
