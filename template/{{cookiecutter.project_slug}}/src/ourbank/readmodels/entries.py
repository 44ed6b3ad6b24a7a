"""The history of every account: one row an entry, in the order of the log.

The narrative is here as it is in the log: the owner's copy, sealed under the owner's key.
"""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import BigInteger, Column, Date, DateTime, Index, Table, Text

from ..domain.entry import FundsCredited, FundsDebited
from ..domain.ledger import BOOKINGS
from ..eventsourcing.event import Recorded
from ..eventsourcing.projection import Key, ReadModel
from .tables import Code, metadata


@dataclass(slots=True)
class EntryRow:
    """One entry; the amount is in minor units and unsigned. Fields in the order of the table's
    columns.
    """

    account_id: str
    sequence: int
    version: int
    direction: str
    code: str
    amount_minor: int
    currency: str
    balance_after_minor: int
    booking_time: datetime
    value_date: date
    transfer_id: str | None
    hold_id: str | None
    counterparty: str | None
    counterparty_bank: str | None
    narrative: str | None
    reference: str | None


entries = Table(
    "entries",
    metadata,
    Column("account_id", Code, primary_key=True),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),
    Column("direction", Code, nullable=False),
    Column("code", Code, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", Code, nullable=False),
    Column("balance_after_minor", BigInteger, nullable=False),
    Column("booking_time", DateTime(timezone=True), nullable=False),
    Column("value_date", Date, nullable=False),
    Column("transfer_id", Code),
    Column("hold_id", Code),
    Column("counterparty", Text),
    Column("counterparty_bank", Text),
    Column("narrative", Text),
    Column("reference", Code),
)
Index("entries_transfer", entries.c.transfer_id, postgresql_where=entries.c.transfer_id.isnot(None))


def _keys(recorded: Recorded) -> tuple[Key, ...]:
    return ((recorded.stream_id, recorded.event.sequence),)


def _evolve(row: EntryRow | None, recorded: Recorded, key: Key) -> EntryRow:
    del row, key
    event: FundsCredited | FundsDebited = recorded.event
    return EntryRow(
        event.account_id,
        event.sequence,
        recorded.version,
        BOOKINGS[event.code].direction,
        event.code,
        event.amount_minor,
        event.currency,
        event.balance_after_minor,
        event.booking_time,
        event.value_date,
        event.transfer_id,
        event.hold_id if isinstance(event, FundsDebited) else None,
        event.counterparty,
        event.counterparty_bank,
        event.narrative,
        event.reference,
    )


ENTRIES = ReadModel(
    name="entries",
    table=entries,
    row_type=EntryRow,
    event_types=frozenset({FundsCredited, FundsDebited}),
    keys=_keys,
    evolve=_evolve,
    insert_only=True,
)
