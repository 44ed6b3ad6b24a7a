"""Mutants of CON: money that is spent twice, lost on the way, or shown too late."""

# ruff: noqa: ARG002, D102 - what a method does is said where the reference bank defines it
from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from bank_conformance.reference.accounts import Account, Accounts
from bank_conformance.reference.bank import Parts
from bank_conformance.reference.histories import Histories
from bank_conformance.reference.log import Event
from bank_conformance.reference.past import Snapshots
from bank_conformance.reference.problems import RefusalError
from bank_conformance.reference.transfers import Transfer, Transfers

from .mutant import RACE_SECONDS, Mutant, broke

LATE_SECONDS, LATE_EVERY = 2.5, 100
STALE_SECONDS, BEHIND_SECONDS = 0.4, 0.03
CRASH_EVERY = 10


class ChecksThenActs(Accounts):
    """M04: something else may happen between the check and the effect."""

    async def require_available(self, account: Account, amount: int) -> None:
        await super().require_available(account, amount)
        broke()
        await asyncio.sleep(RACE_SECONDS)


class ChecksTheReadModel(Accounts):
    """M10: the balance that is checked is the one of the history, which is a little behind."""

    async def require_available(self, account: Account, amount: int) -> None:
        shown = self.bank.histories.of(account.account_id)
        behind = account.booked - (shown[-1]["balance_after_minor"] if shown else 0)
        if account.available - behind < amount:
            raise RefusalError(422, "insufficient-funds", version=account.version)
        broke()


class Behind(Histories):
    """A healthy read model, as far behind as one is under load."""

    def lag(self, _event: Event) -> float:
        return BEHIND_SECONDS


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


class IgnoresTheToken(Behind):
    """M17: a read is answered as it is, whatever the caller has seen."""

    async def catch_up(self, token: int, seconds: float) -> None:
        broke()


class PublishesFirst(Accounts):
    """M19: a debit shows at once, and is taken back where the rules then refuse it."""

    async def require_available(self, account: Account, amount: int) -> None:
        broke()
        account.booked -= amount
        await asyncio.sleep(RACE_SECONDS)
        account.booked += amount
        await super().require_available(account, amount)


class TwoSnapshots(Snapshots):
    """M18: half of the balances are read in one snapshot, the rest in the next."""

    async def take(self, accounts: Sequence[Account]) -> list[int]:
        middle = len(accounts) // 2
        first = await super().take(accounts[:middle])
        broke()
        await asyncio.sleep(RACE_SECONDS)
        return first + await super().take(accounts[middle:])


READ_MODEL = Parts(accounts=ChecksTheReadModel, histories=Behind)

MUTANTS = (
    Mutant("M04", ("ORD-3", "CON-2"), "checks, then acts", Parts(accounts=ChecksThenActs)),
    Mutant("M09", ("CON-1",), "crash between legs", Parts(transfers=CrashesHalfway)),
    Mutant(
        "M10",
        ("CON-2",),
        "checks a read model",
        Parts(accounts=ChecksTheReadModel, histories=Behind),
    ),
    Mutant("M11", ("CON-3",), "no compensation", Parts(transfers=NeverCompensates)),
    Mutant("M12", ("CON-3",), "compensates twice", Parts(transfers=CompensatesTwice)),
    Mutant("M15", ("CON-5",), "2.5 s on 1 %", Parts(histories=LateSometimes)),
    Mutant("M16", ("CON-5", "CON-6"), "flapping replica", Parts(histories=FlappingReplica)),
    Mutant("M17", ("CON-7",), "ignores the token", Parts(histories=IgnoresTheToken)),
    Mutant("M18", ("CON-8",), "two snapshots", Parts(snapshots=TwoSnapshots)),
    Mutant("M19", ("CON-9",), "publishes before commit", Parts(accounts=PublishesFirst)),
)
