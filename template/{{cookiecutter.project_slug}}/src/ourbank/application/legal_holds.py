"""Legal holds: they forbid an erasure, and an erasure under way forbids them.

Both are told in two places: the hold in the log, the erasure in the vault. Whoever sets a hold
records it and then looks at the vault; whoever erases notes that in the vault and then looks at the
holds. So one of the two sees the other, whatever the order, and a hold that was confirmed is kept.
"""

from datetime import date

from ..domain.customer import CustomerStatus
from ..domain.rejection import Rejection
from ..eventsourcing.command import Result
from ..privacy.erasure import Eraser, Erasure, ErasureState, hold_ends
from .customers import Customers, holds_of
from .request import RejectedError, Request

ERASED = Rejection("customer-erased", "the personal data of the customer was erased")


class ErasureUnderWayError(Exception):
    """Whether the hold came in time is not known yet; asked again, it will be."""


class LegalHolds:
    """Sets and lifts them, and has a waiting erasure look again."""

    def __init__(self, customers: Customers, eraser: Eraser) -> None:
        self._customers = customers
        self._eraser = eraser

    async def set(self, customer_id: str, until: date, asked: Request) -> Result:
        """Forbid the erasure until then; RejectedError, also when the data is gone already."""
        result = await self._customers.set_legal_hold(customer_id, until, asked)
        match (await self._look_again(customer_id)).state:
            case ErasureState.REQUESTED:
                raise ErasureUnderWayError
            case ErasureState.ERASED if await self._came_too_late(customer_id):
                raise RejectedError(ERASED)
        return result

    async def lift(self, customer_id: str, asked: Request) -> Result:
        """End the hold; an erasure that waited for nothing else is carried out."""
        result = await self._customers.lift_legal_hold(customer_id, asked)
        await self._look_again(customer_id)
        return result

    async def until(self, customer_id: str, today: date) -> date | None:
        """The end of the hold that stands."""
        customer = await self._customers.state(customer_id)
        if customer is None or customer.status is CustomerStatus.ERASED:
            return None
        return hold_ends(today, holds_of(customer))

    async def _look_again(self, customer_id: str) -> Erasure:
        """Where the erasure stands, after one that waits has asked what it waits for."""
        erasure = await self._eraser.status(customer_id)
        if erasure.state is ErasureState.ON_LEGAL_HOLD:
            return await self._eraser.erase(customer_id)
        return erasure

    async def _came_too_late(self, customer_id: str) -> bool:
        """Whether the data went although a hold was recorded; not so if it ended before."""
        customer = await self._customers.state(customer_id)
        if customer is None or customer.erased_at is None:
            return False
        return hold_ends(customer.erased_at.date(), holds_of(customer)) is not None
