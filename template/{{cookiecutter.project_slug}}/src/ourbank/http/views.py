"""How things look from outside: plain members, ready to be encoded."""

from datetime import date
from typing import Any

from ..application.customers import CustomerView
from ..domain.account import Account
from ..domain.rejection import REASON_CODES
from ..domain.transfer import Transfer
from ..eventsourcing.event import Recorded
from ..privacy.erasure import Erasure
from ..readmodels.accounts import AccountRow
from ..readmodels.entries import EntryRow
from ..readmodels.holds import HoldRow
from ..readmodels.transfers import TransferRow


def account(state: Account, version: int, as_of: Any) -> dict[str, Any]:
    """An account as its own stream says."""
    return {
        "account_id": state.account_id,
        "customer_id": state.customer_id,
        "currency": state.currency,
        "state": state.status,
        "freeze_scope": state.freeze_scope,
        "booked_minor": state.booked_minor,
        "held_minor": state.held_minor,
        "available_minor": state.available_minor,
        "credit_line_minor": state.credit_line_minor,
        "version": version,
        "sequence": state.sequence,
        "as_of": as_of,
    }


def account_row(row: AccountRow) -> dict[str, Any]:
    """An account as the read model has it."""
    return {
        "account_id": row.account_id,
        "customer_id": row.customer_id,
        "currency": row.currency,
        "state": row.status,
        "freeze_scope": row.freeze_scope,
        "booked_minor": row.booked_minor,
        "held_minor": row.held_minor,
        "available_minor": row.booked_minor - row.held_minor + row.credit_line_minor,
        "credit_line_minor": row.credit_line_minor,
        "version": row.version,
        "sequence": row.sequence,
        "as_of": row.as_of,
    }


def entry(row: EntryRow) -> dict[str, Any]:
    """An entry, its narrative in clear."""
    return {
        "account_id": row.account_id,
        "sequence": row.sequence,
        "version": row.version,
        "direction": row.direction,
        "code": row.code,
        "amount_minor": row.amount_minor,
        "currency": row.currency,
        "balance_after_minor": row.balance_after_minor,
        "booking_time": row.booking_time,
        "value_date": row.value_date,
        "transfer_id": row.transfer_id,
        "hold_id": row.hold_id,
        "counterparty": row.counterparty,
        "counterparty_bank": row.counterparty_bank,
        "narrative": row.narrative,
    }


def hold(row: HoldRow) -> dict[str, Any]:
    """A hold."""
    return {
        "hold_id": row.hold_id,
        "account_id": row.account_id,
        "state": row.status,
        "amount_minor": row.amount_minor,
        "captured_minor": row.captured_minor,
        "currency": row.currency,
        "expires_at": row.expires_at,
        "version": row.version,
    }


def transfer(
    state: Transfer | TransferRow, version: int, narrative: str | None = None
) -> dict[str, Any]:
    """A transfer, with the narrative that the caller may see."""
    return {
        "transfer_id": state.transfer_id,
        "state": state.status,
        "source_account_id": state.source_account_id,
        "target_account_id": state.target_account_id,
        "amount_minor": state.amount_minor,
        "currency": state.currency,
        "requested_at": state.requested_at,
        "ended_at": state.ended_at,
        "value_date": state.value_date,
        "code": state.code,
        "reason_code": REASON_CODES.get(state.code or ""),
        "narrative": narrative,
        "reverses": state.reverses,
        "reversed_by": state.reversed_by,
        "version": version,
    }


def customer(view: CustomerView) -> dict[str, Any]:
    """A customer; personal data only while there is a key for it."""
    members: dict[str, Any] = {
        "customer_id": view.customer.customer_id,
        "state": view.customer.status,
        "registered_at": view.customer.registered_at,
        "version": view.version,
    }
    if view.personal is not None:
        personal = view.personal._asdict().items()
        members["personal"] = {name: value for name, value in personal if value is not None}
    return members


def erasure(found: Erasure) -> dict[str, Any]:
    """An erasure."""
    return {
        "customer_id": found.subject,
        "state": found.state,
        "until": found.until,
        "erased_at": found.erased_at,
        "receipt": found.receipt,
    }


def legal_hold(customer_id: str, until: date | None) -> dict[str, Any]:
    """A legal hold; no date where none stands."""
    return {"customer_id": customer_id, "until": until}


def position(recorded: Recorded) -> dict[int, int]:
    """Where an event stands, as the positions of an answer."""
    return {recorded.partition: recorded.position}
