"""/v1/accounts/{account_id}/entries: booking, and the history."""

from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response

from ..application.accounts import EntryOrder
from ..application.bank import Bank
from ..application.queries import EntryFilter
from ..domain.ledger import Direction, TransactionCode
from ..eventsourcing.command import Result
from ..readmodels.entries import ENTRIES, EntryRow
from . import cursors, views
from .accounts import READ, Cursor, Limit, PathId, own_account
from .bodies import AccountElsewhere, Day, EntryPosting, Moment, Narrative, TransferId
from .call import Call
from .exchange import Command, Seen, TheBank, WaitSeconds, answer, as_seen, page
from .route import Route
from .security import OPERATE, Caller, require

router = APIRouter(prefix="/v1/accounts/{account_id}/entries", tags=["entries"], route_class=Route)

Amount = Annotated[int | None, Query(ge=0, le=2**63 - 1)]


@router.post("", status_code=201)
async def post_entry(
    bank: TheBank, caller: Caller, asked: Command, account_id: PathId, body: EntryPosting
) -> Response:
    """Book a deposit, a withdrawal, a payment with another bank, interest or a fee."""
    require(caller, OPERATE)
    await own_account(bank, caller, account_id, OPERATE)
    order = EntryOrder(
        code=body.code,
        amount_minor=body.amount_minor,
        currency=body.currency,
        value_date=body.value_date,
        counterparty=body.other_party.account if body.other_party else None,
        counterparty_bank=body.other_party.bank if body.other_party else None,
        narrative=body.narrative,
    )
    return await booked(bank, await bank.accounts.post(account_id, order, asked))


async def booked(bank: Bank, result: Result) -> Response:
    """The answer to a command that booked an entry: the entry itself."""
    recorded = result.events[0]
    row: EntryRow = ENTRIES.evolve(None, recorded, ())
    await bank.queries.open_narratives(row.account_id, [row])
    return answer(
        bank,
        views.entry(row),
        201,
        at=views.position(result.events[-1]),
        version=result.version,
        replayed=result.replayed,
    )


@router.get("")
async def list_entries(
    bank: TheBank,
    caller: Caller,
    call: Call,
    account_id: PathId,
    seen: Seen,
    wait: WaitSeconds,
    booked_from: Annotated[Moment | None, Query()] = None,
    booked_to: Annotated[Moment | None, Query()] = None,
    value_from: Annotated[Day | None, Query()] = None,
    value_to: Annotated[Day | None, Query()] = None,
    code: TransactionCode | None = None,
    direction: Direction | None = None,
    min_amount_minor: Amount = None,
    max_amount_minor: Amount = None,
    counterparty: Annotated[AccountElsewhere | None, Query()] = None,
    transfer_id: TransferId | None = None,
    text: Annotated[Narrative | None, Query()] = None,
    order: Literal["asc", "desc"] = "asc",
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """The account's history, from the read model; all filters apply together."""
    await own_account(bank, caller, account_id, READ)
    wanted = EntryFilter(
        booked_from=booked_from,
        booked_to=booked_to,
        value_from=value_from,
        value_to=value_to,
        code=code,
        direction=direction,
        min_amount_minor=min_amount_minor,
        max_amount_minor=max_amount_minor,
        counterparty=counterparty,
        transfer_id=transfer_id,
    )
    kind = f"e{order[0]}"
    read = partial(
        bank.queries.entries,
        account_id,
        wanted,
        cursors.decode_number(kind, cursor),
        limit,
        text=text,
        descending=order == "desc",
    )
    partition = bank.engine.partition_of(account_id)
    found = await as_seen(bank, "entries", {partition: seen.get(partition, 0)}, wait, read)
    items = [views.entry(row) for row in found.rows]
    return page(call, items, cursors.encode(kind, found.next), seen)
