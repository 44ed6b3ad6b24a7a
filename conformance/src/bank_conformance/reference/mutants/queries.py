"""Mutants of QRY: lists that lose what is written meanwhile, and times that are mixed up."""

# ruff: noqa: ARG002, D102 - what a method does is said where the reference bank defines it
from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from bank_conformance.reference.bank import Parts
from bank_conformance.reference.fraud import Fraud
from bank_conformance.reference.log import Event
from bank_conformance.reference.pages import Pages
from bank_conformance.reference.past import Balances, Statements, booking_time
from bank_conformance.reference.reports import Reports

from .mutant import Mutant, broke


class PagesByOffset(Pages):
    """M54: the cursor says how many items to skip, however many came in since."""

    def after(self, keys: Sequence[str], cursor: str) -> int:
        broke()
        return int(cursor)

    def cursor(self, keys: Sequence[str], end: int) -> str:
        return str(end)


class KnowsOneClock(Balances):
    """M53: an entry counts from the day on which it was booked, whatever its value date."""

    def counts_from(self, event: Event) -> str:
        broke()
        return booking_time(event).date().isoformat()


class OrdersByCreation(Statements):
    """M55: a statement lists its entries by when the request for them came in."""

    def order(self, entries: list[Event]) -> list[Event]:
        return sorted(entries, key=self.created_at)

    def created_at(self, event: Event) -> str:
        transfer_id = event.data["transfer_id"]
        if transfer_id is None:
            return str(event.data["booking_time"])
        broke()
        return self.bank.transfers.find(transfer_id).requested_at


class DropsTheReversed(Reports):
    """M56: what was reversed is left out of the totals, as if it had never been booked."""

    def counts(self, event: Event) -> bool:
        transfer_id = event.data["transfer_id"]
        if transfer_id is None or self.bank.transfers.find(transfer_id).reversed_by is None:
            return True
        broke()
        return False


class RunsOnTheWallClock(Fraud):
    """M57: an entry counts for the rules on the day on which they run over it."""

    def day(self, event: Event) -> int:
        broke()
        return datetime.now(UTC).toordinal()


MUTANTS = (
    Mutant("M53", ("QRY-1",), "one clock", Parts(balances=KnowsOneClock)),
    Mutant("M54", ("QRY-2",), "offset paging", Parts(pages=PagesByOffset)),
    Mutant("M55", ("QRY-3",), "ordered by created_at", Parts(statements=OrdersByCreation)),
    Mutant("M56", ("QRY-4",), "drops reversed entries", Parts(reports=DropsTheReversed)),
    Mutant("M57", ("QRY-5",), "rules on wall-clock time", Parts(fraud=RunsOnTheWallClock)),
)
