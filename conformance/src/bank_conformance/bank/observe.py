"""From recorded calls to observations of the model: what each answer claims about an account."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any
from urllib.parse import urlsplit

from bank_conformance.history import History, Operation, Outcome
from bank_conformance.model import Kind, Observation, Reading

from .session import CREDITS
from .shapes import Account, Transfer, claimed_version, read

_KINDS = {
    "placeHold": Kind.HOLD,
    "captureHold": Kind.CAPTURE,
    "releaseHold": Kind.RELEASE,
    "freezeAccount": Kind.FREEZE,
    "unfreezeAccount": Kind.UNFREEZE,
    "setCreditLine": Kind.CREDIT_LINE,
    "getAccount": Kind.READ,
}
"""The routes below /v1/accounts/{account_id} that are observations; entries go by their code."""

_TRANSFER_REQUESTS = {"requestTransfer", "reverseTransfer"}


def observations(history: Iterable[Operation], account_id: str) -> list[Observation]:
    """Return what `history` shows of one account.

    Raises:
        ShapeError: an answer has another shape than the contract's.
    """
    operations = list(history)
    ended = {trace.transfer_id: trace.ended for trace in traces(operations).values()}
    found = (_observe(operation, account_id, ended) for operation in operations)
    return [item for item in found if item is not None]


def _observe(
    operation: Operation, account_id: str, ended: dict[str, float | None]
) -> Observation | None:
    if operation.call.route == "requestTransfer":
        body = operation.call.body
        return _transfer(operation, ended) if body["source_account_id"] == account_id else None
    if operation.call.route == "openAccount":
        ours = _member(operation, "account_id") == account_id
        return _observation(operation, Kind.OPEN, "") if ours else None
    parts = urlsplit(operation.call.url).path.split("/")
    kind = _kind(operation)
    if kind is None or account_id not in parts:
        return None
    if kind is Kind.READ and not operation.ok:
        return None
    hold_id = parts[parts.index("holds") + 1] if kind in {Kind.CAPTURE, Kind.RELEASE} else ""
    return _observation(operation, kind, hold_id)


def _kind(operation: Operation) -> Kind | None:
    if operation.call.route == "postEntry":
        return Kind.CREDIT if operation.call.body["code"] in CREDITS else Kind.DEBIT
    return _KINDS.get(operation.call.route)


def _observation(operation: Operation, kind: Kind, hold_id: str) -> Observation:
    body = operation.call.body or {}
    return Observation(
        operation.index,
        kind,
        operation.invoked,
        operation.completed,
        operation.outcome,
        version=None if operation.outcome is Outcome.INFO else claimed_version(operation),
        amount=body.get("amount_minor") or body.get("credit_line_minor") or 0,
        subject=hold_id or body.get("scope") or _new_hold(operation, kind),
        code=operation.code,
        reading=_reading(operation) if kind is Kind.READ else None,
    )


def _new_hold(operation: Operation, kind: Kind) -> str:
    return str(_member(operation, "hold_id") or "") if kind is Kind.HOLD else ""


def _reading(operation: Operation) -> Reading:
    account = read(operation, Account)
    return Reading(
        account.booked_minor,
        account.held_minor,
        account.available_minor,
        account.credit_line_minor,
        account.freeze_scope,
        account.sequence,
    )


def _transfer(operation: Operation, ended: dict[str, float | None]) -> Observation:
    transfer_id = str(_member(operation, "transfer_id") or "")
    return Observation(
        operation.index,
        Kind.TRANSFER,
        operation.invoked,
        operation.completed,
        operation.outcome,
        amount=operation.call.body["amount_minor"],
        subject=transfer_id,
        code=operation.code,
        ended=ended.get(transfer_id),
    )


def arrivals(history: Iterable[Operation], account_id: str) -> list[Observation]:
    """Return the transfers to an account that were not refused, as credits of it.

    Each is booked between its request and the first sight of its end.

    Raises:
        ShapeError: an answer that should be a transfer is none.
    """
    operations = list(history)
    ended = {trace.transfer_id: trace.ended for trace in traces(operations).values()}
    return [
        _arrival(operation, ended)
        for operation in operations
        if operation.call.route == "requestTransfer"
        and operation.outcome is not Outcome.FAIL
        and operation.call.body["target_account_id"] == account_id
    ]


def _arrival(operation: Operation, ended: dict[str, float | None]) -> Observation:
    sent = _transfer(operation, ended)
    completed = inf if sent.ended is None else sent.ended
    return replace(sent, kind=Kind.CREDIT, completed=completed)


def _member(operation: Operation, name: str) -> Any:
    body = operation.answer.body if operation.answer else None
    return body.get(name) if isinstance(body, dict) else None


@dataclass(slots=True)
class Trace:
    """One accepted transfer, with every answer that told of its state."""

    transfer_id: str
    source: str = ""
    target: str = ""
    amount_minor: int = 0
    operations: list[Operation] = field(default_factory=list)
    ended: float | None = None
    """When its end had first been seen, None if never."""

    @property
    def state(self) -> str:
        """The state that the last answer told."""
        return read(self.operations[-1], Transfer).state

    def telling(self) -> tuple[Operation, ...]:
        """Return the answers that told something new, and the last one."""
        states = [read(operation, Transfer).state for operation in self.operations]
        changed = [i for i, state in enumerate(states) if i == 0 or state != states[i - 1]]
        return tuple(self.operations[i] for i in dict.fromkeys([*changed, len(states) - 1]))


def traces(history: History | Iterable[Operation]) -> dict[str, Trace]:
    """Return the transfers that the bank accepted, each with the answers that show its life.

    Raises:
        ShapeError: an answer that should be a transfer is none.
    """
    found: dict[str, Trace] = {}
    for operation in history:
        single = operation.call.route in _TRANSFER_REQUESTS | {"getTransfer", "cancelTransfer"}
        if not single or not operation.ok:
            continue
        transfer = read(operation, Transfer)
        trace = found.setdefault(transfer.transfer_id, Trace(transfer.transfer_id))
        trace.source, trace.target = transfer.source_account_id, transfer.target_account_id
        trace.amount_minor = transfer.amount_minor
        trace.operations.append(operation)
        if transfer.terminal and trace.ended is None:
            trace.ended = operation.completed
    return found
