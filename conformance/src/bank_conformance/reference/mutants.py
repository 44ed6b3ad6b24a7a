"""The mutants: each breaks one thing in the reference bank, in a few lines.

A mutant overrides one step of one part and calls `broke()` on the broken line, so that one whose
line never ran is not taken for one that was caught.
"""

# ruff: noqa: ARG002, D102 - what a method does is said where the reference bank defines it
from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from .accounts import Account, Accounts
from .bank import Parts
from .histories import Histories, Row
from .idempotency import Command, Key, Outcome, Outcomes
from .log import Event, Log
from .problems import RefusalError
from .security import Doors
from .transfers import Transfer, Transfers

REWRITTEN_FROM = 5
"""An account's history is rewritten once it has so many entries."""

RACE_SECONDS = 0.004
"""How long a broken check is older than what it lets through."""

LATE_SECONDS, LATE_EVERY = 2.5, 100
STALE_SECONDS = 0.4
CRASH_EVERY = 10

_runs = 0


def broke() -> None:
    """Count that a broken line ran."""
    global _runs  # noqa: PLW0603  one mutant lives in one process
    _runs += 1


def executions() -> int:
    """Return how often the broken line ran."""
    return _runs


@dataclass(frozen=True, slots=True)
class Mutant:
    """A defect, and the requirement that must find it."""

    id: str
    kills: str
    summary: str
    parts: Parts


class BurnsNumbers(Accounts):
    """M01: an append that is rolled back has already taken its number."""

    async def require_available(self, account: Account, amount: int) -> None:
        try:
            await super().require_available(account, amount)
        except RefusalError:
            broke()
            account.sequence += 1
            raise


class RewritesHistory(Log):
    """M02: a correction is made in the old event instead of by a new one."""

    def append(self, stream_id: str, *rest: Any, **named: Any) -> Event:
        ours = (e for events in self.partitions for e in events if e.stream_id == stream_id)
        old = [event for event in ours if event.postings]
        if len(old) == REWRITTEN_FROM:
            broke()
            old[0].data["value_date"] = "2000-01-01"
        return super().append(stream_id, *rest, **named)


class ChecksThenActs(Accounts):
    """M04: something else may happen between the check and the effect."""

    async def require_available(self, account: Account, amount: int) -> None:
        await super().require_available(account, amount)
        broke()
        await asyncio.sleep(RACE_SECONDS)


class CrashesHalfway(Transfers):
    """M09: the process dies between credit and debit, and nobody takes the transfer up again."""

    settled = 0

    def settle(self, transfer: Transfer) -> None:
        self.settled += 1
        if self.settled % CRASH_EVERY == 0:
            broke()
            return
        super().settle(transfer)


class NeverCompensates(Transfers):
    """M11: a transfer fails, and its money stays held."""

    def compensate(self, transfer: Transfer) -> None:
        broke()


class CompensatesTwice(Transfers):
    """M12: the compensation is sent again and is not idempotent."""

    def compensate(self, transfer: Transfer) -> None:
        super().compensate(transfer)
        broke()
        super().compensate(transfer)


class LateSometimes(Histories):
    """M15: one transfer in a hundred shows after 2.5 s."""

    seen = 0

    def lag(self, event: Event) -> float:
        self.seen += event.data["code"] == "TRANSFER_OUT"
        if event.data["transfer_id"] and self.seen % LATE_EVERY == LATE_EVERY - 1:
            broke()
            return LATE_SECONDS
        return super().lag(event)


class FlappingReplica(Histories):
    """M16: every second read is answered by a replica that is behind."""

    reads = 0

    def clock(self) -> float:
        self.reads += 1
        if self.reads % 2:
            return super().clock()
        broke()
        return time.monotonic() - STALE_SECONDS


class NeverDeduplicates(Outcomes):
    """M21: the key is read and ignored."""

    async def run(self, key: Key, fingerprint: bytes, command: Command) -> Response:
        broke()
        return await command()


class ChecksThenInserts(Outcomes):
    """M22: two requests with one key may both find it unused."""

    async def run(self, key: Key, fingerprint: bytes, command: Command) -> Response:
        if key in self.by_key:
            return await super().run(key, fingerprint, command)
        broke()
        await asyncio.sleep(RACE_SECONDS)
        outcome = Outcome(fingerprint, asyncio.ensure_future(command()))
        self.by_key[key] = outcome
        return await outcome.answer


class PlaintextReadModel(Histories):
    """M29: the read model keeps the narrative in clear, where no key reaches it."""

    def project(self, account_id: str, event: Event) -> None:
        super().project(account_id, event)
        owner = self.bank.accounts.find(account_id).customer_id
        row = self.rows[account_id][-1]
        row.narrative = super().narrative(row, owner)

    def narrative(self, row: Row, customer_id: str) -> str | None:
        if row.narrative is not None:
            broke()
        return row.narrative


class ChecksTheRole(Doors):
    """M58: whoever is a customer may, whosever it is."""

    def require_owner(self, _caller: object, *_owners: str) -> None:
        broke()


def _mutants() -> Iterable[Mutant]:
    yield Mutant(
        "M01", "ORD-1", "a rolled-back append burns a number", Parts(accounts=BurnsNumbers)
    )
    yield Mutant("M02", "ORD-1", "an old event is rewritten", Parts(log=RewritesHistory))
    yield Mutant("M04", "ORD-3", "checks the balance, then acts", Parts(accounts=ChecksThenActs))
    yield Mutant("M09", "CON-1", "crash between legs", Parts(transfers=CrashesHalfway))
    yield Mutant("M11", "CON-3", "no compensation", Parts(transfers=NeverCompensates))
    yield Mutant("M12", "CON-3", "compensates twice", Parts(transfers=CompensatesTwice))
    yield Mutant("M15", "CON-5", "2.5 s on 1 %", Parts(histories=LateSometimes))
    yield Mutant("M16", "CON-5", "flapping replica", Parts(histories=FlappingReplica))
    yield Mutant("M21", "IDEM-1", "no deduplication", Parts(outcomes=NeverDeduplicates))
    yield Mutant("M22", "IDEM-2", "check, then insert", Parts(outcomes=ChecksThenInserts))
    yield Mutant("M29", "SHR-1", "plaintext read model", Parts(histories=PlaintextReadModel))
    yield Mutant("M58", "SEC-1", "checks the role, not the owner", Parts(doors=ChecksTheRole))


MUTANTS = {mutant.id: mutant for mutant in _mutants()}
