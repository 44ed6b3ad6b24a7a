"""/v1/accounts/{account_id}/holds."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import StringConstraints
from starlette.responses import Response

from ..application.bank import Bank
from ..readmodels.holds import HOLDS, HoldRow
from . import views
from .accounts import READ, PathId, own_account
from .bodies import Capture, HoldPlacing
from .entries import booked
from .exchange import Command, TheBank, answer, as_seen
from .problems import ProblemError
from .route import Route
from .security import OPERATE, Caller, require

router = APIRouter(prefix="/v1/accounts/{account_id}/holds", tags=["holds"], route_class=Route)

HoldId = Annotated[str, StringConstraints(pattern=r"^hld_[0-9a-f]{32}$"), Path()]
WRITE = "transfers:write"
CATCH_UP_SECONDS = 2.0


@router.post("", status_code=201)
async def place_hold(
    bank: TheBank, caller: Caller, asked: Command, account_id: PathId, body: HoldPlacing
) -> Response:
    """Set an amount aside; it counts against the available balance until it ends."""
    await own_account(bank, caller, account_id, WRITE)
    result = await bank.accounts.hold(
        account_id, body.amount_minor, body.currency, body.expires_in_seconds, asked
    )
    placed = result.events[0]
    row: HoldRow = HOLDS.evolve(None, placed, ())
    return answer(
        bank,
        views.hold(row),
        201,
        at=views.position(placed),
        version=result.version,
        location=f"/v1/accounts/{account_id}/holds/{row.hold_id}",
        replayed=result.replayed,
    )


@router.get("/{hold_id}")
async def get_hold(bank: TheBank, caller: Caller, account_id: PathId, hold_id: HoldId) -> Response:
    """The hold, strongly consistent: read when the read model has come as far as the log."""
    await own_account(bank, caller, account_id, READ)
    row = await _current(bank, account_id, hold_id)
    return answer(bank, views.hold(row), at={}, version=row.version)


@router.post("/{hold_id}/capture", status_code=201)
async def capture(
    bank: TheBank,
    caller: Caller,
    asked: Command,
    account_id: PathId,
    hold_id: HoldId,
    body: Capture,
) -> Response:
    """Debit the account against the hold, in whole or in part."""
    require(caller, OPERATE)
    await own_account(bank, caller, account_id, OPERATE)
    await _current(bank, account_id, hold_id)
    result = await bank.accounts.capture(
        account_id, hold_id, body.amount_minor, body.currency, asked, final=body.final
    )
    return await booked(bank, result)


@router.post("/{hold_id}/release", status_code=204)
async def release(
    bank: TheBank, caller: Caller, asked: Command, account_id: PathId, hold_id: HoldId
) -> Response:
    """Give back what is still held."""
    require(caller, OPERATE)
    await own_account(bank, caller, account_id, OPERATE)
    await _current(bank, account_id, hold_id)
    result = await bank.accounts.release(account_id, hold_id, asked)
    at = {bank.engine.partition_of(account_id): result.position}
    return answer(bank, None, 204, at=at, version=result.version, replayed=result.replayed)


async def _current(bank: Bank, account_id: str, hold_id: str) -> HoldRow:
    """The hold as of now; ProblemError 404 when the account has none of this id."""
    partition = bank.engine.partition_of(account_id)
    head = (await bank.log.heads())[partition]
    read = partial(bank.queries.hold, hold_id)
    row = await as_seen(bank, "holds", {partition: head}, CATCH_UP_SECONDS, read)
    if row is None or row.account_id != account_id:
        raise ProblemError(404, "hold-not-found", "the account has no such hold")
    return row
