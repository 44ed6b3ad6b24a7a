"""The list of accounts with their balances."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Column, DateTime, Index, Table

from ..domain import account as domain
from ..domain import lifecycle
from ..domain.entry import FundsCredited, FundsDebited
from ..domain.hold import HoldExpired, HoldPlaced, HoldReleased
from ..eventsourcing.event import Recorded
from ..eventsourcing.projection import Key, ReadModel
from .tables import Code, metadata


@dataclass(slots=True)
class AccountRow:
    """One account; amounts in minor units. The fields stand in the order of the table's columns."""

    account_id: str
    customer_id: str
    currency: str
    status: str
    freeze_scope: str | None
    booked_minor: int
    held_minor: int
    credit_line_minor: int
    version: int
    sequence: int
    as_of: datetime


accounts = Table(
    "accounts",
    metadata,
    Column("account_id", Code, primary_key=True),
    Column("customer_id", Code, nullable=False),
    Column("currency", Code, nullable=False),
    Column("status", Code, nullable=False),
    Column("freeze_scope", Code),
    Column("booked_minor", BigInteger, nullable=False),
    Column("held_minor", BigInteger, nullable=False),
    Column("credit_line_minor", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("as_of", DateTime(timezone=True), nullable=False),
    Index("accounts_customer", "customer_id", "account_id"),
)


def _keys(recorded: Recorded) -> tuple[Key, ...]:
    return ((recorded.stream_id,),)


def _evolve(row: AccountRow | None, recorded: Recorded, key: Key) -> AccountRow:
    del key
    event = recorded.event
    if isinstance(event, lifecycle.AccountOpened):
        return _opened(event, recorded)
    if row is None:
        msg = f"{recorded.type} before AccountOpened"
        raise ValueError(msg)
    booked_minor, held_minor, credit_line_minor = (
        row.booked_minor,
        row.held_minor,
        row.credit_line_minor,
    )
    status, freeze_scope, sequence = row.status, row.freeze_scope, row.sequence
    match event:
        case FundsCredited() | FundsDebited():
            booked_minor = event.balance_after_minor
            sequence = event.sequence
            if isinstance(event, FundsDebited) and event.hold_id is not None:
                held_minor -= event.amount_minor
        case HoldPlaced():
            held_minor += event.amount_minor
        case HoldReleased() | HoldExpired():
            held_minor -= event.amount_minor
        case lifecycle.CreditLineSet():
            credit_line_minor = event.credit_line_minor
        case lifecycle.AccountFrozen():
            status, freeze_scope = domain.Status.FROZEN, event.scope
        case lifecycle.AccountUnfrozen() | lifecycle.AccountReactivated():
            status, freeze_scope = domain.Status.ACTIVE, None
        case lifecycle.AccountMarkedDormant():
            status = domain.Status.DORMANT
        case lifecycle.AccountClosed():
            status = domain.Status.CLOSED
    return AccountRow(
        row.account_id,
        row.customer_id,
        row.currency,
        status,
        freeze_scope,
        booked_minor,
        held_minor,
        credit_line_minor,
        recorded.version,
        sequence,
        recorded.recorded_at,
    )


def _opened(event: lifecycle.AccountOpened, recorded: Recorded) -> AccountRow:
    return AccountRow(
        account_id=event.account_id,
        customer_id=event.customer_id,
        currency=event.currency,
        status=domain.Status.ACTIVE,
        freeze_scope=None,
        booked_minor=0,
        held_minor=0,
        credit_line_minor=event.credit_line_minor,
        version=recorded.version,
        sequence=0,
        as_of=recorded.recorded_at,
    )


ACCOUNTS = ReadModel(
    name="accounts",
    table=accounts,
    row_type=AccountRow,
    event_types=frozenset(domain.EVENTS),
    keys=_keys,
    evolve=_evolve,
)
