"""What a read model must show at a position: the fold of the log up to there.

A row says itself up to where it has folded: an entry by its sequence, an account and a transfer by
their version. Whatever else it shows must be what the log says there.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bank_conformance.bank.shapes import Account, Entry, FeedEvent, Transfer

BOOKED = {"FundsCredited": "CRDT", "FundsDebited": "DBIT"}
"""The events that book an entry, and its direction."""

STATES = {
    "TransferReserved": "RESERVED",
    "TransferCompleted": "COMPLETED",
    "TransferRejected": "REJECTED",
    "TransferCompensationStarted": "COMPENSATING",
    "TransferFailed": "FAILED",
    "TransferCancelled": "CANCELLED",
    "TransferExpired": "EXPIRED",
}
"""The state that a transfer has from an event on; others leave it or are the bank's own."""

SAME = (
    "sequence",
    "amount_minor",
    "currency",
    "balance_after_minor",
    "transfer_id",
    "booking_time",
    "value_date",
    "code",
)
"""The members that an entry and its event have in common."""


@dataclass(slots=True)
class Folded:
    """The log, by what its read models are about."""

    entries: dict[str, dict[int, FeedEvent]] = field(default_factory=dict)
    """By account and sequence."""
    versions: dict[str, list[int]] = field(default_factory=dict)
    """By account: the versions at which something was booked, ascending."""
    booked: dict[str, list[FeedEvent]] = field(default_factory=dict)
    """By account: the events at these versions."""
    transfers: dict[str, dict[int, str]] = field(default_factory=dict)
    """By transfer and version: the type of the event."""

    @classmethod
    def of(cls, events: Iterable[FeedEvent]) -> Folded:
        """Fold a log, given in the order of every stream."""
        folded = cls()
        for event in events:
            if event.type in BOOKED:
                stream = event.stream_id
                by_sequence = folded.entries.setdefault(stream, {})
                by_sequence.setdefault(event.data["sequence"], event)
                folded.versions.setdefault(stream, []).append(event.version)
                folded.booked.setdefault(stream, []).append(event)
            elif event.type.startswith("Transfer"):
                folded.transfers.setdefault(event.stream_id, {})[event.version] = event.type
        return folded

    def entries_differ(self, account_id: str, shown: Sequence[Entry]) -> list[str]:
        """Say how the whole history of an account, ascending, is no prefix of its log."""
        log = self.entries.get(account_id, {})
        told = [
            f"place {place} of the history of {account_id} shows entry {entry.sequence}"
            for place, entry in enumerate(shown, start=1)
            if entry.sequence != place
        ]
        for entry in shown:
            event = log.get(entry.sequence)
            if event is None:
                told.append(f"entry {entry.sequence} of {account_id} is not in the log")
            elif wrong := _differences(entry, event):
                told.append(f"entry {entry.sequence} of {account_id}: {wrong}")
        return told

    def account_differs(self, account: Account) -> str:
        """Say how an account's row is not what the log says at its version."""
        versions = self.versions.get(account.account_id, [])
        place = bisect_right(versions, account.version or 0)
        if not place:
            wanted = (0, 0)
        else:
            data = self.booked[account.account_id][place - 1].data
            wanted = (data["sequence"], data["balance_after_minor"])
        if (account.sequence, account.booked_minor) == wanted:
            return ""
        said = f"sequence {account.sequence}, booked {account.booked_minor}"
        return f"{account.account_id} at version {account.version}: {said}, the log says {wanted}"

    def transfer_differs(self, transfer: Transfer) -> str:
        """Say how a transfer's row is not what the log says at its version."""
        kinds = self.transfers.get(transfer.transfer_id, {})
        state = STATES.get(kinds.get(transfer.version, ""))
        if state in {None, transfer.state}:
            return ""
        at = f"{transfer.transfer_id} at version {transfer.version}"
        return f"{at}: {transfer.state}, the log says {state}"


def _differences(entry: Entry, event: FeedEvent) -> str:
    shown: Mapping[str, Any] = {name: getattr(entry, name) for name in SAME}
    differing = [
        f"{name} is {shown[name]}, the log says {event.data[name]}"
        for name in SAME
        if name in event.data and shown[name] != event.data[name]
    ]
    if entry.direction != BOOKED[event.type]:
        differing.append(f"it is {entry.direction}, the log says {event.type}")
    return ", ".join(differing)
