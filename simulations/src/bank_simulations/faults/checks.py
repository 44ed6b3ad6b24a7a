"""What must hold whatever breaks: five invariants over a run and what the bank shows at rest.

Nothing here knows how the run was made: a history written by hand is decided the same way.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from typing import TYPE_CHECKING

from bank_simulations.load.watch import TERMINAL

from .history import CREDIT, DEBIT, Found, Sent, Told

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

COMPLETED = "COMPLETED"

Leg = tuple[str, str, int]
"""Account, direction and amount of an entry."""


class Invariant(StrEnum):
    """What every fault must leave true."""

    KEPT = "nothing acknowledged is lost"
    ONCE = "nothing happens twice, or unasked"
    ENDED = "every transfer reaches its end"
    REFUSED = "what was refused did not happen"
    EXACT = "the books are exact"


@dataclass(frozen=True, slots=True)
class Finding:
    """An invariant that was broken, and by what."""

    invariant: Invariant
    text: str


def check(sent: Sequence[Sent], found: Found) -> list[Finding]:
    """Everything that is wrong; empty when all invariants hold."""
    legs = _legs(found)
    own = chain.from_iterable(_of_one(each, found, legs) for each in sent)
    return [*own, *_unasked(sent, found, legs), *_books(found)]


def _of_one(sent: Sent, found: Found, legs: Mapping[str, Sequence[Leg]]) -> Iterator[Finding]:
    """What is wrong about one transfer."""
    again = found.answers.get(sent.key, sent.transfer_id)
    if sent.transfer_id and again not in (None, sent.transfer_id):
        text = f"the key {sent.key} gives {again}, and gave {sent.transfer_id}"
        yield Finding(Invariant.ONCE, text)
    if transfer_id := sent.transfer_id or again:
        state = found.states.get(transfer_id)
        yield from _of_state(sent, transfer_id, state)
        yield from _of_legs(sent, transfer_id, state, legs.get(transfer_id, ()))
    elif again is None and sent.told is not Told.REFUSED:
        yield Finding(Invariant.ENDED, f"the key {sent.key} is never answered")


def _of_state(sent: Sent, transfer_id: str, state: str | None) -> Iterator[Finding]:
    if state is None:
        yield Finding(Invariant.KEPT, f"{transfer_id} was {sent.told} and is not there any more")
    elif state not in TERMINAL:
        yield Finding(Invariant.ENDED, f"{transfer_id} is {state} for good")
    elif sent.told is Told.COMPLETED and state != COMPLETED:
        yield Finding(Invariant.KEPT, f"{transfer_id} was completed and is {state}")
    elif sent.told is Told.REFUSED and state == COMPLETED:
        yield Finding(Invariant.REFUSED, f"{transfer_id} was refused and is {state}")


def _of_legs(
    sent: Sent, transfer_id: str, state: str | None, legs: Sequence[Leg]
) -> Iterator[Finding]:
    """Both sides once each when it completed, and none otherwise."""
    wanted = {
        (sent.source, DEBIT, sent.amount_minor),
        (sent.target, CREDIT, sent.amount_minor),
    }
    if len(legs) > len(set(legs)) or set(legs) - wanted:
        yield Finding(Invariant.ONCE, f"{transfer_id} has the entries {_words(legs)}")
    elif state == COMPLETED and set(legs) != wanted:
        missing = _words(sorted(wanted - set(legs)))
        yield Finding(Invariant.KEPT, f"{transfer_id} is {state} without the entries {missing}")
    elif state in TERMINAL - {COMPLETED} and legs:
        yield Finding(Invariant.REFUSED, f"{transfer_id} is {state} with {_words(legs)}")


def _unasked(
    sent: Sequence[Sent], found: Found, legs: Mapping[str, Sequence[Leg]]
) -> Iterator[Finding]:
    """Entries of transfers that nobody has asked for."""
    known = {each.transfer_id for each in sent} | set(found.answers.values())
    for transfer_id in sorted(legs.keys() - known):
        text = f"nobody asked for {transfer_id}, with {_words(legs[transfer_id])}"
        yield Finding(Invariant.ONCE, text)


def _books(found: Found) -> Iterator[Finding]:
    """Each balance is what its history says, nothing is held, and no money came or went."""
    total = 0
    for account_id, shown in found.accounts.items():
        change = shown.booked_minor - found.opening_minor
        total += change
        moved = sum(entry.change_minor for entry in shown.entries if entry.transfer_id)
        if moved != change:
            text = f"{account_id} changed by {change}, its history says by {moved}"
            yield Finding(Invariant.EXACT, text)
        if shown.held_minor:
            yield Finding(Invariant.EXACT, f"{account_id} still holds {shown.held_minor}")
    if total:
        yield Finding(Invariant.EXACT, f"all accounts together changed by {total}, not by 0")


def _legs(found: Found) -> dict[str, list[Leg]]:
    legs: dict[str, list[Leg]] = defaultdict(list)
    for account_id, shown in found.accounts.items():
        for entry in shown.entries:
            if entry.transfer_id:
                leg = account_id, entry.direction, entry.amount_minor
                legs[entry.transfer_id].append(leg)
    return legs


def _words(legs: Sequence[Leg]) -> str:
    return ", ".join(f"{account} {direction} {amount}" for account, direction, amount in legs)
