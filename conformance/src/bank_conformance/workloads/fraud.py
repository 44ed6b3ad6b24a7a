"""Patterns that a bank's own rules must find, planted on accounts of their own; beside them others
that miss by one, or are spread just too far apart.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial

from bank_conformance.bank.past import FraudAlert, FraudAlertPage, FraudRule, FraudRules
from bank_conformance.bank.session import Session
from bank_conformance.bank.shapes import Entry, Transfer, demand, read
from bank_conformance.deciders.stable_latency import Look
from bank_conformance.history import History, Operation, now

from .past import ask
from .patterns import Pattern, Step, patterns
from .rest import scan
from .stage import Stage, gather_bounded

BOUND_SECONDS = 2.0
"""The normative bound: no time scale touches it."""

GIVE_UP_SECONDS, LOOK_SECONDS, WAIT_SECONDS = 4.0, 0.1, 2
REPEATS, PARALLEL_MAX = 3, 12
DAYS_BACK = (100, 900)


@dataclass(slots=True)
class Plant:
    """A pattern on an account of its own, and what became of it."""

    pattern: Pattern
    account: str = ""
    acknowledged: float = 0.0
    """When the last of its bookings was."""
    inputs: list[tuple[int, int]] = field(default_factory=list)
    """Sequence and amount of the entries that make it."""
    operations: list[Operation] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    alerts: list[FraudAlert] = field(default_factory=list)
    """Of its rule, at the last look."""


@dataclass(slots=True)
class Planted:
    """Everything that was planted, and the rules in force by their names."""

    history: History
    rules: dict[str, FraudRule]
    plants: list[Plant] = field(default_factory=list)


async def fraud(stage: Stage) -> Planted:
    """Plant everything, watch for alerts, and look once more when none may come any more."""
    rules = read(await ask(stage, stage.staff, "listFraudRules", {}, {}), FraudRules).items
    record = Planted(stage.history, {rule.rule: rule for rule in rules})
    for pattern in (pattern for rule in rules for pattern in patterns(rule)):
        record.plants += [Plant(pattern) for _ in range(REPEATS if pattern.due else 1)]
    payees = await stage.accounts(await stage.customer(), 2, funds=1)
    start = datetime.now(UTC).date() - timedelta(stage.random.randint(*DAYS_BACK))
    planters = [_Planter(stage, plant, payees, start) for plant in record.plants]
    await gather_bounded([planter.play for planter in planters], PARALLEL_MAX)
    last = max((plant.acknowledged for plant in record.plants), default=0.0)
    await asyncio.sleep(max(0.0, last + BOUND_SECONDS - now()))
    await gather_bounded([partial(planter.look) for planter in planters], PARALLEL_MAX)
    return record


@dataclass(slots=True)
class _Planter:
    stage: Stage
    plant: Plant
    payees: list[str]
    start: date
    transfers: list[tuple[str, int]] = field(default_factory=list)

    @property
    def session(self) -> Session:
        return self.stage.session(f"planter {self.plant.account[-6:]}")

    async def play(self) -> None:
        """Book step after step, and look for the alert that is due."""
        plant = self.plant
        plant.account = await self.stage.account(await self.stage.customer())
        for step in plant.pattern.steps:
            await self._book(step)
        plant.acknowledged = plant.operations[-1].completed
        while plant.pattern.due and not await self.look():
            if now() - plant.acknowledged > GIVE_UP_SECONDS:
                break
            await asyncio.sleep(LOOK_SECONDS)
        if self.transfers:
            entries = (await scan(self.stage, [plant.account])).entries[plant.account]
            numbers = {entry.transfer_id: entry.sequence for entry in entries}
            plant.inputs += [(numbers.get(one, 0), amount) for one, amount in self.transfers]

    async def _book(self, step: Step) -> None:
        operation = await (self._post(step) if step.payee is None else self._send(step, step.payee))
        if not step.counts:
            return
        self.plant.operations.append(operation)
        if step.payee is None:
            self.plant.inputs.append((read(operation, Entry).sequence, step.amount))
        else:
            self.transfers.append((read(operation, Transfer).transfer_id, step.amount))

    async def _post(self, step: Step) -> Operation:
        day = str(self.start + timedelta(step.day))
        account, amount = self.plant.account, step.amount
        return demand(await self.session.post(account, step.code, amount, value_date=day))

    async def _send(self, step: Step, payee: int) -> Operation:
        """Send, and return the answer that says that it is done."""
        parties = (self.plant.account, self.payees[payee])
        told = await self.session.transfer(*parties, step.amount, wait=WAIT_SECONDS)
        while not read(told, Transfer).terminal:
            await self.stage.wait(LOOK_SECONDS)
            told = await self.session.transfer_state(read(told, Transfer).transfer_id)
        return told

    async def look(self) -> bool:
        """Look whether there is an alert of the pattern's rule."""
        query = {"account_id": self.plant.account}
        page = await self.session.call("listFraudAlerts", query=query)
        found = read(page, FraudAlertPage).items
        self.plant.alerts = [one for one in found if one.rule == self.plant.pattern.rule]
        hit = bool(self.plant.alerts)
        self.plant.looks.append(Look(page.invoked, page.completed, hit, page.index))
        return hit
