"""The exact sequential account and a search over all orders: what fast deciders must agree with.

Written without a line of the suite's own model, so that the two can disagree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bank_conformance.bank.shapes import Entry
from bank_conformance.history import Outcome
from bank_conformance.model import Kind, Observation, Reading

Booked = tuple[int, int, str, int]
"""An entry: version, sequence, direction, amount."""


@dataclass
class Exact:
    """One account, every number known."""

    booked: int = 0
    line: int = 0
    scope: str | None = None
    version: int = 0
    sequence: int = 0
    held: dict[str, int] = field(default_factory=dict)
    entries: list[Booked] = field(default_factory=list)

    @property
    def available(self) -> int:
        return self.booked - sum(self.held.values()) + self.line

    def copy(self) -> Exact:
        return replace(self, held=dict(self.held), entries=list(self.entries))

    def reading(self) -> Reading:
        held = sum(self.held.values())
        return Reading(self.booked, held, self.available, self.line, self.scope, self.sequence)

    def refusals(self, op: Observation) -> set[str]:
        """Return every reason to refuse a command; a bank may name any of several."""
        codes = set()
        if op.kind in {Kind.CREDIT, Kind.DEBIT} and self.scope in {op.kind.upper(), "ALL"}:
            codes.add("account-blocked")
        if op.kind in {Kind.DEBIT, Kind.HOLD} and self.available < op.amount:
            codes.add("insufficient-funds")
        if op.kind in {Kind.CAPTURE, Kind.RELEASE} and op.subject not in self.held:
            codes.add("hold-ended")
        if op.kind is Kind.CAPTURE and op.amount > self.held.get(op.subject, op.amount):
            codes.add("above-maximum")
        return codes

    def do(self, op: Observation) -> None:
        """Apply a command that nothing refuses."""
        match op.kind:
            case Kind.OPEN:
                self.line = op.amount
                self.version += 1
            case Kind.CREDIT | Kind.DEBIT:
                self._book("CRDT" if op.kind is Kind.CREDIT else "DBIT", op.amount)
            case Kind.HOLD:
                self.held[op.subject] = op.amount
                self.version += 1
            case Kind.CAPTURE:
                del self.held[op.subject]
                self._book("DBIT", op.amount)
            case Kind.RELEASE:
                del self.held[op.subject]
                self.version += 1
            case Kind.FREEZE | Kind.UNFREEZE:
                scope = op.subject or None
                self.version += scope != self.scope
                self.scope = scope
            case Kind.CREDIT_LINE:
                self.version += op.amount != self.line
                self.line = op.amount

    def _book(self, direction: str, amount: int) -> None:
        self.version += 1
        self.sequence += 1
        self.booked += amount if direction == "CRDT" else -amount
        self.entries.append((self.version, self.sequence, direction, amount))


def explains(entries: Sequence[Entry], observations: Sequence[Observation]) -> bool:
    """Say whether any one order, true to real time, gives every answer and the whole history."""
    wanted: list[Booked] = [(e.version, e.sequence, e.direction, e.amount_minor) for e in entries]
    return _search(Exact(), list(observations), wanted)


def _search(state: Exact, left: list[Observation], wanted: list[Booked]) -> bool:
    if not left:
        return state.entries == wanted
    earliest_end = min(op.completed for op in left)
    for op in left:
        if op.invoked > earliest_end:
            continue  # something that was answered before this was sent must come first
        following = state.copy()
        if _answers(following, op) and _search(following, [o for o in left if o is not op], wanted):
            return True
    return False


def _answers(state: Exact, op: Observation) -> bool:
    """Run `op` on `state` and say whether the answer is the recorded one.

    Versions may be skipped: the bank's own steps, such as a transfer's hold, are nobody's answer.
    """
    refusals, trial = state.refusals(op), state.copy()
    done = op.outcome is Outcome.OK
    if done and not refusals:
        trial.do(op)
    skipped = (op.version or 0) - trial.version
    if skipped < 0:
        return False
    state.version += skipped
    if op.kind is Kind.READ:
        return op.reading == state.reading()
    if done and not refusals:
        state.do(op)
    return not refusals if done else op.code in refusals
