"""Linearizability: is there any order of the operations on an account that explains every answer?

For banks whose answers claim no order; all that is known is in which order the history shows what
was booked. A search after Wing and Gong, with Lowe's memory of what was tried, along real time:
what was answered before something else was sent comes before it. What only looks (a read, a
refusal) is put in its place as soon as it fits, since it changes nothing; only the order of what
changes the account is searched. A search that finds nothing within its budget decided nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from typing import NamedTuple

from bank_conformance.bank.shapes import Entry
from bank_conformance.history import Outcome
from bank_conformance.model import AccountState, Interval, Kind, Observation

from .claimed_order import TRAIL_MAX, Contradiction

NODES_MAX = 20_000
BOOKS = {Kind.CREDIT: 1, Kind.DEBIT: -1, Kind.CAPTURE: -1}


class Step(NamedTuple):
    """Something that took effect at one moment between `begins` and `ends`, or only looked.

    What is not `certain` may never have happened. `after` is the step that must come before this
    one, -1 for none; this one is certain then if it is `owed`.
    """

    item: Observation
    begins: float
    ends: float
    certain: bool = True
    after: int = -1
    owed: bool = False
    transfer: str | None = None
    """For a leg of a transfer: its id, empty where the answer was not heard."""

    @property
    def looks(self) -> bool:
        """Whether this changes nothing."""
        return self.item.kind is Kind.READ or self.item.outcome is Outcome.FAIL


class Explanation(NamedTuple):
    """What a search found: nothing that contradicts, or too little to say."""

    contradictions: list[Contradiction]
    nodes: int
    out_of_budget: bool = False


def claims_no_order(observations: Iterable[Observation]) -> bool:
    """Say whether an account was read, and no strong read of it named its version."""
    reads = [item for item in observations if item.reading is not None]
    return bool(reads) and all(item.version is None for item in reads)


def search(
    entries: Sequence[Entry],
    observations: Sequence[Observation],
    arrivals: Sequence[Observation] = (),
    nodes_max: int = NODES_MAX,
) -> Explanation:
    """Look for one order of all operations on an account that explains every answer.

    `entries` is the account's history once everything is at rest: money was booked in that order.
    `observations` are all operations on the account, those without an answer included; `arrivals`
    are the transfers to it.
    """
    booked = {(entry.transfer_id, entry.direction) for entry in entries if entry.transfer_id}
    steps = [*_steps(booked, observations), *_arrivals(booked, arrivals)]
    in_order = _renumbered(sorted(steps, key=lambda step: step.begins))
    return _Search(entries, in_order, nodes_max).run()


# Steps


Booked = Collection[tuple[str, str]]
"""The transfers that have a leg in the history: their ids, each with a direction."""


def _steps(booked: Booked, items: Sequence[Observation]) -> Iterator[Step]:
    """Return the steps; `after` names the operation of the step before, until all are in order."""
    shows_holds = any(item.reading and item.reading.held for item in items)
    for item in items:
        if item.kind is Kind.TRANSFER:
            debited = (item.subject, "DBIT") in booked
            yield from _transfer(item, debited=debited, shows_holds=shows_holds)
        elif item.outcome is Outcome.INFO:
            yield Step(item, item.invoked, inf, certain=False)
        else:
            yield Step(item, item.invoked, item.completed)


def _arrivals(booked: Booked, items: Sequence[Observation]) -> Iterator[Step]:
    """Return the credits of transfers that came in, and of those that may have."""
    for item in items:
        if not item.subject:
            yield Step(item, item.invoked, inf, certain=False, transfer="")
        elif (item.subject, "CRDT") in booked:
            yield Step(item, item.invoked, item.completed, transfer=item.subject)


def _transfer(item: Observation, *, debited: bool, shows_holds: bool) -> Iterator[Step]:
    """Return the steps of a transfer out: its money is held, and then debited or released.

    Where no read shows anything held, none lies between the two, and one debit explains the same.
    A transfer that was refused by name was begun, and may have held its money until it ended.
    """
    ended = inf if item.ended is None else item.ended
    refused, unclear = item.outcome is Outcome.FAIL, item.outcome is Outcome.INFO
    if refused:
        yield Step(item, item.invoked, item.completed)
        if not item.subject:
            return
    elif not shows_holds and (debited or unclear):
        debit = replace(item, kind=Kind.DEBIT)
        yield Step(debit, item.invoked, ended, certain=debited, transfer=item.subject)
        return
    subject = item.subject or f"of {item.operation}"
    hold = replace(item, kind=Kind.HOLD, outcome=Outcome.OK, subject=subject)
    held_by = item.completed if debited and not unclear else ended
    yield Step(hold, item.invoked, held_by, certain=debited)
    ends = (Kind.CAPTURE, Kind.RELEASE) if unclear else (_end(debited=debited),)
    for kind in ends:
        yield Step(
            replace(hold, kind=kind),
            item.invoked,
            ended,
            certain=False,
            after=item.operation,
            owed=item.ended is not None,
            transfer=item.subject,
        )


def _end(*, debited: bool) -> Kind:
    return Kind.CAPTURE if debited else Kind.RELEASE


def _renumbered(steps: Sequence[Step]) -> list[Step]:
    """Return the steps with `after` naming the place of the step before, not its operation."""
    holds = {s.item.operation: at for at, s in enumerate(steps) if s.item.kind is Kind.HOLD}
    return [step if step.after < 0 else step._replace(after=holds[step.after]) for step in steps]


# The search


class _Node(NamedTuple):
    """An order that was begun: what has been placed (as bits), and the account after it."""

    placed: int
    first: int
    """Everything before this place has been placed."""
    latest: float
    """When the last to begin of those placed began: who ended before that comes too late."""
    state: AccountState

    @property
    def key(self) -> tuple[object, ...]:
        """What decides how this can go on; the balance follows from what has been placed."""
        return self.placed, self.state.credit_line.low, self.state.scope


@dataclass(slots=True)
class _Search:
    entries: Sequence[Entry]
    steps: list[Step]
    nodes_max: int
    best: _Node = field(default_factory=lambda: _Node(0, 0, -inf, AccountState()))

    def run(self) -> Explanation:
        stack, seen = [self.best], set[tuple[object, ...]]()
        while stack:
            node, open_steps = self._look(stack.pop())
            if node.key in seen:
                continue
            seen.add(node.key)
            if node.placed.bit_count() > self.best.placed.bit_count():
                self.best = node
            if self._complete(node, open_steps):
                return Explanation([], len(seen))
            if len(seen) >= self.nodes_max:
                return Explanation([], len(seen), out_of_budget=True)
            following = [self._placed(at, node) for at in open_steps]
            stack += [one for one in reversed(following) if one is not None]
        return Explanation([self._contradiction()], len(seen))

    def _complete(self, node: _Node, open_steps: Sequence[int]) -> bool:
        """Say whether nothing is missing: no step that must be, and no entry of the history."""
        booked = node.state.sequence == len(self.entries)
        return booked and not any(self._required(at, node) for at in open_steps)

    def _look(self, node: _Node) -> tuple[_Node, list[int]]:
        """Place what only looks and fits, and return what may come next, first to end first."""
        while True:
            may_come = self._may_come(node)
            waiting = min(
                (self.steps[at].ends for at in may_come if self._optional(at, node)), default=inf
            )
            fits = [
                at
                for at in may_come
                if self.steps[at].looks
                and self.steps[at].begins <= waiting
                and _fits(node.state, self.steps[at].item)
            ]
            if not fits:
                return node, sorted(may_come, key=lambda at: self.steps[at].ends)
            for at in fits:
                node = self._with(node, at, node.state)

    def _may_come(self, node: _Node) -> list[int]:
        """Return what nothing that is missing precedes in real time."""
        bound, found = inf, list[int]()
        for at in range(node.first, len(self.steps)):
            step = self.steps[at]
            if step.begins > bound:
                break
            if node.placed >> at & 1 or step.ends < node.latest:
                continue
            if step.after >= 0 and not node.placed >> step.after & 1:
                continue
            found.append(at)
            if self._required(at, node):
                bound = min(bound, step.ends)
        return [at for at in found if self.steps[at].begins <= bound]

    def _required(self, at: int, node: _Node) -> bool:
        step = self.steps[at]
        return step.certain or (step.owed and bool(node.placed >> step.after & 1))

    def _optional(self, at: int, node: _Node) -> bool:
        return not self.steps[at].looks and not self._required(at, node)

    def _placed(self, at: int, node: _Node) -> _Node | None:
        step = self.steps[at]
        if step.looks:
            return self._with(node, at, node.state) if _fits(node.state, step.item) else None
        if step.item.kind in BOOKS and not self._comes_next(step, node.state.sequence):
            return None
        state = _done(node.state, step.item)
        return None if state is None else self._with(node, at, state)

    def _comes_next(self, step: Step, booked: int) -> bool:
        """Say whether what was booked so far is followed by this in the history."""
        if booked >= len(self.entries):
            return False
        entry, direction = self.entries[booked], "CRDT" if BOOKS[step.item.kind] > 0 else "DBIT"
        if (entry.direction, entry.amount_minor) != (direction, step.item.amount):
            return False
        if step.transfer is None:
            return entry.transfer_id is None
        return entry.transfer_id is not None and step.transfer in {"", entry.transfer_id}

    def _with(self, node: _Node, at: int, state: AccountState) -> _Node:
        placed, first = node.placed | 1 << at, node.first
        while placed >> first & 1:
            first += 1
        return _Node(placed, first, max(node.latest, self.steps[at].begins), state)

    def _contradiction(self) -> Contradiction:
        """Tell of the order that went furthest, and of what cannot follow it."""
        node, left = self._look(self.best)
        blocked = sorted(self.steps[at].item.operation for at in left)[:TRAIL_MAX]
        text = (
            f"no order of {len(self.steps)} operations explains every answer: at most "
            f"{node.placed.bit_count()} can be put in order, and then none of {len(left)} fits "
            f"({node.state})"
        )
        return Contradiction(text, tuple(dict.fromkeys(blocked)))


def _fits(state: AccountState, item: Observation) -> bool:
    """Say whether an account in this state gives this answer, which changes nothing."""
    if item.reading is not None:
        return not state.differs(item.reading)
    return state.excuses(item)


def _done(state: AccountState, item: Observation) -> AccountState | None:
    """Return the account after a command that was done, None where it cannot have been done."""
    if state.objection(item):
        return None
    if item.kind in {Kind.CAPTURE, Kind.RELEASE} and not state.holds.get(item.subject):
        return None
    after = replace(
        state,
        held=Interval(state.held.low, state.held.high),
        credit_line=Interval(state.credit_line.low, state.credit_line.high),
        holds=dict(state.holds),
    )
    after.booked += BOOKS.get(item.kind, 0) * item.amount
    after.sequence += item.kind in BOOKS
    after.apply(item)
    return after
