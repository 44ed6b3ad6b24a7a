"""Claimed order: replay an account in the order the bank itself claims, and compare every answer.

Every acknowledgement names the account version it produced, every refusal and strong read the
version it saw. So no search over orders is needed: the operations are replayed by version through
the sequential model, in linear time after sorting. What names no version of the account (the hold
of a transfer, a write without an answer) is given the window that real time leaves it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple

from bank_conformance.bank.shapes import Entry
from bank_conformance.history import Outcome
from bank_conformance.model import INSUFFICIENT, AccountState, Kind, Observation

from .realtime import Inversion, Windows, inversions

TRAIL_MAX = 8
"""A failing history shows at most so many operations before the one that contradicts."""

BOOKS = {Kind.DEBIT, Kind.CREDIT, Kind.CAPTURE}
"""The kinds whose effect is an entry in the account's history."""


class Contradiction(NamedTuple):
    """An answer that the claimed order does not explain, with the operations that led to it."""

    text: str
    operations: tuple[int, ...]


@dataclass(slots=True)
class _Step:
    """What happens at one version: who claims to be it, what changes, who saw the state after
    it.
    """

    claims: Sequence[Observation] = ()
    doubts: Sequence[Observation] = ()
    entries: Sequence[Entry] = ()
    held_min: int = 0
    held_max: int = 0
    witnesses: Sequence[Observation] = ()
    transfers: Sequence[Observation] = ()
    """The requests of the transfers that are debited here."""

    def add(self, to: str, item: Observation | Entry) -> None:
        """Add to one of the sequences, which are lists only where there is something in them.

        There are as many steps as versions, a million perhaps, and most have one thing.
        """
        if found := getattr(self, to):
            found.append(item)
        else:
            setattr(self, to, [item])


def replay(entries: Sequence[Entry], observations: Sequence[Observation]) -> list[Contradiction]:
    """Return every contradiction on one account.

    `entries` is the account's history once everything is at rest; `observations` are all operations
    on the account, its opening and those without an answer included.
    """
    windows = Windows(observations)
    steps = _steps(entries, observations, windows)
    run = _Run(AccountState())
    for version in sorted(steps):
        run.take(version, steps[version])
    run.explain_unplaced(observations, windows)
    run.found += _inverted(inversions(observations, run.made))
    return _unversioned(observations) + run.found + _unasked(entries, observations)


def _steps(
    entries: Iterable[Entry], observations: Iterable[Observation], windows: Windows
) -> dict[int, _Step]:
    steps: dict[int, _Step] = {}

    def at(version: int) -> _Step:
        return steps.setdefault(version, _Step())

    debited = {}
    for entry in entries:
        at(entry.version).add("entries", entry)
        if entry.transfer_id and entry.direction == "DBIT":
            debited[entry.transfer_id] = entry.version
    for item in observations:
        if item.kind is Kind.TRANSFER:
            debit = debited.get(item.subject)
            _place_hold(at, item, windows, debit)
            if debit is not None:
                at(debit).add("transfers", item)
        elif item.outcome is Outcome.INFO or (item.writes and item.version is None):
            at(windows.after(item.invoked) + 1).add("doubts", item)
        elif item.version is not None:
            at(item.version).add("claims" if item.writes else "witnesses", item)
    return steps


def _place_hold(
    at: Callable[[int], _Step], item: Observation, windows: Windows, debit: int | None
) -> None:
    """Give a transfer's hold the versions at which it may, and at which it must, stand."""
    first = windows.after(item.invoked) + 1
    if item.outcome is Outcome.FAIL and not item.subject:
        return
    end = debit if debit is not None else _released(item, windows)
    if first >= end:
        return
    at(first).held_max += item.amount
    if end < inf:
        at(int(end)).held_max -= item.amount
    must = windows.before(item.completed)
    if debit is not None and item.outcome is Outcome.OK and first <= must < debit:
        at(int(must)).held_min += item.amount
        at(debit).held_min -= item.amount


def _released(item: Observation, windows: Windows) -> float:
    return inf if item.ended is None else windows.before(item.ended)


