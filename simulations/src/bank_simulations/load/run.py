"""A whole load run, from an empty bank to a verdict."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bank_simulations.client import BankClient
from bank_simulations.console import BadInputError, BrokenRunError, Progress

from .arrivals import schedule
from .books import Balance, Books
from .capacity import Capacity, measure_capacity
from .clock import RunClock
from .dispatcher import OpenLoop, run_open_loop
from .plan import plan
from .population import Population, populate
from .result import Run, now
from .transfers import Transfers
from .verdict import Generator, decide

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_simulations.tokens import TokenSource

    from .events import Event
    from .scenario import Scenario

SPARE_CONNECTIONS = 32
FINDINGS_MAX = 5


@dataclass(frozen=True, slots=True)
class Target:
    """The bank under load."""

    url: str
    tokens: TokenSource


def run_load(name: str, scenario: Scenario, target: Target, events: Sequence[Event] = ()) -> Run:
    """Set up, measure the capacity where the scenario needs it, load, drain, decide.

    Raises:
        BrokenRunError: the bank could not be reached, or refused the set-up.
    """
    started_at, run = now(), f"load-{secrets.token_hex(5)}"
    bank = BankClient(
        target.url,
        target.tokens,
        connections=scenario.limits.in_flight_max + SPARE_CONNECTIONS,
        timeout_seconds=scenario.limits.request_timeout_seconds,
    )
    bank.require_answer()
    population = populate(bank, scenario.accounts, run)
    transfers = _transfers(scenario, bank, population, run)
    capacity = _capacity(scenario, transfers)
    loop = _open_loop(scenario, transfers, capacity, events, target.url)
    measured = loop.measurement()
    generator = Generator(
        lag_p99_seconds=measured.lag.percentile_seconds(99),
        cpu_max=loop.cpu.max_share,
        dropped_count=len(loop.dropped),
        planned_count=len(loop.plan),
    )
    findings = audit(bank, population, transfers.books)
    bank.close()
    verdict = decide(measured, scenario.claim, scenario.limits, generator, findings)
    return Run(
        name=name,
        scenario=scenario,
        url=target.url,
        run=run,
        started_at=started_at,
        measured=measured,
        generator=generator,
        verdict=verdict,
        capacity=capacity,
        marks=loop.marks,
    )


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


def _transfers(scenario: Scenario, bank: BankClient, population: Population, run: str) -> Transfers:
    accounts = scenario.accounts
    return Transfers(
        bank=bank,
        population=population,
        books=Books(accounts.count, accounts.opening_minor, scenario.expected_refusals),
        clock=RunClock(),
        run=run,
        bound_seconds=scenario.claim.bound_seconds,
        looks_per_second_max=scenario.limits.looks_per_second_max,
        wait_seconds=scenario.wait_seconds,
    )


def _capacity(scenario: Scenario, transfers: Transfers) -> Capacity | None:
    if not scenario.needs_capacity:
        return None
    ramp = replace(transfers, run=f"{transfers.run}-capacity", clock=RunClock())
    return measure_capacity(ramp, scenario.accounts, scenario.seed)


def _open_loop(
    scenario: Scenario,
    transfers: Transfers,
    capacity: Capacity | None,
    events: Sequence[Event],
    url: str,
) -> OpenLoop:
    arrivals = schedule(scenario, capacity.per_second if capacity else None)
    if not arrivals:
        raise BadInputError("the scenario is over before its first transfer is due: lengthen it")
    planned = plan(arrivals, scenario.accounts, scenario.seed)
    with Progress("Transfers", len(planned)) as progress:
        loop = OpenLoop(planned, transfers, scenario.limits, progress, events)
        run_open_loop(loop, url)
    return loop
