"""Mutants of DUR, and of what must hold through kills and rebuilds."""

# ruff: noqa: D102 - what a method does is said where the reference bank defines it
from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from bank_conformance.reference.bank import Parts
from bank_conformance.reference.disk import Disk
from bank_conformance.reference.histories import Histories, Row
from bank_conformance.reference.idempotency import Outcome, Outcomes
from bank_conformance.reference.log import Event
from bank_conformance.reference.transfers import TERMINAL, Transfer, Transfers

from .mutant import Mutant, broke

TWICE, DROPPED_EVERY, REPLAYED = 3, 9, 100
LATE_SECONDS = 0.25


class AppliesTwice(Histories):
    """M13: the checkpoint is older than the rows, so that a restart applies the last ones again."""

    def restore(self) -> None:
        super().restore()
        for account_id, rows in self.rows.items():
            for row in rows[-TWICE:]:
                broke()
                self.project(account_id, row.event)


class DropsOnError(Histories):
    """M14: what the projector stumbles over is logged, and the next event taken."""

    def project(self, account_id: str, event: Event) -> None:
        if event.data["sequence"] % DROPPED_EVERY == 0:
            broke()
            return
        super().project(account_id, event)


class ReadsTheClock(Histories):
    """M20: the row says when it was projected, not when the entry was booked."""

    def __init__(self, bank: Any) -> None:
        self.projected: dict[int, str] = {}
        super().__init__(bank)

    def project(self, account_id: str, event: Event) -> None:
        broke()
        self.projected[id(event)] = datetime.now(UTC).isoformat()
        super().project(account_id, event)

    def view(self, row: Row, customer_id: str) -> dict[str, Any]:
        return super().view(row, customer_id) | {"booking_time": self.projected[id(row.event)]}


class InMemoryTable(Outcomes):
    """M24: the keys are in memory, and gone with it."""

    def keep(self, _outcome: Outcome) -> None:
        broke()


class AcknowledgesFirst(Disk):
    """M26: the answer goes out, and the commit follows a little later."""

    is_due = False

    def commit(self) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # before it serves there is nobody to be told too early
            super().commit()
            return
        broke()
        if not self.is_due:
            self.is_due = True
            loop.call_later(LATE_SECONDS, self.commit_late)

    def commit_late(self) -> None:
        self.is_due = False
        super().commit()


class ReplaysTheOutbox(Transfers):
    """M27: at the start the last messages are sent again, as the commands that they were."""

    def resume(self) -> None:
        super().resume()
        done = [one for one in self.by_id.values() if one.state == "COMPLETED"]
        for transfer in done[-REPLAYED:]:
            broke()
            self.leg(transfer, transfer.target, transfer.source, "TRANSFER_IN")
            self.leg(transfer, transfer.source, transfer.target, "TRANSFER_OUT")
        self.bank.disk.commit()


class ForgetsSagas(Transfers):
    """M28: which transfers are under way is known in memory only."""

    def resume(self) -> None:
        for transfer in self.by_id.values():
            if transfer.state not in TERMINAL:
                broke()


class StaleList(Transfers):
    """M65: the list of transfers, as opposed to the transfer itself, stays as it was at first."""

    def view(self, transfer: Transfer, reader: str) -> dict[str, Any]:
        shown = super().view(transfer, reader)
        if reader not in transfer.narratives:  # staff, who ask for the transfer itself
            return shown
        broke()
        return shown | {"state": "RESERVED", "version": 1}


MUTANTS = (
    Mutant("M13", ("CON-4", "DUR-4"), "applies twice", Parts(histories=AppliesTwice)),
    Mutant("M14", ("CON-4", "DUR-4"), "drops on an error", Parts(histories=DropsOnError)),
    Mutant("M20", ("CON-10",), "now() in a projection", Parts(histories=ReadsTheClock)),
    Mutant("M24", ("IDEM-4",), "in-memory table of keys", Parts(outcomes=InMemoryTable)),
    Mutant("M26", ("DUR-1",), "acknowledges before commit", Parts(disk=AcknowledgesFirst)),
    Mutant("M27", ("DUR-2",), "replays an outbox", Parts(transfers=ReplaysTheOutbox)),
    Mutant("M28", ("DUR-3",), "saga state in memory", Parts(transfers=ForgetsSagas)),
    Mutant("M65", ("CON-4", "DUR-4"), "a stale list of transfers", Parts(transfers=StaleList)),
)
