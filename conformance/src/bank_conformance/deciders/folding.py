"""What a read model must show at a position: the fold of the log up to there; and at rest: its end.

A row says itself up to where it has folded: an entry by its sequence, an account and a transfer by
their version. Whatever else it shows must be what the log says there. A bank of another shape may
have no versions; what it shows is compared then, and what it does not show is not.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from bank_conformance.bank.observe import Trace
from bank_conformance.bank.shapes import (
    TERMINAL,
    Account,
    Entry,
    FeedEvent,
    ShapeError,
    Transfer,
    difference,
    instant,
)
from bank_conformance.history import Operation

Row = TypeVar("Row", Account, Entry, Transfer)

BOOKED = {"FundsCredited": "CRDT", "FundsDebited": "DBIT"}
"""The events that book an entry, and its direction."""

REQUESTED = "TransferRequested"
"""The event that begins a transfer; which of the states that are no end it leads to is open."""

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

ORDER = ("source_account_id", "target_account_id", "amount_minor")
"""What a transfer has in common with the event that began it, where that says it."""


@dataclass(slots=True)
class Folded:
    """The log, by what its read models are about."""

    streams: dict[str, dict[int, FeedEvent]] = field(default_factory=dict)
    """By stream and version."""
    entries: dict[str, dict[int, FeedEvent]] = field(default_factory=dict)
    """By account and sequence."""
    booked: dict[str, list[FeedEvent]] = field(default_factory=dict)
    """By account: the events that booked something, ascending."""
    again: dict[str, list[FeedEvent]] = field(default_factory=dict)
    """By account: those that booked under a sequence that was taken."""
    parties: dict[str, set[str]] = field(default_factory=dict)
    """By transfer: the accounts that it is known to be about."""

    @classmethod
    def of(cls, events: Iterable[FeedEvent], traces: Iterable[Trace] = ()) -> Folded:
        """Fold a log, given in the order of every stream; `traces` are transfers of clients.

        Raises:
            ShapeError: an entry of the log has no sequence, or no balance.
        """
        folded = cls()
        for event in events:
            folded.streams.setdefault(event.stream_id, {}).setdefault(event.version, event)
            if event.type in BOOKED:
                folded._book(event)
            elif event.type.startswith("Transfer") and event.version == 1:
                folded._concerns(event.stream_id, *map(event.data.get, ORDER[:2]))
        for trace in traces:
            if trace.transfer_id in folded.streams:
                folded._concerns(trace.transfer_id, trace.source, trace.target)
        return folded

    def _book(self, event: FeedEvent) -> None:
        account_id, data = event.stream_id, event.data
        if not all(isinstance(data.get(name), int) for name in ("sequence", "balance_after_minor")):
            place = f"version {event.version} of {account_id}"
            raise ShapeError(f"{place}: {event.type} has no sequence or no balance_after_minor")
        taken = self.entries.setdefault(account_id, {}).setdefault(data["sequence"], event)
        if taken is event:
            self.booked.setdefault(account_id, []).append(event)
        elif taken != event:
            self.again.setdefault(account_id, []).append(event)
        if data.get("transfer_id"):
            self._concerns(data["transfer_id"], account_id)

    def _concerns(self, transfer_id: str, *account_ids: str | None) -> None:
        self.parties.setdefault(transfer_id, set()).update(filter(None, account_ids))

    # At any time

    def page_differs(self, page: Operation) -> list[str]:
        """Say where the rows of a list are not the fold of the log at their own positions."""
        match page.call.route if page.ok else "":
            case "listEntries":
                entries = sorted(rows_of(page, Entry), key=lambda entry: entry.sequence)
                return self.entries_differ(entries[0].account_id, entries) if entries else []
            case "listAccounts":
                return [*filter(None, map(self.account_differs, rows_of(page, Account)))]
            case "listTransfers":
                return [*filter(None, map(self.transfer_differs, rows_of(page, Transfer)))]
        return []

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
            elif wrong := _entry_differs(entry, event):
                told.append(f"entry {entry.sequence} of {account_id}: {wrong}")
        return told

    def account_differs(self, account: Account) -> str:
        """Say how an account's row is not what the log says at its version."""
        said = f"{account.account_id} at version {account.version}: "
        stream = self.streams.get(account.account_id, {})
        if account.version is not None and account.version not in stream:
            return said + "the log has no such version"
        booked = self.booked.get(account.account_id, [])
        if account.version is not None:
            place = bisect_right(booked, account.version, key=lambda event: event.version)
        elif account.sequence is not None:
            place = bisect_right(booked, account.sequence, key=lambda event: event.data["sequence"])
        else:
            return ""
        data = booked[place - 1].data if place else {"sequence": 0, "balance_after_minor": 0}
        sequence = account.sequence is None or account.sequence == data["sequence"]
        if sequence and account.booked_minor == data["balance_after_minor"]:
            return ""
        log = f"sequence {data['sequence']}, booked {data['balance_after_minor']}"
        said += f"sequence {account.sequence}, booked {account.booked_minor}"
        return f"{said}, the log says {log}"

    def transfer_differs(self, transfer: Transfer) -> str:
        """Say how a transfer's row is not what the log says at its version."""
        said = f"{transfer.transfer_id} at version {transfer.version}: "
        stream = self.streams.get(transfer.transfer_id, {})
        if transfer.version not in stream:
            return said + "the log has no such version"
        kinds = [event.type for version, event in stream.items() if version <= transfer.version]
        ends = [kind for kind in kinds if STATES.get(kind) in TERMINAL]
        kind = ends[0] if ends else kinds[-1]
        wrong = _members_differ(transfer, stream[min(stream)].data, ORDER)
        if not _follows(transfer, kind):
            wrong.append(f"{transfer.state}, the log says {kind}")
        return said + ", ".join(wrong) if wrong else ""

    # At rest

    def page_lags(self, page: Operation, accounts: Mapping[str, Account]) -> list[str]:
        """Say where a list at rest is not the end of the log; `accounts` are the strong reads."""
        match page.call.route if is_whole(page) else "":
            case "listAccounts":
                return [*self._accounts_lag(rows_of(page, Account), accounts)]
            case "listTransfers":
                about = [one for one in accounts if one in page.call.url]
                rows = rows_of(page, Transfer)
                return [told for one in about for told in self._transfers_lag(one, rows)]
        return []

    def due(self, account_id: str) -> set[str]:
        """Return the transfers that the list of an account must show at rest."""
        return {one for one, parties in self.parties.items() if account_id in parties}

    def _accounts_lag(
        self, shown: Sequence[Account], strong: Mapping[str, Account]
    ) -> Iterator[str]:
        for account_id, account in strong.items():
            rows = [row for row in shown if row.account_id == account_id]
            if len(rows) != 1:
                yield f"{account_id} stands {len(rows)} times in the list of accounts"
            for row in rows:
                if wrong := difference(account, row):
                    yield f"{account_id} in a strong read → in the list of accounts: {wrong}"
                elif wrong := self._account_lags(row):
                    yield f"{account_id} in the list of accounts: {wrong}"

    def _account_lags(self, row: Account) -> str:
        """Say how a row is not at the end of its account's log."""
        if row.version is not None:
            last = max(self.streams.get(row.account_id, {0: None}))
            return "" if row.version == last else f"version {row.version} of {last}"
        booked = self.booked.get(row.account_id)
        balance = booked[-1].data["balance_after_minor"] if booked else 0
        return "" if row.booked_minor == balance else f"{row.booked_minor} of {balance} booked"

    def _transfers_lag(self, account_id: str, shown: Sequence[Transfer]) -> Iterator[str]:
        at = f"in the list of {account_id}"
        counted = Counter(row.transfer_id for row in shown)
        if missing := sorted(self.due(account_id) - counted.keys()):
            yield f"{len(missing)} transfers are missing {at}: {', '.join(missing[:3])}"
        for transfer_id, count in counted.items():
            if count > 1:
                yield f"{transfer_id} stands {count} times {at}"
        for row in shown:
            last = max(self.streams.get(row.transfer_id, {row.version: None}))
            if row.version < last:
                yield f"{row.transfer_id} stands at version {row.version} of {last} {at}"
            if account_id not in {row.source_account_id, row.target_account_id}:
                yield f"{row.transfer_id} is of other accounts, and stands {at}"


