"""/v1/customers."""

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from ..application.customers import PersonalData
from ..privacy.vault import SubjectUnknownError
from . import views
from .bodies import CustomerId, CustomerRegistration
from .exchange import Command, StrictRoute, TheBank, answer
from .problems import ProblemError
from .security import OPERATE, Caller, require, require_own

router = APIRouter(prefix="/v1/customers", tags=["customers"], route_class=StrictRoute)

PathId = Annotated[CustomerId, Path()]
READ = "customers:read"
ERASE = "privacy:erase"


@router.post("", status_code=201)
async def register(
    bank: TheBank, caller: Caller, asked: Command, body: CustomerRegistration
) -> Response:
    """Register a customer; every personal field is sealed before it is stored."""
    require(caller, OPERATE)
    personal = body.personal.model_dump(mode="json")
    result = await bank.customers.register(PersonalData(**personal), asked)
    first = result.events[0]
    view = await bank.customers.get(first.stream_id)
    if view is None:
        raise _unknown()
    return answer(
        bank,
        views.customer(view),
        201,
        at=views.position(first),
        version=view.version,
        location=f"/v1/customers/{first.stream_id}",
        replayed=result.replayed,
    )


@router.get("/{customer_id}")
async def get(bank: TheBank, caller: Caller, customer_id: PathId) -> Response:
    """The customer, personal data in clear for those who may see it."""
    require_own(caller, customer_id, READ, "customer-not-found")
    view = await bank.customers.get(customer_id)
    if view is None:
        raise _unknown()
    return answer(bank, views.customer(view), at={}, version=view.version)


@router.post("/{customer_id}/erasure")
async def erase(bank: TheBank, caller: Caller, asked: Command, customer_id: PathId) -> Response:
    """Destroy the customer's data key and purge what was derived from it.

    The key of the request is not needed to make this idempotent: who was erased stays so.
    """
    del asked
    require(caller, ERASE)
    try:
        erasure = await bank.eraser.erase(customer_id)
    except SubjectUnknownError:
        raise _unknown() from None
    return answer(bank, views.erasure(erasure), at={})


@router.get("/{customer_id}/erasure")
async def erasure_status(bank: TheBank, caller: Caller, customer_id: PathId) -> Response:
    """Where the erasure stands."""
    require(caller, ERASE)
    if await bank.customers.get(customer_id) is None:
        raise _unknown()
    return answer(bank, views.erasure(await bank.eraser.status(customer_id)), at={})


def _unknown() -> ProblemError:
    return ProblemError(404, "customer-not-found", "there is no such customer")
