"""Before a run: is this a bank, does it let us in, and what does it offer?

Everything that would make a run worthless is found here, in seconds, and said in one line. A server
that claims to have done what it did not is no invalid run: it fails everything.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from .bank.routes import ROUTES
from .bank.session import Session
from .bank.shapes import Account, Customer, Entry, EntryPage, RefusedError, Shape, ShapeError, read
from .history import Operation, now
from .mapping import NotOfferedError
from .mapping.file import Lack
from .target import Capabilities
from .tokens import ANONYMOUS, TokenError
from .workloads.optional import PAST
from .workloads.rest import FEED_SECONDS_MAX, LOOK_SECONDS
from .workloads.stage import Stage

UNAUTHORIZED, NOT_FOUND = 401, 404
KNOCK_SECONDS_MAX = 5
GIVEN = get_args(Lack)
"""What is there without asking, unless the target's mapping says that it is not."""

Query = Mapping[str, Any]


class InvalidRunError(Exception):
    """Nothing can be decided about this target; the text says why and what to do."""


class LiarError(Exception):
    """The target claims to have done what it did not; the operation shows it."""

    def __init__(self, text: str, operation: Operation) -> None:
        super().__init__(text)
        self.operation = operation


@dataclass(frozen=True, slots=True)
class Offer:
    """What the target offers, and where its feed ended before the run."""

    capabilities: Capabilities
    feed_from: str | None
    notes: tuple[str, ...] = ()


async def preflight(stage: Stage) -> Offer:
    """Knock, make a token, open one account, and ask for each capability.

    Raises:
        InvalidRunError: the target does not answer, has no token for us, or is no bank.
        LiarError: the target says yes to everything.
    """
    await knock(stage)
    account_id, customer_id = await _open_account(stage)
    if stage.target.adapter.translates:
        await _try_mapping(stage, account_id)
    feed_from, notes = await end_of_feed(stage)
    found = await _capabilities(stage, account_id, customer_id, feed=feed_from is not None)
    return Offer(found, feed_from, notes)


async def knock(stage: Stage) -> None:
    """Ask for an account that cannot exist: is anybody there, and does it serve?

    Raises:
        InvalidRunError: nobody is, or it does not.
    """
    stranger, url = stage.session("stranger", ANONYMOUS), stage.target.base_url
    nobodys = stage.target.adapter.unknown_account or f"acc_{secrets.token_hex(16)}"
    try:
        async with asyncio.timeout(KNOCK_SECONDS_MAX):
            operation = await stranger.account(nobodys)
    except TimeoutError:
        text = f"{url} does not answer within {KNOCK_SECONDS_MAX} s: is this the bank's port?"
        raise InvalidRunError(text) from None
    if operation.answer is None:
        raise InvalidRunError(f"{url} does not answer ({operation.error}): is the bank running?")
    if operation.status >= 500:  # noqa: PLR2004
        raise InvalidRunError(
            f"{url} answers {operation.status} to a plain read: it does not serve"
        )


async def _open_account(stage: Stage) -> tuple[str, str]:
    try:
        registered = await stage.staff.register(stage.personal())
        customer = _created(registered, stage, Customer)
        account = _created(await stage.staff.open(customer.customer_id), stage, Account)
    except TokenError as error:
        raise InvalidRunError(str(error)) from None
    return account.account_id, customer.customer_id


def _created(operation: Operation, stage: Stage, shape: type[Shape]) -> Shape:
    if operation.status in {UNAUTHORIZED, 403}:
        token = "the token of the token command (subject and scope as given)"  # noqa: S105
        raise InvalidRunError(f"the bank refuses {token}: {operation}")
    if not operation.ok:
        raise InvalidRunError(f"{stage.target.base_url} is no bank of the contract: {operation}")
    try:
        return read(operation, shape)
    except ShapeError as error:
        if stage.target.adapter.translates:
            raise InvalidRunError(f"the mapping does not fit this bank: {error}") from None
        raise LiarError(str(error), operation) from None


