"""The books as somebody else would keep them: looked at after every commit.

Nothing here uses the bank's own deciders or folds: money is added up from the events' amounts
alone. So what the bank believes of itself is never what it is measured by.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from ourbank.domain.customer import (
    LegalHoldLifted,
    LegalHoldSet,
    PersonalDataErased,
)
from ourbank.domain.entry import FundsCredited, FundsDebited
from ourbank.domain.hold import (
    HoldExpired,
    HoldPlaced,
    HoldReleased,
)
from ourbank.domain.ledger import TransactionCode
from ourbank.domain.lifecycle import (
    AccountFrozen,
    AccountOpened,
    AccountUnfrozen,
    CreditLineSet,
    FreezeScope,
)
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
    frozen: FreezeScope | None = None

    @property
    def available(self) -> int:
        """What may still be debited or held."""
        return self.booked - self.held + self.credit_line


@dataclass(slots=True)
class Held:
    """What is left of a hold, in minor units, and when it ends by itself."""

    amount: int
    expires_at: datetime | None


@dataclass(slots=True)
class Leg:
    """One transfer: what was asked for, and what was moved."""

    request: TransferRequested
    credited: int = 0
    debited: int = 0
    end: str = ""
    code: str = ""
    """Why it did not complete, where its end says so."""


class Books:
    """Adds up what becomes visible; `violate` is told what must not be."""

    def __init__(self, violate: Callable[[str], None]) -> None:
        self.accounts: dict[str, Book] = {}
        self.transfers: dict[str, Leg] = {}
        self.receipts: dict[str, str] = {}
        """By customer whose personal data was erased."""
        self.legal_holds: dict[str, date] = {}
        """By customer: the end, exclusive, of the hold that stands."""
        self.ends: Counter[str] = Counter()
        """How often something ended so."""
        self.entries: Counter[tuple[str, int]] = Counter()
        """By transaction code and amount: the workloads never use an amount twice."""
        self.places: defaultdict[str, list[int]] = defaultdict(list)
        """By account: where in its partition its entries stand."""
        self.holding: dict[tuple[str, str], Held] = {}
        """By account and hold, until something releases or uses it up."""
        self.claims: dict[str, str] = {}
        """By transfer: the reversal it is kept for."""
        self.versions: dict[str, int] = {}
        self.positions: dict[int, int] = {}
        self.keys: set[Any] = set()
        self._violate = violate

    @property
    def erased(self) -> AbstractSet[str]:
        """Whose personal data was erased."""
        return self.receipts.keys()

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
        self._in_its_place(recorded)
        stream, event = recorded.stream_id, recorded.event
        match event:
            case FundsCredited() | FundsDebited():
                self.places[stream].append(recorded.position)
                self._book(stream, event)
            case TransferRequested():
                self.transfers[stream] = Leg(event)
            case TransferReversed():
                self.claims[stream] = event.reversed_by
            case TransferReversalAbandoned():
                self.claims.pop(stream, None)
            case _ if isinstance(event, ENDS):
                self._end(stream, recorded)
            case LegalHoldSet():
                self.legal_holds[stream] = event.until
            case LegalHoldLifted():
                self.legal_holds.pop(stream, None)
            case PersonalDataErased():
                self.receipts[stream] = event.receipt
            case _:
                self._change(stream, event)

    def _in_its_place(self, recorded: Recorded) -> None:
        stream = recorded.stream_id
        if recorded.version != self.versions.get(stream, 0) + 1:
            self._violate(
                f"{stream} goes from {self.versions.get(stream, 0)} to {recorded.version}"
            )
        if recorded.position != self.positions.get(recorded.partition, 0) + 1:
            self._violate(f"partition {recorded.partition} has a gap before {recorded.position}")
        self.versions[stream] = recorded.version
        self.positions[recorded.partition] = recorded.position

    def _change(self, account_id: str, event: Any) -> None:
        """What happens to an account beside its entries."""
        match event:
            case AccountOpened():
                self.accounts[account_id] = Book(event.customer_id, event.credit_line_minor)
            case CreditLineSet():
                self.accounts[account_id].credit_line = event.credit_line_minor
                self._limit(account_id)
            case AccountFrozen():
                self.accounts[account_id].frozen = event.scope
            case AccountUnfrozen():
                self.accounts[account_id].frozen = None
            case HoldPlaced():
                self._hold(account_id, event)
            case HoldReleased() | HoldExpired():
                self._give_back(account_id, event)

    def _hold(self, account_id: str, event: HoldPlaced) -> None:
        self.holding[account_id, event.hold_id] = Held(event.amount_minor, event.expires_at)
        self.accounts[account_id].held += event.amount_minor
        self._limit(account_id)

    def _give_back(self, account_id: str, event: HoldReleased | HoldExpired) -> None:
        """Whatever is left of a hold ends with it."""
        held = self.holding.pop((account_id, event.hold_id), Held(0, None))
        self.accounts[account_id].held -= event.amount_minor
        if event.amount_minor != held.amount:
            self._violate(f"{account_id} gives back {event} where {held} is left")

    def _use_up(self, account_id: str, hold_id: str, amount: int) -> None:
        """An entry takes its amount from a hold."""
        self.accounts[account_id].held -= amount
        held = self.holding.get((account_id, hold_id), Held(0, None))
        held.amount -= amount
        if held.amount < 0:
            self._violate(f"{account_id} takes {amount} from {hold_id}, which holds less")
        if held.amount <= 0:
            self.holding.pop((account_id, hold_id), None)

    def _limit(self, account_id: str) -> None:
        book = self.accounts[account_id]
        if book.available < 0:
            self._violate(f"{account_id} is below its limit: {book}")

    def _book(self, account_id: str, event: FundsCredited | FundsDebited) -> None:
        book = self.accounts[account_id]
        is_credit = isinstance(event, FundsCredited)
        signed = event.amount_minor if is_credit else -event.amount_minor
        book.booked += signed
        book.sequence += 1
        if isinstance(event, FundsDebited) and event.hold_id is not None:
            self._use_up(account_id, event.hold_id, event.amount_minor)
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
        leg.end, leg.code = recorded.type, getattr(recorded.event, "code", "")
        amount = leg.request.amount_minor if recorded.type == "TransferCompleted" else 0
        if (leg.request.source_account_id, transfer_id) in self.holding:
            self._violate(f"{transfer_id} ends as {recorded.type}, and its amount is still held")
        if recorded.type != "TransferCompleted" and transfer_id in self.claims.values():
            self._violate(f"{transfer_id} ends as {recorded.type}, and another is claimed for it")
        if (leg.credited, leg.debited) != (amount, amount):
            self._violate(f"{transfer_id} ends as {recorded.type} with {leg}")
