"""/v1/customers."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from ..application.bank import Bank
from ..application.customers import PersonalData
from ..application.request import RejectedError
from ..eventsourcing.command import Result
from ..privacy.vault import SubjectUnknownError
from . import problems, views
from .bodies import CustomerId, CustomerRegistration, LegalHoldSetting
from .exchange import Command, TheBank, answer
from .problems import ProblemError
from .route import Route
from .security import OPERATE, Caller, require, require_own

router = APIRouter(prefix="/v1/customers", tags=["customers"], route_class=Route)

PathId = Annotated[CustomerId, Path()]
READ = "customers:read"
ERASE = "privacy:erase"
HOLD_STATUS_BY_CODE = {"customer-not-found": 404, "customer-erased": 409}


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


@router.put("/{customer_id}/legal-hold")
async def set_legal_hold(
    bank: TheBank, caller: Caller, asked: Command, customer_id: PathId, body: LegalHoldSetting
) -> Response:
    """Forbid the erasure of the personal data until a date."""
    require(caller, ERASE)
    try:
        result = await bank.legal_holds.set(customer_id, body.until, asked)
    except RejectedError as error:
        raise _hold_refused(error) from None
    return _legal_hold(bank, customer_id, body.until, result)


@router.delete("/{customer_id}/legal-hold")
async def lift_legal_hold(
    bank: TheBank, caller: Caller, asked: Command, customer_id: PathId
) -> Response:
    """End the legal hold; an erasure that waited for it alone is carried out."""
    require(caller, ERASE)
    try:
        result = await bank.legal_holds.lift(customer_id, asked)
    except RejectedError as error:
        raise _hold_refused(error) from None
    return _legal_hold(bank, customer_id, None, result)


@router.get("/{customer_id}/legal-hold")
async def get_legal_hold(bank: TheBank, caller: Caller, customer_id: PathId) -> Response:
    """The legal hold that stands."""
    require(caller, ERASE)
    if await bank.customers.get(customer_id) is None:
        raise _unknown()
    until = await bank.legal_holds.until(customer_id, bank.now().date())
    return answer(bank, views.legal_hold(customer_id, until), at={})


def _legal_hold(bank: Bank, customer_id: str, until: date | None, result: Result) -> Response:
    at = views.position(result.events[-1]) if result.events else {}
    members = views.legal_hold(customer_id, until)
    return answer(bank, members, at=at, replayed=result.replayed)


def _hold_refused(error: RejectedError) -> ProblemError:
    """An id in the path, and a state: of a command for the customer both would be 422."""
    problem = problems.of_rejected(error)
    problem.status = HOLD_STATUS_BY_CODE.get(error.rejection.code, problem.status)
    return problem


def _unknown() -> ProblemError:
    return ProblemError(404, "customer-not-found", "there is no such customer")
