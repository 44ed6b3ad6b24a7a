"""The holds customers and staff placed, also when they have ended.

A transfer's own hold is part of the transfer and not listed here.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Column, DateTime, Index, Table

from ..domain.entry import FundsDebited
from ..domain.hold import HoldExpired, HoldPlaced, HoldReleased
from ..eventsourcing.event import Recorded
from ..eventsourcing.projection import Key, ReadModel
from .tables import Code, metadata

PREFIX = "hld_"


class HoldStatus(StrEnum):
    """The states of a hold; all but ACTIVE are final."""

    ACTIVE = "ACTIVE"
    CAPTURED = "CAPTURED"
    PARTIALLY_CAPTURED = "PARTIALLY_CAPTURED"
    RELEASED = "RELEASED"
    EXPIRED = "EXPIRED"


@dataclass(slots=True)
class HoldRow:
    """One hold; amounts in minor units. The fields stand in the order of the table's columns."""

    hold_id: str
    account_id: str
    status: str
    amount_minor: int
    captured_minor: int
    currency: str
    expires_at: datetime
    version: int


holds = Table(
    "holds",
    metadata,
    Column("hold_id", Code, primary_key=True),
    Column("account_id", Code, nullable=False),
    Column("status", Code, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("captured_minor", BigInteger, nullable=False),
    Column("currency", Code, nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("version", BigInteger, nullable=False),
)
Index("holds_due", holds.c.expires_at, postgresql_where=holds.c.status == HoldStatus.ACTIVE)


def _keys(recorded: Recorded) -> tuple[Key, ...]:
    hold_id = recorded.event.hold_id
    return ((hold_id,),) if hold_id is not None and hold_id.startswith(PREFIX) else ()


def _evolve(row: HoldRow | None, recorded: Recorded, key: Key) -> HoldRow:
    del key
    event = recorded.event
    if isinstance(event, HoldPlaced):
        return _placed(event, recorded)
    if row is None:
        msg = f"{recorded.type} before HoldPlaced"
        raise ValueError(msg)
    row = replace(row, version=recorded.version)
    match event:
        case FundsDebited(amount_minor=amount_minor):
            row.captured_minor += amount_minor
            if row.captured_minor == row.amount_minor:
                row.status = HoldStatus.CAPTURED
        case HoldReleased() | HoldExpired() if row.captured_minor:
            row.status = HoldStatus.PARTIALLY_CAPTURED
        case HoldReleased():
            row.status = HoldStatus.RELEASED
        case HoldExpired():
            row.status = HoldStatus.EXPIRED
    return row


def _placed(event: HoldPlaced, recorded: Recorded) -> HoldRow:
    return HoldRow(
        hold_id=event.hold_id,
        account_id=recorded.stream_id,
        status=HoldStatus.ACTIVE,
        amount_minor=event.amount_minor,
        captured_minor=0,
        currency=event.currency,
        expires_at=event.expires_at or recorded.recorded_at,
        version=recorded.version,
    )


HOLDS = ReadModel(
    name="holds",
    table=holds,
    row_type=HoldRow,
    event_types=frozenset({HoldPlaced, HoldReleased, HoldExpired, FundsDebited}),
    keys=_keys,
    evolve=_evolve,
)
