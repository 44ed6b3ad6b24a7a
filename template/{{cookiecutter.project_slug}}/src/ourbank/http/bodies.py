"""What may be sent: strict, closed, and free of what could not be stored."""

import re
import unicodedata
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from iso4217 import Currency as Iso4217
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StringConstraints,
    field_validator,
)

from ..domain.account import AMOUNT_MINOR_MAX
from ..domain.ledger import TransactionCode
from ..domain.lifecycle import FreezeScope
from ..domain.transfer import TransferStatus

CURRENCIES = frozenset(currency.code for currency in Iso4217)
BATCH_MAX = 1_000
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(_DAY.pattern + r"[Tt ][0-9:]{8}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})")
HOLD_SECONDS_MAX = 2_678_400
POSTED_CODES = frozenset(TransactionCode) - {
    TransactionCode.CAPTURE,
    TransactionCode.TRANSFER_IN,
    TransactionCode.TRANSFER_OUT,
}
"""What staff may book; the others come about by captures and transfers."""


def _printable(text: str) -> str:
    """No control characters and no lone surrogates: neither can be stored, nor means anything."""
    if any(unicodedata.category(c) in {"Cc", "Cs"} for c in text):
        raise ValueError("must not contain control characters")
    return text


def _currency(code: str) -> str:
    if code not in CURRENCIES:
        raise ValueError("must be a currency of ISO 4217, such as EUR")
    return code


def _as_day(value: Any) -> Any:
    """A number would be taken for seconds since 1970, a midnight for its day."""
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise ValueError("must be written as in RFC 3339, such as 2026-01-31")
    return value


def _as_moment(value: Any) -> Any:
    """Without a zone it would be any of two dozen moments."""
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise ValueError("must be written as in RFC 3339, such as 2026-01-31T23:59:59Z")
    return value


def _in_utc(moment: datetime) -> datetime:
    """Where UTC has no year for it, at either end of the calendar, a day does not matter."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return moment.replace(tzinfo=UTC)


def _posted(code: TransactionCode) -> TransactionCode:
    if code not in POSTED_CODES:
        raise ValueError("cannot be posted: it comes about by a capture or a transfer")
    return code


Printable = AfterValidator(_printable)
Day = Annotated[date, BeforeValidator(_as_day)]
Moment = Annotated[datetime, BeforeValidator(_as_moment), AfterValidator(_in_utc)]
Currency = Annotated[str, StringConstraints(strict=True, max_length=3), AfterValidator(_currency)]
AmountMinor = Annotated[int, Field(strict=True, ge=1, le=AMOUNT_MINOR_MAX)]
CreditLineMinor = Annotated[int, Field(strict=True, ge=0, le=AMOUNT_MINOR_MAX)]


def _text(longest: int, shortest: int = 1) -> StringConstraints:
    return StringConstraints(strict=True, min_length=shortest, max_length=longest)


Narrative = Annotated[str, _text(140), Printable]
AccountElsewhere = Annotated[str, _text(64), Printable]
CustomerId = Annotated[str, StringConstraints(strict=True, pattern=r"^cus_[0-9a-f]{32}$")]
AccountId = Annotated[str, StringConstraints(strict=True, pattern=r"^acc_[0-9a-f]{32}$")]
TransferId = Annotated[str, StringConstraints(strict=True, pattern=r"^trf_[0-9a-f]{32}$")]
TransferState = TransferStatus | Literal["UNDER_REVIEW", "SETTLING"]
"""The contract's states; a transfer of this bank is never found in the last two."""


class Body(BaseModel):
    """Members that are not named here are refused, and so is null: what there is none of is left
    out.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _given(cls, value: Any) -> Any:
        """A default is not validated, so the None here was sent."""
        if value is None:
            raise ValueError("must be left out where there is none")
        return value


class LegalHoldSetting(Body):
    """Until when, exclusive, the personal data must be kept."""

    until: Day


class PersonalDataIn(Body):
    """What is known of a person."""

    name: Annotated[str, _text(200), Printable]
    email: Annotated[
        str,
        StringConstraints(strict=True, min_length=3, max_length=254, pattern=r"^[^@\s]+@[^@\s]+$"),
        Printable,
    ]
    phone: Annotated[str, _text(32, 3), Printable] | None = None
    birth_date: Day | None = None
    national_id: Annotated[str, _text(64), Printable] | None = None
    address: Annotated[str, _text(500), Printable] | None = None


class CustomerRegistration(Body):
    """A new customer."""

    personal: PersonalDataIn


class AccountOpening(Body):
    """A new account."""

    customer_id: CustomerId
    currency: Currency
    credit_line_minor: CreditLineMinor = 0


class Freeze(Body):
    """Which direction to block."""

    scope: FreezeScope


class Dormancy(Body):
    """Dormant or not."""

    dormant: StrictBool


class CreditLine(Body):
    """How far below zero the account may go."""

    credit_line_minor: CreditLineMinor


class OtherParty(Body):
    """The other side of a payment with another bank."""

    bank: Annotated[str, _text(35), Printable]
    account: AccountElsewhere


class EntryPosting(Body):
    """What to book."""

    code: Annotated[TransactionCode, AfterValidator(_posted)]
    amount_minor: AmountMinor
    currency: Currency
    value_date: Day | None = None
    other_party: OtherParty | None = None
    narrative: Narrative | None = None


class HoldPlacing(Body):
    """What to set aside."""

    amount_minor: AmountMinor
    currency: Currency
    expires_in_seconds: Annotated[int, Field(strict=True, ge=1, le=HOLD_SECONDS_MAX)] = 604_800


class Capture(Body):
    """What to debit against a hold."""

    amount_minor: AmountMinor
    currency: Currency
    final: StrictBool = True


class TransferOrderIn(Body):
    """What to move."""

    source_account_id: AccountId
    target_account_id: AccountId
    amount_minor: AmountMinor
    currency: Currency
    value_date: Day | None = None
    narrative: Narrative | None = None


class TransferBatch(Body):
    """Many transfers."""

    transfers: Annotated[list[TransferOrderIn], Field(min_length=1, max_length=BATCH_MAX)]
