"""Mutants of ORD: numbers that are burnt, and entries that change."""

# ruff: noqa: D102 - what a method does is said where the reference bank defines it
from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Any

from bank_conformance.reference.accounts import Account, Accounts, Posting
from bank_conformance.reference.bank import Bank, Parts
from bank_conformance.reference.histories import Histories
from bank_conformance.reference.log import Event, Log
from bank_conformance.reference.problems import RefusalError

from .mutant import RACE_SECONDS, Mutant, broke

BEHIND_SECONDS, SLOW_SECONDS = 0.1, 0.06
REWRITTEN_FROM = 5
"""An account's history is rewritten once it has so many entries."""


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


class OrdersByWallClock(Accounts):
    """M03: entries are numbered by the clock of the node that books; one in three is late."""

    booked = 0

    def book(self, account: Account, posting: Posting) -> Event:
        self.booked += 1
        slow = self.booked % 3 == 0
        event = super().book(account, posting)
        event.at -= BEHIND_SECONDS * slow
        rows = sorted(self.bank.histories.rows[account.account_id], key=lambda row: row.event.at)
        for place, row in enumerate(rows):
            broke()
            row.event.data["sequence"] = place + 1
        return event


class TwoWorkers(Accounts):
    """M05: two workers share the commands of an account, each with every second number."""

    def __init__(self, bank: Bank) -> None:
        super().__init__(bank)
        self.taken: Counter[tuple[str, int]] = Counter()

    def number(self, account: Account) -> int:
        broke()
        worker = sum(self.taken.values()) % 3 // 2
        self.taken[account.account_id, worker] += 1
        return 2 * self.taken[account.account_id, worker] - worker


class ProjectsInParallel(Histories):
    """M06: several workers project the entries of one account, and one of them is slower."""

    def lag(self, event: Event) -> float:
        if event.data["sequence"] % 3:
            return super().lag(event)
        broke()
        return SLOW_SECONDS


class CommitsLate(Log):
    """M07: the position is given at the insert, and some transactions commit after later ones."""

    def read(self, after: list[int], limit: int) -> tuple[list[Event], list[int]]:
        events, reached = super().read(after, limit)
        now = time.monotonic()
        late = [e for e in events if e.position % 5 == 0 and now - e.at < SLOW_SECONDS]
        for _ in late:
            broke()
        return [event for event in events if event not in late], reached


class ReadsVersionOutside(Accounts):
    """M08: the version was compared when the request came in, and may have moved since."""

    async def post(self, account: Account, posting: Posting, currency: str) -> Event:
        broke()
        await asyncio.sleep(RACE_SECONDS)
        return await super().post(account, posting, currency)


MUTANTS = (
    Mutant("M01", ("ORD-1",), "a rolled-back append burns a number", Parts(accounts=BurnsNumbers)),
    Mutant("M02", ("ORD-1",), "an old event is rewritten", Parts(log=RewritesHistory)),
    Mutant("M03", ("ORD-2",), "orders by wall clock", Parts(accounts=OrdersByWallClock)),
    Mutant("M05", ("ORD-4",), "two workers per account", Parts(accounts=TwoWorkers)),
    Mutant("M06", ("ORD-5",), "parallel projector", Parts(histories=ProjectsInParallel)),
    Mutant("M07", ("ORD-6",), "position at insert, late commit", Parts(log=CommitsLate)),
    Mutant("M08", ("ORD-7",), "version read outside", Parts(accounts=ReadsVersionOutside)),
)
