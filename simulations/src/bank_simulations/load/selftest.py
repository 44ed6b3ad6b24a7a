"""The harness proves itself: a stub stalls for a known time, so the true share is known.

Whatever is due in the first part of the stall cannot be answered within the bound. The open loop
must report that share within its own confidence interval. A closed loop of Locust's own waits,
against the same stub, must miss it: while the stub stalls its users wait and ask for nothing, and
what was never asked was never slow.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import gevent
from locust import User, constant_throughput, task
from locust.env import Environment

from bank_simulations.client import BankClient
from bank_simulations.console import BrokenRunError
from bank_simulations.stub.faults import Faults
from bank_simulations.stub.process import serve
from bank_simulations.tokens import TokenSource

from .arrivals import schedule
from .clock import RunClock
from .measurement import Observation
from .plan import Planned, plan
from .population import populate
from .run import Target, run_load
from .scenario import Accounts, Claim, Limits, Scenario, Step
from .transfers import Transfers
from .verdict import Verdict, lower_limit, upper_limit

if TYPE_CHECKING:
    from collections.abc import Iterator

RATE, SECONDS, USERS = 40.0, 6.0, 8
STALL = Faults(stall_at_seconds=1.0, stall_for_seconds=2.2)
BOUND_SECONDS = 1.0
CONFIDENCE = 0.99
ATTEMPTS_MAX = 3

SCENARIO = Scenario(
    title="A known stall",
    arrivals="uniform",
    accounts=Accounts(count=20, customers=2),
    claim=Claim(bound_seconds=BOUND_SECONDS, share=0.99, strict=False),
    limits=Limits(lag_p99_seconds_max=BOUND_SECONDS / 4),
    steps=(Step(name="stall", rate=RATE, seconds=SECONDS),),
)


@dataclass(frozen=True, slots=True)
class Reported:
    """A share over the bound, with the limits within which it is believed."""

    share: float
    low: float
    high: float

    def contains(self, share: float) -> bool:
        """Whether the truth lies where this report believes it."""
        return self.low <= share <= self.high


@dataclass(frozen=True, slots=True)
class Proof:
    """What is true, and what both kinds of load make of it."""

    analytic_share: float
    open_loop: Reported
    closed_loop: Reported

    @property
    def holds(self) -> bool:
        """The open loop is right, the closed loop is wrong, and they cannot be confused."""
        right = self.open_loop.contains(self.analytic_share)
        wrong = not self.closed_loop.contains(self.analytic_share)
        return right and wrong and self.open_loop.low > self.closed_loop.high

    def words(self) -> str:
        """The proof in three lines."""
        lines = [f"the stall puts {self.analytic_share:.2%} of the transfers over the bound"]
        for name, reported in (("open", self.open_loop), ("closed", self.closed_loop)):
            right = reported.contains(self.analytic_share)
            lines.append(
                f"the {name} loop reports {reported.share:.2%} "
                f"(between {reported.low:.2%} and {reported.high:.2%}): "
                + ("right" if right else "wrong")
            )
        lines.append("the harness measures what it should" if self.holds else "SELF-TEST FAILED")
        return "\n".join(lines)

    def document(self) -> dict[str, Any]:
        """The proof as JSON."""
        return {**asdict(self), "holds": self.holds}


def prove() -> Proof:
    """Run both loops against a stalling stub of their own; about twenty seconds.

    Raises:
        BrokenRunError: the generator fell behind every time, so nothing can be proven here.
    """
    tokens = TokenSource("self-test")
    verdict = _open_loop(tokens)
    open_loop = reported(verdict.broke, verdict.undecided, verdict.transfers)
    with serve(STALL) as url:
        closed = _closed_loop(url, tokens)
    slow = sum(seen.ended is None or seen.ended.high > BOUND_SECONDS for seen in closed)
    return Proof(analytic_share(), open_loop, reported(slow, 0, len(closed)))


def analytic_share() -> float:
    """The share of arrivals due so early in the stall that the bound is over before it ends."""
    due = [arrival.at_seconds for arrival in schedule(SCENARIO)]
    begins = due[0] + STALL.stall_at_seconds
    hopeless = begins + STALL.stall_for_seconds - BOUND_SECONDS
    return sum(begins <= at < hopeless for at in due) / len(due)


def reported(broke: int, undecided: int, of: int) -> Reported:
    """The share that broke the bound, believed between exact limits on either side."""
    return Reported(
        share=broke / of,
        low=lower_limit(broke, of, CONFIDENCE),
        high=upper_limit(broke + undecided, of, CONFIDENCE),
    )


def _open_loop(tokens: TokenSource) -> Verdict:
    for _ in range(ATTEMPTS_MAX):
        with serve(STALL) as url:
            run = run_load("self-test", SCENARIO, Target(url, tokens))
        if not run.generator.breaches(SCENARIO.limits):
            return run.verdict
    raise BrokenRunError("this machine is too busy for the load generator to prove anything")


def _closed_loop(url: str, tokens: TokenSource) -> list[Observation]:
    """The same rate the usual way: users who wait for their answer before they ask again."""
    bank = BankClient(url, tokens, connections=USERS * 2)
    population = populate(bank, SCENARIO.accounts, "closed")
    transfers = Transfers(
        bank=bank,
        population=population,
        clock=RunClock(),
        run="closed",
        bound_seconds=BOUND_SECONDS,
        looks_per_second_max=SCENARIO.limits.looks_per_second_max,
    )
    finished: list[Observation] = []
    plans = _from_now_on(transfers.clock)

    class Customer(User):
        wait_time = constant_throughput(RATE / USERS)

        @task
        def pay(self) -> None:
            seen = Observation(next(plans), 0.0)
            transfers.perform(seen)
            finished.append(seen)

    runner = Environment(user_classes=[Customer], host=url).create_local_runner()
    runner.start(USERS, spawn_rate=USERS)
    gevent.sleep(SECONDS)
    runner.quit()
    bank.close()
    return finished


def _from_now_on(clock: RunClock) -> Iterator[Planned]:
    """The same transfers as the open loop's, each due when somebody gets round to it."""
    for each in plan(schedule(SCENARIO), SCENARIO.accounts, SCENARIO.seed):
        yield Planned(
            number=each.number,
            due_seconds=clock.now(),
            step=each.step,
            group=each.group,
            source=each.source,
            target=each.target,
            amount_minor=each.amount_minor,
        )
