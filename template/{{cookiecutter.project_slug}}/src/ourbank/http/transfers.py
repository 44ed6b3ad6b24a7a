"""/v1/transfers."""

import hashlib
from dataclasses import replace
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.responses import Response

from ..application.bank import Bank
from ..application.request import RejectedError
from ..application.request import Request as Asked
from ..application.transfers import TransferOrder, TransferView
from ..domain.account import Account
from ..domain.rejection import Rejection
from ..domain.transfer import Transfer
from . import cursors, problems, views
from .accounts import READ, Cursor, Limit, own_account
from .bodies import AccountId, TransferBatch, TransferId, TransferOrderIn, TransferState
from .call import Call
from .exchange import Command, Seen, TheBank, WaitSeconds, answer, as_seen, page
from .holds import WRITE
from .problems import ProblemError
from .route import Route
from .security import OPERATE, Caller, Principal, require

router = APIRouter(prefix="/v1/transfers", tags=["transfers"], route_class=Route)

PathId = Annotated[TransferId, Path()]


@router.post("", status_code=201)
async def request_transfer(
    bank: TheBank, caller: Caller, asked: Command, wait: WaitSeconds, body: TransferOrderIn
) -> Response:
    """Move money: 201 when it completed, 202 when it is on its way, 422 when it was refused."""
    await _may_order(bank, caller, body)
    view = await bank.transfers.request(_order(body), asked, wait)
    return await _answer(bank, caller, view)


@router.post("/batch")
async def request_transfers(
    bank: TheBank, caller: Caller, asked: Command, wait: WaitSeconds, body: TransferBatch
) -> Response:
    """Up to 1,000 transfers, each with its own outcome, in the order asked."""
    await bank.transfers.begin_batch(asked)
    outcomes: list[dict[str, Any] | None] = []
    orders: list[tuple[TransferOrder, Asked]] = []
    for number, order in enumerate(body.transfers):
        try:
            await _may_order(bank, caller, order)
        except ProblemError as problem:
            outcomes.append({"status": problem.status, "problem": problems.members(problem)})
        else:
            outcomes.append(None)
            orders.append((_order(order), _numbered(asked, number)))
    found = await bank.transfers.request_all(orders, wait)
    answers = iter(found)
    for number, outcome in enumerate(outcomes):
        if outcome is None:
            outcomes[number] = await _outcome(bank, caller, next(answers))
    replayed = bool(found) and all(each.replayed for each in found)
    return answer(bank, {"outcomes": outcomes}, at={}, replayed=replayed)


