"""Try faults: put the bank under load, break it, mend it, and ask what became of everything."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from bank_simulations.console import BrokenRunError, err
from bank_simulations.load.capacity import measure_capacity
from bank_simulations.load.clock import RunClock
from bank_simulations.load.events import Event
from bank_simulations.load.population import populate
from bank_simulations.load.run import Target, run_load
from bank_simulations.load.scenario import Accounts, Scenario, Step
from bank_simulations.load.setting import Setting, connect
from bank_simulations.load.transfers import NO_TRANSFER_ID

from .gather import decide_at_rest
from .history import Sent, Told
from .trial import Ending, Trial, conclude

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_simulations.client import BankClient
    from bank_simulations.load.measurement import Observation

    from .catalogue import Fault
    from .checks import Finding
    from .trial import Plan


def try_fault(fault: Fault, plan: Plan, target: Target) -> Trial:
    """Load, break, mend, count; whatever goes wrong with the trial itself makes it invalid."""
    findings: list[Finding] = []

    def afterwards(
        bank: BankClient, setting: Setting, observations: Sequence[Observation]
    ) -> list[str]:
        sent = [told_of(setting, seen) for seen in observations]
        findings.extend(decide_at_rest(bank, setting.population, sent))
        first = {each.invariant: each.text for each in reversed(findings)}
        return [f"it is not so that {invariant}: {text}" for invariant, text in first.items()]

    event = Event(
        plan.begins_seconds, fault.begin, fault.name, fault.end, plan.lasts_seconds, fault.folder
    )
    try:
        scenario = plan.scenario(fault)
        run = run_load(fault.name, scenario, target, [event], afterwards=afterwards)
    except BrokenRunError as error:
        return Trial(fault, Ending.INVALID, [str(error)], findings)
    return conclude(fault, plan, run, findings)


def told_of(setting: Setting, seen: Observation) -> Sent:
    """What a transfer of the run was, and what the bank said about it."""
    planned, accounts = seen.planned, setting.population.accounts
    return Sent(
        key=f"{setting.run}-{planned.number}",
        source=accounts[planned.source],
        target=accounts[planned.target],
        amount_minor=planned.amount_minor,
        told=_told(seen),
        transfer_id=seen.transfer_id,
    )


def capacity_of(target: Target, accounts: int) -> float:
    """How many transfers a second the bank finishes, by the closed loop of the load."""
    step = Step(rate_of_capacity=1.0, seconds=1.0)
    scenario = Scenario(title="Capacity", accounts=Accounts(count=accounts), steps=(step,))
    bank = connect(target.url, target.tokens, scenario.limits)
    bank.require_answer()
    run = f"faults-{secrets.token_hex(5)}"
    population = populate(bank, scenario.accounts, run)
    setting = Setting(scenario, run, population, None, (), ("", ""))
    transfers = setting.transfers(bank, RunClock(), scenario.limits)
    capacity = measure_capacity(transfers, scenario.accounts, scenario.seed)
    bank.close()
    err.print(f"Capacity: {capacity.per_second:,.0f} transfers/s")
    return capacity.per_second


def _told(seen: Observation) -> Told:
    if seen.refusal == NO_TRANSFER_ID:
        return Told.ACCEPTED
    if seen.refusal is not None:
        return Told.REFUSED
    if seen.decided_at is not None:
        return Told.COMPLETED
    return Told.ACCEPTED if seen.transfer_id else Told.NOTHING
