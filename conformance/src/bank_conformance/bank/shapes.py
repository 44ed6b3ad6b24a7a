"""The contract's answers as typed values, checked as they are read."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import Struct

from bank_conformance.history import Operation

TERMINAL = frozenset({"COMPLETED", "REJECTED", "FAILED", "CANCELLED", "EXPIRED"})


class ShapeError(Exception):
    """An answer does not have the contract's shape."""


class RefusedError(Exception):
    """A call that everything after it rests on was not done."""


class Customer(Struct, frozen=True):
    """A customer; without `personal` after an erasure."""

    customer_id: str
    state: Literal["ACTIVE", "ERASED"]
    version: int
    personal: dict[str, str] | None = None


class Erasure(Struct, frozen=True):
    """Where the erasure of a customer's personal data stands."""

    customer_id: str
    state: Literal["NONE", "REQUESTED", "ON_LEGAL_HOLD", "ERASED"]
    until: str | None = None
    erased_at: str | None = None
    receipt: str | None = None


class Account(Struct, frozen=True):
    """An account and its balances, in minor units.

    A bank of another shape may have no version and no sequence to show: they are None then.
    """

    account_id: str
    customer_id: str
    currency: str
    state: str
    freeze_scope: str | None
    booked_minor: int
    held_minor: int
    available_minor: int
    credit_line_minor: int
    version: int | None
    sequence: int | None


class Entry(Struct, frozen=True):
    """A booked entry of an account, in minor units."""

    account_id: str
    sequence: int
    version: int
    direction: Literal["CRDT", "DBIT"]
    code: str
    amount_minor: int
    currency: str
    balance_after_minor: int
    booking_time: str
    value_date: str
    transfer_id: str | None = None
    hold_id: str | None = None
    counterparty: str | None = None
    counterparty_bank: str | None = None
    narrative: str | None = None

    @property
    def signed_minor(self) -> int:
        """The change of the booked balance."""
        return self.amount_minor if self.direction == "CRDT" else -self.amount_minor


class Hold(Struct, frozen=True):
    """An amount set aside on an account; `version` is the account's."""

    hold_id: str
    account_id: str
    state: str
    amount_minor: int
    captured_minor: int
    version: int


class Transfer(Struct, frozen=True):
    """A transfer between two accounts; `version` is its own."""

    transfer_id: str
    state: str
    source_account_id: str
    target_account_id: str
    amount_minor: int
    version: int
    code: str | None = None
    narrative: str | None = None
    requested_at: str | None = None
    ended_at: str | None = None

    @property
    def terminal(self) -> bool:
        """Whether the transfer ended."""
        return self.state in TERMINAL


class Posting(Struct, frozen=True):
    """One side of a journal entry; signed minor units."""

    account: str
    amount_minor: int
    currency: str


class FeedEvent(Struct, frozen=True):
    """An event of the ordered feed."""

    partition: int
    position: int
    stream_id: str
    version: int
    type: str
    schema_version: int
    recorded_at: str
    data: dict[str, Any]
    postings: list[Posting]


class EntryPage(Struct, frozen=True):
    """A page of an account's history."""

    items: list[Entry]
    next: str | None


class EventPage(Struct, frozen=True):
    """A page of the feed."""

    items: list[FeedEvent]
    next: str


Shape = TypeVar("Shape", bound=Struct)


def demand(operation: Operation) -> Operation:
    """Return an operation that everything after it rests on.

    Raises:
        RefusedError: the bank did not do it.
    """
    if not operation.ok:
        raise RefusedError(f"needed, and not done: {operation}")
    return operation


def read(operation: Operation, shape: type[Shape]) -> Shape:
    """Return the answer of `operation` as `shape`.

    Raises:
        RefusedError: the bank did not do it, so that there is no such answer.
        ShapeError: the answer has another shape; the text names the member.
    """
    answer = demand(operation).answer
    try:
        return msgspec.convert(answer and answer.body, shape)
    except msgspec.ValidationError as error:
        raise ShapeError(f"{operation}: not a {shape.__name__} of the contract: {error}") from None


def begun(operation: Operation) -> list[Transfer]:
    """Return the transfers that a request, single or a batch, was told to have begun.

    Raises:
        ShapeError: the answer has another shape; the text names the member.
    """
    body = operation.answer.body if operation.ok and operation.answer else None
    if not isinstance(body, dict):
        return []
    try:
        if operation.call.route != "requestTransfers":
            return [msgspec.convert(body, Transfer)]
        outcomes = msgspec.convert(body.get("outcomes"), list[dict[str, Any]])
        return [msgspec.convert(one["transfer"], Transfer) for one in outcomes if "transfer" in one]
    except msgspec.ValidationError as error:
        raise ShapeError(f"{operation}: no transfers of the contract: {error}") from None


def instant(text: str) -> datetime:
    """Return a time of the contract.

    Raises:
        ShapeError: it is none, or does not say in which zone it is.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ShapeError(f"{text!r} is no RFC 3339 time") from None
    if found.tzinfo is None:
        raise ShapeError(f"{text!r} does not say in which zone it is")
    return found


def difference(before: Struct, after: Struct | None) -> str:
    """Say in which members two readings of one thing differ."""
    if after is None:
        return "it is gone"
    names = before.__struct_fields__
    pairs = ((name, getattr(before, name), getattr(after, name)) for name in names)
    return ", ".join(f"{name} {old} → {new}" for name, old, new in pairs if old != new)


def claimed_version(operation: Operation) -> int | None:
    """Return the version of the aggregate that an answer names, in its body or its ETag."""
    answer = operation.answer
    if answer is None:
        return None
    version = answer.body.get("version") if isinstance(answer.body, dict) else None
    is_number = isinstance(version, int) and not isinstance(version, bool)
    return version if is_number else answer.etag_version
