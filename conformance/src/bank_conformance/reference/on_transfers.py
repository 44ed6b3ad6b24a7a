"""The routes of transfers."""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse, Response

from bank_conformance.bank.routes import Scope

from .accounts import Account
from .asks import Ask, Endpoint, found, wait_for
from .bodies import TransferBatch, TransferOrder
from .on_accounts import PAGING
from .problems import RefusalError
from .transfers import Transfer

ENDED_BADLY = {"REJECTED", "FAILED", "EXPIRED", "CANCELLED"}


async def request_transfer(ask: Ask) -> Response:
    """Move money from one account to another."""
    if ask.begun is None:
        transfer = await _request(ask, ask.body(TransferOrder))
        ask.begin(transfer.transfer_id)
    return await _answer(ask)


async def _request(ask: Ask, order: TransferOrder) -> Transfer:
    source, target = _parties(ask, order)
    if source is target:
        raise RefusalError(422, "same-account", version=source.version)
    for account in (source, target):
        ask.bank.require_known(account.customer_id)
    return await ask.bank.transfers.request(
        source, target, order.amount_minor, order.currency, order.narrative
    )


def _parties(ask: Ask, order: TransferOrder) -> tuple[Account, Account]:
    """Return the accounts of an order; ids in a body are a rule's matter (422), not the path's."""
    accounts, doors = ask.bank.accounts, ask.bank.doors
    if not ask.caller.staff:
        doors.require(ask.caller, Scope.TRANSFERS_WRITE)
    try:
        source = accounts.find(order.source_account_id)
        doors.require_access(ask.caller, Scope.TRANSFERS_WRITE, source.customer_id)
        return source, accounts.find(order.target_account_id)
    except RefusalError as refusal:
        raise RefusalError(422, "account-not-found") from refusal


async def _answer(ask: Ask) -> Response:
    """Answer with the end of the transfer that was begun, if it comes while the caller waits."""
    transfer = ask.bank.transfers.find(str(ask.begun))
    if ask.wait_seconds:
        await wait_for(transfer.ended, ask.wait_seconds)
    headers = {"Location": f"/v1/transfers/{transfer.transfer_id}"}
    if transfer.state in ENDED_BADLY:
        code = transfer.code or transfer.state.lower()
        problem = RefusalError(422, code, transfer_id=transfer.transfer_id).response()
        problem.headers.update(headers)
        return problem
    view = _view(ask, transfer) | {"narrative": None}
    status = 201 if transfer.state == "COMPLETED" else 202
    return JSONResponse(view, status, headers | {"ETag": f'"{transfer.version}"'})


async def request_transfers(ask: Ask) -> Response:
    """Answer a batch: one outcome per transfer."""
    outcomes = [await _outcome(ask, order) for order in ask.body(TransferBatch).transfers]
    return JSONResponse({"outcomes": outcomes})


async def _outcome(ask: Ask, order: TransferOrder) -> dict[str, Any]:
    try:
        transfer = await _request(ask, order)
    except RefusalError as refusal:
        return {"status": refusal.status, "problem": {"code": refusal.code, **_problem(refusal)}}
    return {"status": 202, "transfer": _view(ask, transfer) | {"narrative": None}}


def _problem(refusal: RefusalError) -> dict[str, Any]:
    title = refusal.code.replace("-", " ").capitalize()
    return {"type": f"urn:problem:{refusal.code}", "title": title, "status": refusal.status}


def _view(ask: Ask, transfer: Transfer) -> dict[str, Any]:
    return ask.bank.transfers.view(transfer, ask.caller.subject)


async def list_transfers(ask: Ask) -> Response:
    """List an account's transfers, newest first."""
    account_id = ask.request.query_params.get("account_id")
    if account_id is None:
        raise RefusalError(400, "account-id-missing")
    account = ask.bank.accounts.find(account_id)
    ask.bank.doors.require_access(ask.caller, Scope.ACCOUNTS_READ, account.customer_id)
    state = ask.request.query_params.get("state")
    views = [
        ask.bank.transfers.view(transfer, account.customer_id)
        for transfer in reversed(ask.bank.transfers.by_id.values())
        if account in (transfer.source, transfer.target) and state in {None, transfer.state}
    ]
    return ask.page(views, "transfer_id")


async def get_transfer(ask: Ask) -> Response:
    """Return a transfer to its parties."""
    transfer = ask.bank.transfers.find(ask.path("transfer_id"))
    parties = (transfer.source.customer_id, transfer.target.customer_id)
    ask.bank.doors.require_access(ask.caller, Scope.ACCOUNTS_READ, *parties)
    return found(_view(ask, transfer))


async def cancel_transfer(ask: Ask) -> Response:
    """Cancel before settlement."""
    transfer = ask.bank.transfers.find(ask.path("transfer_id"))
    payer = transfer.source.customer_id
    ask.bank.doors.require_access(ask.caller, Scope.TRANSFERS_WRITE, payer)
    ask.bank.transfers.cancel(transfer)
    return found(_view(ask, transfer) | {"narrative": None})


async def reverse_transfer(ask: Ask) -> Response:
    """Send the money back."""
    ask.require_staff()
    transfer = ask.bank.transfers.find(ask.path("transfer_id"))
    if ask.begun is None:
        back = await ask.bank.transfers.reverse(transfer)
        ask.begin(back.transfer_id)
    return await _answer(ask)


ENDPOINTS = (
    Endpoint("requestTransfer", request_transfer),
    Endpoint("requestTransfers", request_transfers),
    Endpoint("listTransfers", list_transfers, PAGING | {"account_id", "state"}),
    Endpoint("getTransfer", get_transfer),
    Endpoint("cancelTransfer", cancel_transfer),
    Endpoint("reverseTransfer", reverse_transfer),
)