async def _try_mapping(stage: Stage, account_id: str) -> None:
    """Book one entry and read it: what does not fit is the mapping's fault, not yet the bank's."""
    _created(await stage.staff.account(account_id), stage, Account)
    _created(await stage.staff.post(account_id, "CASH_DEPOSIT", 1), stage, Entry)
    page = await _first_page(stage, account_id)
    if len(page.items) != 1:
        text = f"{len(page.items)} entries in a history with one"
        raise InvalidRunError(f"the mapping does not fit this bank: {text}")


async def _first_page(stage: Stage, account_id: str) -> EntryPage:
    """Read a history until it shows something, at most as long as a read model may take."""
    deadline = now() + stage.limits.settle_seconds * stage.limits.time_scale
    while True:
        page = _created(await stage.staff.entry_page(account_id), stage, EntryPage)
        if page.items or now() > deadline:
            return page
        await stage.wait(LOOK_SECONDS)


async def end_of_feed(stage: Stage) -> tuple[str | None, tuple[str, ...]]:
    """Return where the feed ends now, so that a run sees only what it caused; None and why where
    there is none.
    """
    if stage.target.capabilities.feed is False:
        return None, ("the feed is switched off in the target file",)
    try:
        _, end = await stage.staff.events(None, seconds=FEED_SECONDS_MAX)
    except (RefusedError, ShapeError, NotOfferedError) as error:
        return None, (f"no event feed: {error}",)
    if end is None:
        return None, (f"the feed did not end within {FEED_SECONDS_MAX:.0f} s: decided without it",)
    return end, ()


async def _capabilities(
    stage: Stage, account_id: str, customer_id: str, *, feed: bool
) -> Capabilities:
    told = stage.target.capabilities
    staff = stage.staff
    if told.feed and not feed:
        raise InvalidRunError("the target file promises a feed, but /v1/events gives none")
    asked = {
        "holds": await _offers(staff, "placeHold", {"account_id": account_id}),
        "freezes": await _offers(staff, "freezeAccount", {"account_id": account_id}),
        "batches": await _offers(staff, "requestTransfers", {}),
        "erasure": await _offers(staff, "getErasure", {"customer_id": customer_id}),
    }
    questions = optional(account_id, customer_id).items()
    asked |= {name: await _offers(staff, *ask) for name, ask in questions}
    asked |= {name: name not in stage.target.adapter.lacks for name in GIVEN}
    given = {name: getattr(told, name) for name in asked if getattr(told, name) is not None}
    return type(told)(feed=feed, **(asked | given))


def optional(account_id: str, customer_id: str) -> dict[str, tuple[str, dict[str, str], Query]]:
    """Return a harmless question for each capability of the contract: route, path and query."""
    account, day = {"account_id": account_id}, {"date": PAST["date"], "basis": "BOOKING"}
    period = {"from": PAST["from"], "to": PAST["to"]}
    return {
        "temporal": ("getBalance", account, {}),
        "snapshots": ("listBalances", {}, {"account_id": [account_id]}),
        "statements": ("getStatement", account, period),
        "reports": ("getDailyReport", {}, day),
        "fraud": ("listFraudRules", {}, {}),
        "receipts": ("getSigningKeys", {}, {}),
        "proofs": ("getCheckpoint", {}, {"partition": 0}),
        "legal_holds": ("getLegalHold", {"customer_id": customer_id}, {}),
    }


async def _offers(
    session: Session, route: str, path: dict[str, str], query: Query | None = None
) -> bool:
    """Say whether a route exists: an empty request to it is refused for another reason."""
    body: dict[str, Any] | None = {} if ROUTES[route].writes else None
    try:
        operation = await session.call(route, path, query=query, body=body)
    except NotOfferedError:
        return False
    return operation.answer is not None and operation.status not in {NOT_FOUND, 405, 501}
