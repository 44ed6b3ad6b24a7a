"""/v1/accounts: opening, reading, and what changes an account without moving money."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from ..application.bank import Bank
from ..application.request import Request as Asked
from ..domain import account as domain
from ..domain import lifecycle
from ..domain.account import Account
from . import cursors, views
from .bodies import AccountId, AccountOpening, CreditLine, CustomerId, Dormancy, Freeze
from .call import Call
from .exchange import Command, Seen, TheBank, WaitSeconds, answer, as_seen, page
from .problems import ProblemError
from .route import Route
from .security import OPERATE, Caller, Principal, require, require_own

router = APIRouter(prefix="/v1/accounts", tags=["accounts"], route_class=Route)

PathId = Annotated[AccountId, Path()]
Limit = Annotated[int, Query(ge=1, le=1000)]
Cursor = Annotated[str | None, Query(max_length=1024)]
READ = "accounts:read"


async def own_account(bank: Bank, caller: Principal, account_id: str, scope: str) -> Account:
    """The account, if the caller may use it under this scope; ProblemError 403 or 404."""
    if not caller.is_staff:
        require(caller, scope)
    account = await bank.parties.account(account_id)
    if account is None:
        raise ProblemError(404, "account-not-found", "there is no such account")
    require_own(caller, account.customer_id, scope, "account-not-found")
    return account


@router.post("", status_code=201)
async def open_account(
    bank: TheBank, caller: Caller, asked: Command, body: AccountOpening
) -> Response:
    """Open an account for a customer."""
    require(caller, OPERATE)
    result = await bank.accounts.open(
        body.customer_id, body.currency, body.credit_line_minor, asked
    )
    opened = result.events[0]
    state = domain.evolve(None, opened.event)
    return answer(
        bank,
        views.account(state, result.version, state.last_booking_time),
        201,
        at=views.position(opened),
        version=result.version,
        location=f"/v1/accounts/{state.account_id}",
        replayed=result.replayed,
    )


@router.get("")
async def list_accounts(
    bank: TheBank,
    caller: Caller,
    call: Call,
    seen: Seen,
    wait: WaitSeconds,
    customer_id: CustomerId | None = None,
    account_id: AccountId | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """Accounts, from the read model: one's own, or for staff anybody's."""
    if not caller.is_staff:
        require(caller, READ)
        if customer_id not in (None, caller.subject):
            raise ProblemError(404, "customer-not-found", "there is no such customer")
        customer_id = caller.subject
    after = cursors.decode("a", cursor) or ""
    read = partial(bank.queries.accounts, customer_id, account_id, after, limit)
    found = await as_seen(bank, "accounts", seen, wait, read)
    items = [views.account_row(row) for row in found.rows]
    return page(call, items, cursors.encode("a", found.next), seen)


@router.get("/{account_id}")
async def get_account(bank: TheBank, caller: Caller, account_id: PathId) -> Response:
    """The account and its balances, strongly consistent."""
    await own_account(bank, caller, account_id, READ)
    version, state = await bank.accounts.get(account_id)
    members = views.account(state, version, bank.now())
    return answer(bank, members, at={}, version=version)


@router.post("/{account_id}/freeze", status_code=204)
async def freeze(
    bank: TheBank, caller: Caller, asked: Command, account_id: PathId, body: Freeze
) -> Response:
    """Block debits, credits or both."""
    return await _change(
        bank, caller, account_id, lambda now: lifecycle.FreezeAccount(body.scope, now), asked
    )


@router.post("/{account_id}/unfreeze", status_code=204)
async def unfreeze(bank: TheBank, caller: Caller, asked: Command, account_id: PathId) -> Response:
    """Lift a freeze, whole."""
    return await _change(bank, caller, account_id, lifecycle.UnfreezeAccount, asked)


@router.put("/{account_id}/dormancy", status_code=204)
async def set_dormancy(
    bank: TheBank, caller: Caller, asked: Command, account_id: PathId, body: Dormancy
) -> Response:
    """Mark the account dormant, or reactivate it."""
    command = lifecycle.MarkAccountDormant if body.dormant else lifecycle.ReactivateAccount
    return await _change(bank, caller, account_id, command, asked)


@router.put("/{account_id}/credit-line", status_code=204)
async def set_credit_line(
    bank: TheBank, caller: Caller, asked: Command, account_id: PathId, body: CreditLine
) -> Response:
    """Set how far below zero the account may go."""
    return await _change(
        bank,
        caller,
        account_id,
        lambda now: lifecycle.SetCreditLine(body.credit_line_minor, now),
        asked,
    )


@router.post("/{account_id}/close", status_code=204)
async def close(bank: TheBank, caller: Caller, asked: Command, account_id: PathId) -> Response:
    """Close the account; its balance must be zero and nothing held."""
    return await _change(bank, caller, account_id, lifecycle.CloseAccount, asked)


async def _change(
    bank: Bank,
    caller: Principal,
    account_id: str,
    command: Callable[[datetime], domain.Command],
    asked: Asked,
) -> Response:
    require(caller, OPERATE)
    await own_account(bank, caller, account_id, OPERATE)
    result = await bank.accounts.change(account_id, command, asked)
    at = {bank.engine.partition_of(account_id): result.position}
    return answer(bank, None, 204, at=at, version=result.version, replayed=result.replayed)
