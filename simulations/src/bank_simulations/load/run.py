"""A whole load run, from an empty bank to a verdict."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from bank_simulations.console import BadInputError, BrokenRunError, Progress

from .books import Balance, Books, judge
from .capacity import Capacity, measure_capacity
from .clock import RunClock
from .conclude import Seen, conclude
from .dispatcher import LEAD_SECONDS
from .events import Happenings, interrupted_here, require_in_time
from .generators import Job, generate_here, generate_in_processes
from .locust_view import View
from .population import Population, populate
from .reads import Reads, day_before
from .result import now
from .setting import Setting, connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bank_simulations.client import BankClient
    from bank_simulations.tokens import TokenSource

    from .events import Event, Mark
    from .measurement import Observation
    from .result import Run
    from .scenario import Scenario
    from .share import Share

    Afterwards = Callable[[BankClient, Setting, Sequence[Observation]], Sequence[str]]

FINDINGS_MAX = 5
NO_VIEW = View()


@dataclass(frozen=True, slots=True)
class Target:
    """The bank under load."""

    url: str
    tokens: TokenSource


def run_load(
    name: str,
    scenario: Scenario,
    target: Target,
    events: Sequence[Event] = (),
    *,
    processes: int = 1,
    view: View = NO_VIEW,
    afterwards: Afterwards = lambda *_: (),
) -> Run:
    """Set up, measure the capacity where the scenario needs it, load, drain, decide.

    Args:
        name: of the scenario, for the report.
        scenario: what is offered and claimed; its own events must have been resolved.
        target: the bank.
        events: what is done to it meanwhile.
        processes: how many generate the load.
        view: where Locust's own statistics are shown.
        afterwards: looks further into the books, and says what is wrong with them.

    Raises:
        BadInputError: the scenario cannot be run as it is; the text says why.
        BrokenRunError: the bank could not be reached, or refused the set-up.
    """
    started_at, run = now(), f"load-{secrets.token_hex(5)}"
    bank = connect(target.url, target.tokens, scenario.limits)
    bank.require_answer()
    population = populate(bank, scenario.accounts, run)
    reads = Reads(bank, population.accounts, RunClock(), day_before(now()))
    offered = reads.offered(read.kind for read in scenario.reads)
    capacity, ramp = _capacity(scenario, bank, population, run)
    per_second = capacity.per_second if capacity else None
    setting = Setting(scenario, run, population, per_second, offered, reads.day)
    shares, marks = _generate(setting, target, bank, events, processes, view)
    books = _books(setting, ramp, shares)
    sent = [seen for share in shares for seen in share.observations]
    findings = [*audit(bank, population, books), *afterwards(bank, setting, sent)]
    seen = Seen(shares, marks, findings, capacity)
    bank.close()
    return conclude(name, target.url, started_at, setting, seen)


def _capacity(
    scenario: Scenario, bank: BankClient, population: Population, run: str
) -> tuple[Capacity | None, list[Observation]]:
    """The capacity where it is needed, and the transfers that finding it took."""
    if not scenario.needs_capacity:
        return None, []
    ramp = Setting(scenario, f"{run}-capacity", population, None, (), ("", ""))
    transfers = ramp.transfers(bank, RunClock(), scenario.limits)
    return measure_capacity(transfers, scenario.accounts, scenario.seed), transfers.started


def _generate(
    setting: Setting,
    target: Target,
    bank: BankClient,
    events: Sequence[Event],
    processes: int,
    view: View,
) -> tuple[list[Share], Sequence[Mark]]:
    """Let the load run, with all that happens meanwhile; whatever was begun is ended."""
    work, clock = setting.work(), RunClock()
    if not work.transfers:
        raise BadInputError("the scenario is over before its first transfer is due: lengthen it")
    require_in_time(events, work.last_due_seconds)
    happenings = Happenings(events, clock)

    def begin() -> None:
        clock.start(LEAD_SECONDS)
        happenings.start()

    def job(port: int, process: int) -> Job:
        tokens = target.tokens
        return Job(
            port=port,
            process=process,
            processes=processes,
            url=target.url,
            token=tokens.token,
            token_command=tokens.command,
            token_folder=str(tokens.folder) if tokens.folder else None,
            setting=setting.document(),
        )

    with interrupted_here():
        try:
            if processes == 1:
                shares = generate_here(setting.loop(bank, clock, begin), view)
            else:
                shares = generate_in_processes(
                    target.url, work, job, processes, clock, happenings, view
                )
        finally:
            marks = happenings.finish()
    return shares, marks


def _books(setting: Setting, ramp: Iterable[Observation], shares: Iterable[Share]) -> Books:
    """The model after all that was asked: before the run, in it, and by a process that died."""
    scenario = setting.scenario
    accounts = scenario.accounts
    books = Books(accounts.count, accounts.opening_minor, scenario.expected_refusals)
    parts = [[*share.observations, *share.in_doubt()] for share in shares]
    judge([*ramp, *chain.from_iterable(parts)], books)
    return books


def audit(bank: BankClient, population: Population, books: Books) -> list[str]:
    """Compare every account's strong balance with the model; what is wrong, in words."""
    findings: list[str] = []
    with Progress("Comparing balances", len(population.accounts)) as progress:
        for account, balance in zip(population.accounts, books.balances, strict=True):
            progress.advance()
            try:
                shown = bank.fetch(f"/v1/accounts/{account}")
            except BrokenRunError as error:
                return [*findings, f"the balances cannot be read: {error}"]
            findings.extend(_differences(account, balance, shown))
    more = len(findings) - FINDINGS_MAX
    return findings[:FINDINGS_MAX] + ([f"and {more:,} more like it"] if more > 0 else [])


def _differences(account: str, balance: Balance, shown: dict[str, Any]) -> list[str]:
    booked, held = shown.get("booked_minor"), shown.get("held_minor")
    least, most = balance.least_minor, balance.most_minor
    if not isinstance(booked, int) or not least <= booked <= most:
        return [f"{account} shows {booked} where the transfers leave {least} to {most}"]
    if least == most and held:
        return [f"{account} still holds {held} although none of its transfers is under way"]
    return []
