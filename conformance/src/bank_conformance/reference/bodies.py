"""The contract's request bodies, checked as they are read."""

from __future__ import annotations

import json
from datetime import date
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from .problems import RefusalError

Amount = Annotated[int, Meta(ge=1, le=10**15)]
Limit = Annotated[int, Meta(ge=0, le=10**15)]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$")]
PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f]+\Z"
Narrative = Annotated[str, Meta(max_length=140, pattern=PRINTABLE)]


class Body(Struct, frozen=True, forbid_unknown_fields=True):
    """A request body; members that the contract does not name are refused."""


class Personal(Body, frozen=True):
    """Personal data of a customer."""

    name: Annotated[str, Meta(max_length=200, pattern=PRINTABLE)]
    email: Annotated[
        str, Meta(max_length=254, pattern=r"^[^@\s\x00-\x1f\x7f-\x9f]+@[^@\s\x00-\x1f\x7f-\x9f]+\Z")
    ]
    phone: Annotated[str, Meta(min_length=3, max_length=32, pattern=PRINTABLE)] | None = None
    birth_date: date | None = None
    national_id: Annotated[str, Meta(max_length=64, pattern=PRINTABLE)] | None = None
    address: Annotated[str, Meta(max_length=500, pattern=PRINTABLE)] | None = None


class Registration(Body, frozen=True):
    """A customer to register."""

    personal: Personal


class LegalHoldSetting(Body, frozen=True):
    """Until when nobody must be erased."""

    until: date


class Opening(Body, frozen=True):
    """An account to open."""

    customer_id: str
    currency: Currency
    credit_line_minor: Limit = 0


class Freeze(Body, frozen=True):
    """What to block."""

    scope: Literal["DEBIT", "CREDIT", "ALL"]


class Dormancy(Body, frozen=True):
    """Whether an account sleeps."""

    dormant: bool


class CreditLine(Body, frozen=True):
    """How far below zero an account may go."""

    credit_line_minor: Limit


class OtherParty(Body, frozen=True):
    """The other side of a payment with another bank."""

    bank: Annotated[str, Meta(max_length=35, pattern=PRINTABLE)]
    account: Annotated[str, Meta(max_length=64, pattern=PRINTABLE)]


PostableCode = Literal[
    "CASH_DEPOSIT",
    "CASH_WITHDRAWAL",
    "CARD_WITHDRAWAL",
    "INCOMING_PAYMENT",
    "OUTGOING_PAYMENT",
    "INTEREST",
    "PENALTY_INTEREST",
    "FEE",
    "LOAN_PAYMENT",
]
"""What staff may book by hand; the other codes come with what causes them."""


class EntryPosting(Body, frozen=True):
    """An entry to book."""

    code: PostableCode
    amount_minor: Amount
    currency: Currency
    value_date: date | None = None
    other_party: OtherParty | None = None
    narrative: Narrative | None = None


class HoldPlacing(Body, frozen=True):
    """An amount to set aside."""

    amount_minor: Amount
    currency: Currency
    expires_in_seconds: Annotated[int, Meta(ge=1, le=2_678_400)] = 604_800


class Capture(Body, frozen=True):
    """An amount to debit against a hold."""

    amount_minor: Amount
    currency: Currency
    final: bool = True


class TransferOrder(Body, frozen=True):
    """Money to move."""

    source_account_id: str
    target_account_id: str
    amount_minor: Amount
    currency: Currency
    value_date: date | None = None
    narrative: Narrative | None = None


class TransferBatch(Body, frozen=True):
    """Several transfers."""

    transfers: Annotated[list[TransferOrder], Meta(min_length=1, max_length=1000)]


Given = TypeVar("Given", bound=Struct)


class Forms:
    """Reads bodies. The steps that a mutant breaks are methods of their own."""

    def read(self, content: bytes, shape: type[Given]) -> Given:
        """Return a body as `shape`, or refuse (400)."""
        try:
            json.loads(content, object_pairs_hook=_once)
            return msgspec.json.decode(content, type=shape)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise RefusalError(400, "invalid-request", str(error)) from None


def _once(members: list[tuple[str, object]]) -> dict[str, object]:
    """Refuse a member that is named twice, since readers differ in which they believe, and null."""
    found = dict(members)
    if len(found) != len(members) or None in found.values():
        raise ValueError("a member is named twice, or is null")
    return found