@router.get("")
async def list_transfers(
    bank: TheBank,
    caller: Caller,
    call: Call,
    account_id: AccountId,
    seen: Seen,
    wait: WaitSeconds,
    state: TransferState | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """Transfers of an account, newest first, from the read model."""
    account = await own_account(bank, caller, account_id, READ)
    before = cursors.decode("t", cursor)
    read = partial(bank.queries.transfers, account_id, state, before, limit)
    found = await as_seen(bank, "transfers", seen, wait, read)
    sealed = [
        (
            row.transfer_id,
            row.payer_narrative if row.source_account_id == account_id else row.payee_narrative,
        )
        for row in found.rows
    ]
    opened = await bank.parties.unseal_narratives(account.customer_id, sealed)
    items = [
        views.transfer(row, row.version, narrative)
        for row, narrative in zip(found.rows, opened, strict=True)
    ]
    return page(call, items, cursors.encode("t", found.next), seen)


@router.get("/{transfer_id}")
async def get_transfer(bank: TheBank, caller: Caller, transfer_id: PathId) -> Response:
    """The transfer, strongly consistent; both parties may see it, each with the own narrative."""
    view = await _own(bank, caller, transfer_id, READ, both_sides=True)
    members = await _members(bank, caller, view)
    return answer(bank, members, at=view.positions, version=view.version)


@router.post("/{transfer_id}/cancel")
async def cancel_transfer(
    bank: TheBank, caller: Caller, asked: Command, transfer_id: PathId
) -> Response:
    """Cancel before settlement."""
    await _own(bank, caller, transfer_id, WRITE)
    view = await bank.transfers.cancel(transfer_id, asked)
    members = await _members(bank, caller, view)
    return answer(bank, members, at=view.positions, version=view.version, replayed=view.replayed)


@router.post("/{transfer_id}/reverse", status_code=201)
async def reverse_transfer(
    bank: TheBank, caller: Caller, asked: Command, wait: WaitSeconds, transfer_id: PathId
) -> Response:
    """Send the money back as a new transfer; the original stays completed."""
    require(caller, OPERATE)
    await _own(bank, caller, transfer_id, OPERATE)
    return await _answer(bank, caller, await bank.transfers.reverse(transfer_id, asked, wait))


def _order(body: TransferOrderIn) -> TransferOrder:
    return TransferOrder(
        source_account_id=body.source_account_id,
        target_account_id=body.target_account_id,
        amount_minor=body.amount_minor,
        currency=body.currency,
        value_date=body.value_date,
        narrative=body.narrative,
    )


def _numbered(asked: Asked, number: int) -> Asked:
    """The i-th of a batch has a key of its own, made of the request's."""
    assert asked.key is not None  # noqa: S101 (the header is required)
    digest = hashlib.blake2b(bytes.fromhex(asked.key) + number.to_bytes(4), digest_size=16).digest()
    return replace(asked, key=digest.hex())


async def _may_order(bank: Bank, caller: Principal, body: TransferOrderIn) -> None:
    """The source must be the caller's; a foreign one is answered like an unknown one."""
    if caller.is_staff:
        return
    require(caller, WRITE)
    if body.value_date not in (None, bank.calendar.business_date()):
        raise ProblemError(403, "scope-missing", "another value date needs the scope bank:operate")
    source = await bank.parties.account(body.source_account_id)
    if source is None or source.customer_id != caller.subject:
        unknown = Rejection("debtor-account-not-found", "there is no such source account")
        raise problems.rejected(unknown)


async def _own(
    bank: Bank, caller: Principal, transfer_id: str, scope: str, *, both_sides: bool = False
) -> TransferView:
    """The transfer, if the caller may see it or (the payer) act on it; ProblemError 403 or 404."""
    if not caller.is_staff:
        require(caller, scope)
    view = await bank.transfers.get(transfer_id)
    if view is None:
        raise ProblemError(404, "transfer-not-found", "there is no such transfer")
    owners = await _owners(bank, view.transfer)
    if not caller.is_staff and caller.subject not in owners[: 1 + both_sides]:
        raise ProblemError(404, "transfer-not-found", "there is no such transfer")
    return view


async def _owners(bank: Bank, transfer: Transfer) -> list[str]:
    """Payer and payee; empty for a party that does not exist."""
    found: list[Account | None] = [
        await bank.parties.account(transfer.source_account_id),
        await bank.parties.account(transfer.target_account_id),
    ]
    return ["" if account is None else account.customer_id for account in found]


async def _members(bank: Bank, caller: Principal, view: TransferView) -> dict[str, Any]:
    """The transfer with the narrative that is the caller's own; staff see the payer's."""
    transfer = view.transfer
    narrative = None
    if transfer.payer_narrative is not None:
        payer, payee = await _owners(bank, transfer)
        is_payee = caller.subject == payee != payer
        owner, sealed = (
            (payee, transfer.payee_narrative) if is_payee else (payer, transfer.payer_narrative)
        )
        opened = await bank.parties.unseal_narratives(owner, [(transfer.transfer_id, sealed)])
        narrative = opened[0]
    return views.transfer(transfer, view.version, narrative)


async def _answer(bank: Bank, caller: Principal, view: TransferView) -> Response:
    members = await _members(bank, caller, view)
    return answer(
        bank,
        members,
        201 if view.transfer.has_ended else 202,
        at=view.positions,
        version=view.version,
        location=f"/v1/transfers/{view.transfer.transfer_id}",
        replayed=view.replayed,
    )


async def _outcome(
    bank: Bank, caller: Principal, found: TransferView | RejectedError
) -> dict[str, Any]:
    """One line of a batch's answer."""
    if isinstance(found, RejectedError):
        problem = problems.of_rejected(found)
        return {"status": problem.status, "problem": problems.members(problem)}
    status = 201 if found.transfer.has_ended else 202
    return {"status": status, "transfer": await _members(bank, caller, found)}
