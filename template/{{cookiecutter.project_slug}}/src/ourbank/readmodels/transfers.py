"""The list of transfers and where each stands."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import BigInteger, Column, Date, DateTime, Index, Table, Text

from ..domain import transfer as domain
from ..eventsourcing.event import Recorded
from ..eventsourcing.projection import Key, ReadModel
from .tables import Code, metadata


@dataclass(slots=True)
class TransferRow:
    """One transfer. The fields stand in the order of the table's columns."""

    transfer_id: str
    source_account_id: str
    target_account_id: str
    amount_minor: int
    currency: str
    value_date: date
    requested_at: datetime
    status: str
    payer_narrative: str | None
    payee_narrative: str | None
    reverses: str | None
    reversed_by: str | None
    code: str | None
    ended_at: datetime | None
    version: int


transfers = Table(
    "transfers",
    metadata,
    Column("transfer_id", Code, primary_key=True),
    Column("source_account_id", Code, nullable=False),
    Column("target_account_id", Code, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", Code, nullable=False),
    Column("value_date", Date, nullable=False),
    Column("requested_at", DateTime(timezone=True), nullable=False),
    Column("status", Code, nullable=False),
    Column("payer_narrative", Text),
    Column("payee_narrative", Text),
    Column("reverses", Code),
    Column("reversed_by", Code),
    Column("code", Code),
    Column("ended_at", DateTime(timezone=True)),
    Column("version", BigInteger, nullable=False),
    Index("transfers_source", "source_account_id", "transfer_id"),
    Index("transfers_target", "target_account_id", "transfer_id"),
)


def _keys(recorded: Recorded) -> tuple[Key, ...]:
    return ((recorded.stream_id,),)


def _evolve(row: TransferRow | None, recorded: Recorded, key: Key) -> TransferRow:
    """The domain's own fold, kept as a row."""
    del key
    before = None if row is None else _state(row)
    return _row(domain.evolve(before, recorded.event), recorded.version)


def _state(row: TransferRow) -> domain.Transfer:
    return domain.Transfer(
        transfer_id=row.transfer_id,
        source_account_id=row.source_account_id,
        target_account_id=row.target_account_id,
        amount_minor=row.amount_minor,
        currency=row.currency,
        value_date=row.value_date,
        requested_at=row.requested_at,
        status=domain.TransferStatus(row.status),
        payer_narrative=row.payer_narrative,
        payee_narrative=row.payee_narrative,
        reverses=row.reverses,
        reversed_by=row.reversed_by,
        code=row.code,
        ended_at=row.ended_at,
    )


def _row(transfer: domain.Transfer, version: int) -> TransferRow:
    return TransferRow(
        transfer.transfer_id,
        transfer.source_account_id,
        transfer.target_account_id,
        transfer.amount_minor,
        transfer.currency,
        transfer.value_date,
        transfer.requested_at,
        transfer.status,
        transfer.payer_narrative,
        transfer.payee_narrative,
        transfer.reverses,
        transfer.reversed_by,
        transfer.code,
        transfer.ended_at,
        version,
    )


TRANSFERS = ReadModel(
    name="transfers",
    table=transfers,
    row_type=TransferRow,
    event_types=frozenset(domain.EVENTS),
    keys=_keys,
    evolve=_evolve,
)