def is_whole(page: Operation) -> bool:
    """Say whether a list is answered in one page, so that what it does not show is not there."""
    body = page.answer.body if page.ok and page.answer else None
    return isinstance(body, dict) and body.get("next") is None


def rows_of(page: Operation, shape: type[Row]) -> list[Row]:
    """Return the rows of a list.

    Raises:
        ShapeError: it is none of the contract.
    """
    body = page.answer.body if page.answer else None
    try:
        return msgspec.convert(body["items"], list[shape])  # type: ignore[index,valid-type]
    except (msgspec.ValidationError, TypeError, KeyError) as error:
        raise ShapeError(f"{page}: no list of the contract: {error}") from None


def _follows(transfer: Transfer, kind: str) -> bool:
    """Say whether a transfer's state can be the one that it has from such an event on."""
    if kind == REQUESTED:
        return not transfer.terminal
    return STATES.get(kind, transfer.state) == transfer.state


def _entry_differs(entry: Entry, event: FeedEvent) -> str:
    wrong = _members_differ(entry, event.data, SAME)
    if entry.direction != BOOKED[event.type]:
        wrong.append(f"it is {entry.direction}, the log says {event.type}")
    return ", ".join(wrong)


def _members_differ(shown: object, data: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    return [
        f"{name} is {getattr(shown, name)}, the log says {data[name]}"
        for name in names
        if name in data and not _alike(name, getattr(shown, name), data[name])
    ]


def _alike(name: str, shown: Any, logged: Any) -> bool:
    """Say whether two values are one; an instant can be written in more than one way."""
    if shown == logged or name != "booking_time":
        return bool(shown == logged)
    return instant(str(shown)) == instant(str(logged))
