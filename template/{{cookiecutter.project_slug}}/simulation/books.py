"""The books as somebody else would keep them: looked at after every commit.

Nothing here uses the bank's own deciders or folds: money is added up from the events' amounts
alone. So what the bank believes of itself is never what it is measured by.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ourbank.domain.customer import PersonalDataErased
from ourbank.domain.entry import FundsCredited, FundsDebited
from ourbank.domain.hold import (
    HoldExpired,
    HoldPlaced,
    HoldReleased,
)
from ourbank.domain.ledger import TransactionCode
from ourbank.domain.lifecycle import AccountOpened, CreditLineSet
from ourbank.domain.transfer import (
    TransferCancelled,
    TransferCompleted,
    TransferExpired,
    TransferFailed,
    TransferRejected,
    TransferRequested,
    TransferReversalAbandoned,
    TransferReversed,
)
from ourbank.eventsourcing.event import Recorded
from ourbank.eventsourcing.log import Append

from .ends import end_of

ENDS = (TransferCompleted, TransferFailed, TransferCancelled, TransferExpired, TransferRejected)


@dataclass(slots=True)
class Book:
    """One account, in minor units."""

    customer_id: str
    credit_line: int
    booked: int = 0
    held: int = 0
    sequence: int = 0


@dataclass(slots=True)
class Leg:
    """One transfer: what was asked for, and what was moved."""

    request: TransferRequested
    credited: int = 0
    debited: int = 0
    end: str = ""


class Books:
    """Adds up what becomes visible; `violate` is told what must not be."""

    def __init__(self, violate: Callable[[str], None]) -> None:
        self.accounts: dict[str, Book] = {}
        self.transfers: dict[str, Leg] = {}
        self.erased: set[str] = set()
        self.ends: Counter[str] = Counter()
        """How often something ended so."""
        self.entries: Counter[tuple[str, int]] = Counter()
        """By transaction code and amount: the workloads never use an amount twice."""
        self.places: defaultdict[str, list[int]] = defaultdict(list)
        """By account: where in its partition its entries stand."""
        self.holding: set[tuple[str, str]] = set()
        """Account and hold, until something releases or uses it up."""
        self.claims: dict[str, str] = {}
        """By transfer: the reversal it is kept for."""
        self.versions: dict[str, int] = {}
        self.positions: dict[int, int] = {}
        self.keys: set[Any] = set()
        self._violate = violate

    def committed(self, recorded: Sequence[Recorded], appends: Sequence[Append]) -> None:
        """These became visible together."""
        for append in appends:
            if append.key is not None and append.key in self.keys:
                self._violate(f"two outcomes under the key {append.key}")
            self.keys.add(append.key)
        for event in recorded:
            self._follow(event)
            leg = self.transfers.get(event.stream_id)
            if (end := end_of(event, leg.request if leg else None)) is not None:
                self.ends[end] += 1

    def _follow(self, recorded: Recorded) -> None:
        stream, event = recorded.stream_id, recorded.event
        if recorded.version != self.versions.get(stream, 0) + 1:
            self._violate(
                f"{stream} goes from {self.versions.get(stream, 0)} to {recorded.version}"
            )
        if recorded.position != self.positions.get(recorded.partition, 0) + 1:
            self._violate(f"partition {recorded.partition} has a gap before {recorded.position}")
        self.versions[stream] = recorded.version
        self.positions[recorded.partition] = recorded.position
        match event:
            case AccountOpened():
                self.accounts[stream] = Book(event.customer_id, event.credit_line_minor)
            case CreditLineSet():
                self.accounts[stream].credit_line = event.credit_line_minor
                self._limit(stream)
            case HoldPlaced() | HoldReleased() | HoldExpired():
                self._hold(stream, event)
            case FundsCredited() | FundsDebited():
                self.places[stream].append(recorded.position)
                self._book(stream, event)
            case TransferRequested():
                self.transfers[stream] = Leg(event)
            case TransferReversed():
                self.claims[stream] = event.reversed_by
            case TransferReversalAbandoned():
                self.claims.pop(stream, None)
            case PersonalDataErased():
                self.erased.add(stream)
            case _ if isinstance(event, ENDS):
                self._end(stream, recorded)

    def _hold(self, account_id: str, event: HoldPlaced | HoldReleased | HoldExpired) -> None:
        book = self.accounts[account_id]
        if isinstance(event, HoldPlaced):
            self.holding.add((account_id, event.hold_id))
            book.held += event.amount_minor
            self._limit(account_id)
            return
        self.holding.discard((account_id, event.hold_id))
        book.held -= event.amount_minor
        if book.held < 0:
            self._violate(f"{account_id} gave back more than it held")

    def _limit(self, account_id: str) -> None:
        book = self.accounts[account_id]
        if book.booked - book.held + book.credit_line < 0:
            self._violate(f"{account_id} is below its limit: {book}")

    def _book(self, account_id: str, event: FundsCredited | FundsDebited) -> None:
        book = self.accounts[account_id]
        is_credit = isinstance(event, FundsCredited)
        signed = event.amount_minor if is_credit else -event.amount_minor
        book.booked += signed
        book.sequence += 1
        if isinstance(event, FundsDebited) and event.hold_id is not None:
            book.held -= event.amount_minor
            self.holding.discard((account_id, event.hold_id))
        if (event.sequence, event.balance_after_minor) != (book.sequence, book.booked):
            self._violate(f"{account_id} books {event} where it stands at {book}")
        self._limit(account_id)
        if event.code in (TransactionCode.TRANSFER_IN, TransactionCode.TRANSFER_OUT):
            self._move(account_id, event)
        else:
            self.entries[event.code, event.amount_minor] += 1
            if self.entries[event.code, event.amount_minor] > 1:
                self._violate(f"{event.code} of {event.amount_minor} is booked twice")

    def _move(self, account_id: str, event: FundsCredited | FundsDebited) -> None:
        leg = self.transfers.get(event.transfer_id or "")
        if leg is None:
            self._violate(f"{account_id} books a leg of a transfer nobody asked for: {event}")
            return
        if leg.end:
            self._violate(f"{event.transfer_id} moves money after it ended as {leg.end}")
        asked = leg.request
        is_credit = isinstance(event, FundsCredited)
        if account_id != (asked.target_account_id if is_credit else asked.source_account_id):
            self._violate(f"{event.transfer_id} moves the money of {account_id}")
        if is_credit:
            leg.credited += event.amount_minor
        else:
            leg.debited += event.amount_minor
        if max(leg.credited, leg.debited) > asked.amount_minor:
            self._violate(f"{event.transfer_id} moves its amount more than once: {leg}")

    def _end(self, transfer_id: str, recorded: Recorded) -> None:
        leg = self.transfers[transfer_id]
        if leg.end:
            self._violate(f"{transfer_id} ends as {recorded.type} after {leg.end}")
        leg.end = recorded.type
        amount = leg.request.amount_minor if recorded.type == "TransferCompleted" else 0
        if (leg.request.source_account_id, transfer_id) in self.holding:
            self._violate(f"{transfer_id} ends as {recorded.type}, and its amount is still held")
        if recorded.type != "TransferCompleted" and transfer_id in self.claims.values():
            self._violate(f"{transfer_id} ends as {recorded.type}, and another is claimed for it")
        if (leg.credited, leg.debited) != (amount, amount):
            self._violate(f"{transfer_id} ends as {recorded.type} with {leg}")
