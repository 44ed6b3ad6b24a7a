"""The sequential model of one account, as far as an observer can know it.

Everything the bank told is exact. What it did not tell is kept as an interval: the hold of a
transfer on its way stands at some version between its request and its debit, and a write without an
answer may or may not have happened. With nothing of that kind in flight the intervals are points,
and the model is the plain sequential account of BANKING: available = booked - held + credit line.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from .history import Outcome

UNKNOWN = "?"
"""A freeze scope that nobody can know, after a freeze without an answer."""

INSUFFICIENT = "insufficient-funds"


class Kind(StrEnum):
    """What an observation is about."""

    OPEN = "opening"
    CREDIT = "credit"
    DEBIT = "debit"
    HOLD = "hold"
    CAPTURE = "capture"
    RELEASE = "release"
    FREEZE = "freeze"
    UNFREEZE = "unfreeze"
    CREDIT_LINE = "credit line"
    TRANSFER = "transfer"
    READ = "read"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a strong read said of an account, in minor units."""

    booked: int
    held: int
    available: int
    credit_line: int
    scope: str | None
    sequence: int | None
    """None where the bank does not number its entries."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One operation on one account, with what the bank claimed of it.

    `subject` names the hold, the transfer or the scope of a freeze; `amount` is in minor units, and
    the new limit for an opening or a credit line. `version` is the account's, None where the answer
    names none.
    """

    operation: int
    kind: Kind
    invoked: float
    completed: float
    outcome: Outcome
    version: int | None = None
    amount: int = 0
    subject: str = ""
    code: str = ""
    reading: Reading | None = None
    ended: float | None = None
    """For a transfer: when its end had been seen, None if never."""

    @property
    def writes(self) -> bool:
        """Whether the bank says that this changed the account."""
        return self.outcome is Outcome.OK and self.kind is not Kind.READ

    @property
    def steps(self) -> bool:
        """Whether this certainly is a version of its own.

        The other writes may find nothing left to do, and then name the version they saw.
        """
        return self.writes and self.kind not in _MAY_FIND_NOTHING_TO_DO


_MAY_FIND_NOTHING_TO_DO = {Kind.FREEZE, Kind.UNFREEZE, Kind.CREDIT_LINE}


@dataclass(slots=True)
class Interval:
    """A number of which only the bounds are known."""

    low: int = 0
    high: int = 0

    def add(self, amount: int) -> None:
        """Add a known amount."""
        self.low += amount
        self.high += amount

    def put(self, amount: int) -> None:
        """Make the number known."""
        self.low = self.high = amount

    def may_become(self, amount: int) -> None:
        """Widen: the number may have become `amount`."""
        self.low, self.high = min(self.low, amount), max(self.high, amount)

    def __contains__(self, number: int) -> bool:
        """Say whether the number may be this one."""
        return self.low <= number <= self.high

    def __str__(self) -> str:
        """Show one number where it is known, two where it is not."""
        return str(self.low) if self.low == self.high else f"{self.low}…{self.high}"


