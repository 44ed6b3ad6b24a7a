"""Before a run: is this a bank, does it let us in, and what does it offer?

Everything that would make a run worthless is found here, in seconds, and said in one line. A server
that claims to have done what it did not is no invalid run: it fails everything.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass

from .bank.session import Session
from .bank.shapes import Account, Customer, RefusedError, Shape, ShapeError, read
from .history import Operation
from .target import Capabilities
from .tokens import ANONYMOUS, TokenError
from .workloads.rest import FEED_SECONDS_MAX
from .workloads.stage import Stage

UNAUTHORIZED, NOT_FOUND = 401, 404
KNOCK_SECONDS_MAX = 5


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
    await _knock(stage)
    account_id, customer_id = await _open_account(stage)
    feed_from, notes = await _end_of_feed(stage)
    found = await _capabilities(stage, account_id, customer_id, feed=feed_from is not None)
    return Offer(found, feed_from, notes)


async def _knock(stage: Stage) -> None:
    """Ask for an account that cannot exist: is anybody there, and does it serve?"""
    stranger, url = stage.session("stranger", ANONYMOUS), stage.target.base_url
    try:
        async with asyncio.timeout(KNOCK_SECONDS_MAX):
            operation = await stranger.account(f"acc_{secrets.token_hex(16)}")
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
        raise LiarError(str(error), operation) from None


async def _end_of_feed(stage: Stage) -> tuple[str | None, tuple[str, ...]]:
    """Read the feed up to now, so that the run sees only what it caused."""
    if stage.target.capabilities.feed is False:
        return None, ("the feed is switched off in the target file",)
    try:
        _, end = await stage.staff.events(None, seconds=FEED_SECONDS_MAX)
    except (RefusedError, ShapeError) as error:
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
    given = {name: getattr(told, name) for name in asked if getattr(told, name) is not None}
    return type(told)(feed=feed, **(asked | given))


async def _offers(session: Session, route: str, path: dict[str, str]) -> bool:
    """Say whether a route exists: an empty request to it is refused for another reason."""
    operation = await session.call(route, path, body=None if route == "getErasure" else {})
    return operation.answer is not None and operation.status not in {NOT_FOUND, 405, 501}
