"""The contract's query parameters, checked before anything is looked for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from .bodies import PRINTABLE, PostableCode
from .problems import RefusalError

_Moment = Annotated[datetime, Meta(tz=True)]
_Amount = Annotated[int, Meta(ge=0, le=2**63 - 1)]
_Code = Literal[PostableCode, "CAPTURE", "TRANSFER_IN", "TRANSFER_OUT"]
_State = Literal[
    "ACCEPTED",
    "UNDER_REVIEW",
    "RESERVED",
    "SETTLING",
    "COMPLETED",
    "REJECTED",
    "COMPENSATING",
    "FAILED",
    "CANCELLED",
    "EXPIRED",
]


def _id(prefix: str) -> Any:
    return Annotated[str, Meta(pattern=f"^{prefix}_[0-9a-f]{{32}}$")]


PARAMETERS: dict[str, Any] = {
    "customer_id": _id("cus"),
    "account_id": _id("acc"),
    "transfer_id": _id("trf"),
    "as_of": date,
    "known_at": _Moment,
    "from": _Moment,
    "to": _Moment,
    "date": date,
    "basis": Literal["BOOKING", "VALUE"],
    "booked_from": _Moment,
    "booked_to": _Moment,
    "value_from": date,
    "value_to": date,
    "code": _Code,
    "direction": Literal["CRDT", "DBIT"],
    "min_amount_minor": _Amount,
    "max_amount_minor": _Amount,
    "counterparty": Annotated[str, Meta(min_length=1, max_length=64, pattern=PRINTABLE)],
    "text": Annotated[str, Meta(min_length=1, max_length=140, pattern=PRINTABLE)],
    "order": Literal["asc", "desc"],
    "state": _State,
    "partition": Annotated[int, Meta(ge=0, le=2**31 - 1)],
    "position": Annotated[int, Meta(ge=1, le=2**63 - 1)],
    "size": _Amount,
    "from_size": _Amount,
    "to_size": _Amount,
    "limit": Annotated[int, Meta(ge=1, le=1000)],
    "cursor": Annotated[str, Meta(max_length=1024)],
    "after": Annotated[str, Meta(max_length=4096)],
}


def check(given: Iterable[tuple[str, str]], known: frozenset[str]) -> None:
    """Refuse (400) parameters that the route does not know, and values that are none."""
    for name, value in given:
        if name not in known:
            raise RefusalError(400, "unknown-parameter", name)
        try:
            msgspec.convert(value, PARAMETERS[name], strict=False)
        except msgspec.ValidationError as error:
            raise RefusalError(400, "invalid-parameter", f"{name}: {error}") from None