@dataclass(slots=True)
class AccountState:
    """What is known of an account after a version, in minor units."""

    version: int = 0
    booked: int = 0
    sequence: int = 0
    held: Interval = field(default_factory=Interval)
    credit_line: Interval = field(default_factory=Interval)
    scope: str | None = None
    holds: dict[str, int | None] = field(default_factory=dict)
    """What is left of the holds that clients placed: 0 for one that ended, None if nobody knows."""

    @property
    def available_max(self) -> int:
        """The most that may be available."""
        return self.booked - self.held.low + self.credit_line.high

    @property
    def available_min(self) -> int:
        """The least that may be available."""
        return self.booked - self.held.high + self.credit_line.low

    def blocks(self, direction: str) -> bool | None:
        """Say whether a freeze blocks DEBIT or CREDIT; None when nobody can know."""
        return None if self.scope == UNKNOWN else self.scope in {direction, "ALL"}

    def objection(self, done: Observation) -> str:
        """Say why the bank cannot have done in this state what it acknowledged; empty if it can."""
        match done.kind:
            case Kind.DEBIT | Kind.CREDIT if self.blocks(done.kind.upper()):
                return f"a {done.kind} was booked on an account frozen for {self.scope}"
            case Kind.DEBIT | Kind.HOLD if self.available_max < done.amount:
                return f"{done.amount} was taken where at most {self.available_max} was available"
            case Kind.CAPTURE | Kind.RELEASE if self.holds.get(done.subject) == 0:
                return f"a {done.kind} was acknowledged of a hold that had ended"
            case Kind.CAPTURE if done.amount > (self.holds.get(done.subject) or done.amount):
                return f"{done.amount} was captured of a hold of {self.holds[done.subject]}"
        return ""

    def excuses(self, refused: Observation) -> bool:
        """Say whether this state may explain a refusal; codes it knows nothing of are excused."""
        match refused.code:
            case "insufficient-funds":
                return self.available_min < refused.amount
            case "account-blocked" if refused.kind in {Kind.DEBIT, Kind.CREDIT}:
                return self.blocks(refused.kind.upper()) is not False
            case "hold-ended":
                return not self.holds.get(refused.subject)
            case "above-maximum" if refused.kind is Kind.CAPTURE:
                left = self.holds.get(refused.subject, refused.amount)
                return left is None or left < refused.amount
        return True

    def changes(self, done: Observation) -> bool:
        """Say whether an acknowledged operation certainly finds something left to do."""
        match done.kind:
            case Kind.FREEZE | Kind.UNFREEZE:
                return self.scope not in {UNKNOWN, done.subject or None}
            case Kind.CREDIT_LINE:
                return done.amount not in self.credit_line
        return True

    def apply(self, done: Observation) -> None:
        """Take the effect of an acknowledged operation; money that is booked comes as entries."""
        match done.kind:
            case Kind.HOLD:
                self.held.add(done.amount)
                self.holds[done.subject] = done.amount
            case Kind.CAPTURE | Kind.RELEASE:
                self.held.add(-(self.holds.get(done.subject) or 0))
                self.holds[done.subject] = 0
            case Kind.FREEZE | Kind.UNFREEZE:
                self.scope = done.subject or None
            case Kind.OPEN | Kind.CREDIT_LINE:
                self.credit_line.put(done.amount)

    def doubt(self, unclear: Observation) -> None:
        """Widen by the possible effect of an operation without a clear answer."""
        match unclear.kind:
            case Kind.HOLD | Kind.TRANSFER:
                self.held.high += unclear.amount
            case Kind.CAPTURE | Kind.RELEASE:
                self.held.low -= self.holds.get(unclear.subject) or 0
                self.holds[unclear.subject] = None
            case Kind.FREEZE | Kind.UNFREEZE:
                self.scope = UNKNOWN
            case Kind.CREDIT_LINE:
                self.credit_line.may_become(unclear.amount)

    def differs(self, reading: Reading) -> str:
        """Say in what a strong read contradicts this state; empty if in nothing."""
        numbered = self.sequence if reading.sequence is not None else None
        known = {
            "booked": (reading.booked, self.booked),
            "sequence": (reading.sequence, numbered),
            "available": (reading.available, reading.booked - reading.held + reading.credit_line),
        }
        wrong = [f"{k} {saw}, expected {must}" for k, (saw, must) in known.items() if saw != must]
        bounded = {"held": (reading.held, self.held)}
        bounded |= {"credit line": (reading.credit_line, self.credit_line)}
        wrong += [
            f"{k} {saw}, expected {must}" for k, (saw, must) in bounded.items() if saw not in must
        ]
        if self.scope not in {UNKNOWN, reading.scope}:
            wrong.append(f"freeze scope {reading.scope}, expected {self.scope}")
        return "; ".join(wrong)

    def __str__(self) -> str:
        """Show the state on one line."""
        frozen = f", frozen for {self.scope}" if self.scope else ""
        money = f"booked {self.booked}, held {self.held}, credit line {self.credit_line}"
        return f"at version {self.version}: {money}{frozen}"
