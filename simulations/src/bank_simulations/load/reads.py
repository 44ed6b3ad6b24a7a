"""Reads beside the transfers: an open loop too, timed from the moment each was due.

A read has ended when the bank answered it with 200. Lost answers, 5xx and "not yet" are asked again
with the clock running, as a customer would; any other refusal is a failure. What the bank does not
offer is found out before the run and left out of it, and the report says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import gevent

from bank_simulations.client import Answer, BankClient, UnansweredError, is_passing

from .measurement import Histogram
from .verdict import Decision, Weighed, weigh

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .clock import RunClock
    from .plan import PlannedRead
    from .scenario import Read, Scenario

OK = 200
NOT_OFFERED = frozenset({404, 405, 501})
RETRY_SECONDS = 0.05
PAGE = 20


@dataclass(slots=True)
class ReadSeen:
    """One read as it was seen; times are seconds from its intended start.

    Attributes:
        planned: what was due.
        started_seconds: when it was really started: the schedule lag.
        answered_seconds: when it was answered with 200; None where it never was.
        refusal: why not, where the bank said why.
    """

    planned: PlannedRead
    started_seconds: float
    answered_seconds: float | None = None
    refusal: str | None = None


@dataclass
class Reads:
    """Performs reads against one bank; `day` is the period of which statements are asked for."""

    bank: BankClient
    accounts: Sequence[str]
    clock: RunClock
    day: tuple[str, str]
    give_up_at_seconds: float = float("inf")

    def perform(self, seen: ReadSeen) -> None:
        """Ask until there is an answer that stands, or it is time to give up."""
        path = self.path(seen.planned.kind, self.accounts[seen.planned.account])
        while self.clock.now() <= self.give_up_at_seconds:
            answer = self._ask(path)
            if answer is not None and answer.status == OK:
                seen.answered_seconds = self.clock.now() - seen.planned.due_seconds
                return
            if answer is not None and not is_passing(answer):
                seen.refusal = answer.code
                return
            gevent.sleep(RETRY_SECONDS)

    def offered(self, kinds: Iterable[str]) -> list[str]:
        """Those of these reads that the bank has; an optional one it lacks is 404, 405 or 501."""
        return [kind for kind in kinds if self._is_offered(kind)]

    def path(self, kind: str, account: str) -> str:
        """What to GET for a read of this kind."""
        since, until = self.day
        return {
            "balance": f"/v1/accounts/{account}",
            "history": f"/v1/accounts/{account}/entries?direction=CRDT&min_amount_minor=1"
            f"&order=desc&limit={PAGE}",
            "accounts": f"/v1/accounts?limit={PAGE}",
            "statement": f"/v1/accounts/{account}/statement?from={since}&to={until}",
        }[kind]

    def _is_offered(self, kind: str) -> bool:
        answer = self.bank.look(self.path(kind, self.accounts[0]))
        return answer.status not in NOT_OFFERED

    def _ask(self, path: str) -> Answer | None:
        try:
            return self.bank.get(path)
        except UnansweredError:
            return None


def day_before(moment: datetime) -> tuple[str, str]:
    """The day that ends at this moment, cut to a second, as the contract writes times."""
    until, written = moment.astimezone(UTC), "%Y-%m-%dT%H:%M:%SZ"
    return (until - timedelta(days=1)).strftime(written), until.strftime(written)


@dataclass(slots=True)
class ReadTally:
    """The reads of one kind, and whether they kept their bound."""

    read: Read
    count: int = 0
    late: int = 0
    failed: int = 0
    dropped: int = 0
    refusals: dict[str, int] = field(default_factory=dict)
    took: Histogram = field(default_factory=Histogram)

    def take(self, seen: ReadSeen) -> None:
        """Count one read that was started."""
        self.count += 1
        if seen.answered_seconds is None:
            self.failed += 1
            code = seen.refusal or "unanswered"
            self.refusals[code] = self.refusals.get(code, 0) + 1
            return
        self.took.record(seen.answered_seconds)
        self.late += seen.answered_seconds > self.read.bound_seconds

    def drop(self) -> None:
        """Count one that the generator had no room to start."""
        self.count += 1
        self.dropped += 1

    def weigh(self, confidence: float) -> Weighed:
        """Hold it against its own bound, by the same exact limits as the transfers."""
        broke = self.late + self.failed
        return weigh(broke, self.dropped, self.count, self.read.share, confidence)

    def words(self, confidence: float) -> str | None:
        """Why the bound is not shown to be kept; None where it is."""
        if self.weigh(confidence).decision is Decision.MET:
            return None
        reads, wanted = f"{self.count:,} {self.read.kind} reads", f"{self.read.share * 100:.6g} %"
        if not self.late + self.failed + self.dropped:
            return f"{reads} are too few to show that {wanted} are in time"
        return (
            f"of {reads} {self.late:,} took longer than {self.read.bound_seconds:g} s and "
            f"{self.failed:,} failed, where {wanted} must be in time"
        )


def tally_reads(
    scenario: Scenario, seen: Iterable[ReadSeen], dropped: Iterable[PlannedRead]
) -> dict[str, ReadTally]:
    """All reads of a run, by kind; a kind the bank does not offer has none."""
    tallies: dict[str, ReadTally] = {read.kind: ReadTally(read) for read in scenario.reads}
    for each in seen:
        tallies[each.planned.kind].take(each)
    for planned in dropped:
        tallies[planned.kind].drop()
    return {kind: tally for kind, tally in tallies.items() if tally.count}


def reads_decide(tallies: Iterable[ReadTally], confidence: float) -> Decision:
    """What the reads say together: the worst of them."""
    found = {tally.weigh(confidence).decision for tally in tallies}
    for decision in (Decision.VIOLATED, Decision.INCONCLUSIVE):
        if decision in found:
            return decision
    return Decision.MET