@dataclass(slots=True)
class _Run:
    """One replay: the state so far, what contradicts it, and the way that led there."""

    state: AccountState
    found: list[Contradiction] = field(default_factory=list)
    versions: list[int] = field(default_factory=list)
    available_min: list[int] = field(default_factory=list)
    trail: deque[int] = field(default_factory=lambda: deque(maxlen=TRAIL_MAX))
    overdrawn: bool = False
    made: set[int] = field(default_factory=set)
    """The operations that certainly made the version they claim."""

    def take(self, version: int, step: _Step) -> None:
        """Check the claims against the state before, change it, and check the witnesses after.

        What may have found nothing left to do comes after what certainly is a step.
        """
        certain = [claim for claim in step.claims if claim.steps]
        for claim in certain:
            self._check_objection(claim)
            self._check_booked(claim, step)
        self._change(version, step)
        self._apply(certain, [claim for claim in step.claims if not claim.steps])
        self._check_limit(step)
        for witness in step.witnesses:
            self._check_witness(witness)

    def _check_objection(self, claim: Observation) -> None:
        if objection := self.state.objection(claim):
            self._contradict(f"{objection} ({self.state})", claim)

    def _check_booked(self, claim: Observation, step: _Step) -> None:
        if claim.kind in BOOKS and not any(_is_effect(entry, claim) for entry in step.entries):
            text = f"an acknowledged {claim.kind} of {claim.amount} is not in the history"
            self._contradict(f"{text} at version {claim.version}", claim)

    def _change(self, version: int, step: _Step) -> None:
        state = self.state
        for entry in step.entries:
            state.booked += entry.signed_minor
            state.sequence += 1
        state.held.low += step.held_min
        state.held.high += step.held_max
        for doubt in step.doubts:
            state.doubt(doubt)
        state.version = version
        self.trail.extend(item.operation for item in step.transfers)

    def _apply(self, certain: list[Observation], perhaps: list[Observation]) -> None:
        """Apply the claims of one version; only one of them can have made it."""
        makers = [*certain]
        for claim in certain + perhaps:
            if not claim.steps:
                self._check_objection(claim)
                makers += [claim] if self.state.changes(claim) else []
            self.trail.append(claim.operation)
            self.state.apply(claim)
        # Whoever found nothing to do must find nothing in the state that was reached.
        makers += [one for one in perhaps if one not in makers and self.state.changes(one)]
        self.made |= {maker.operation for maker in makers}
        if len(makers) > 1:
            self._contradict(f"{len(makers)} commands claim version {self.state.version}", *makers)
        self.versions.append(self.state.version)
        self.available_min.append(self.state.available_min)

    def _check_limit(self, step: _Step) -> None:
        """Check that nothing took the account below its limit but a lower limit."""
        below = self.state.available_max < 0
        lowered = any(claim.kind is Kind.CREDIT_LINE for claim in step.claims)
        if below and not self.overdrawn and not lowered:
            makers = [*step.claims, *step.transfers]
            self._contradict(f"the account is below its limit ({self.state})", *makers)
        self.overdrawn = below

    def _check_witness(self, witness: Observation) -> None:
        if witness.reading is not None:
            if difference := self.state.differs(witness.reading):
                self._contradict(f"a strong read said {difference} ({self.state})", witness)
            else:
                self.trail.clear()
                self.trail.append(witness.operation)
        elif not self.state.excuses(witness):
            text = f"a {witness.kind} of {witness.amount} was refused as {witness.code}"
            self._contradict(f"{text}, which nothing explains ({self.state})", witness)

    def explain_unplaced(self, observations: Iterable[Observation], windows: Windows) -> None:
        """Check the refusals for want of money that name no version of the account."""
        for item in observations:
            if item.code != INSUFFICIENT or item.version is not None:
                continue
            least = self._least_available(item, windows)
            if least >= item.amount:
                text = f"a {item.kind} of {item.amount} was refused as {INSUFFICIENT}"
                self._contradict(f"{text} while at least {least} was available", item)

    def _least_available(self, item: Observation, windows: Windows) -> int:
        low, high = windows.after(item.invoked), windows.before(item.completed)
        first = max(0, bisect_right(self.versions, low) - 1)
        during = self.available_min[first : bisect_right(self.versions, high)]
        return min(during, default=0)

    def _contradict(self, text: str, *at: Observation) -> None:
        shown = dict.fromkeys([*self.trail, *sorted(item.operation for item in at)])
        self.found.append(Contradiction(text, tuple(shown)))


def _inverted(found: Iterable[Inversion]) -> list[Contradiction]:
    return [
        Contradiction(
            f"a {later.kind} was answered with version {later.version}, although a {earlier.kind} "
            f"answered before it was sent had version {earlier.version}",
            (earlier.operation, later.operation),
        )
        for earlier, later in found
    ]


def _is_effect(entry: Entry, claim: Observation) -> bool:
    direction = "CRDT" if claim.kind is Kind.CREDIT else "DBIT"
    return entry.direction == direction and entry.amount_minor == claim.amount


def _unversioned(observations: Iterable[Observation]) -> list[Contradiction]:
    lacking = [
        o for o in observations if o.writes and o.version is None and o.kind != Kind.TRANSFER
    ]
    if not lacking:
        return []
    text = f"{len(lacking)} acknowledgements name no account version, the first a {lacking[0].kind}"
    return [Contradiction(text, (lacking[0].operation,))]


def _unasked(entries: Iterable[Entry], observations: Sequence[Observation]) -> list[Contradiction]:
    """Return the entries that no command explains; one without an answer explains one entry."""
    books = [item for item in observations if item.kind in BOOKS]
    claimed = {item.version for item in books if item.writes}
    unclear = [item for item in books if item.outcome is Outcome.INFO]
    found = []
    for entry in entries:
        if entry.transfer_id or entry.version in claimed:
            continue
        excuse = next((item for item in unclear if _is_effect(entry, item)), None)
        if excuse is not None:
            unclear.remove(excuse)
        else:
            text = f"entry {entry.sequence} ({entry.direction} {entry.amount_minor})"
            found.append(Contradiction(f"{text} was booked, and nobody asked for it", ()))
    return found
