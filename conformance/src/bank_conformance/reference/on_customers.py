"""The routes of customers and their erasure, of the feed, and of health."""

from __future__ import annotations

from datetime import date

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bank_conformance.bank.routes import Scope

from .asks import Ask, Endpoint, found
from .bank import Customer
from .bodies import LegalHoldSetting, Registration
from .log import PARTITIONS
from .problems import RefusalError

FEED_LIMIT = 1000


async def register(ask: Ask) -> Response:
    """Register a customer; the answer, which is kept under the key, holds nothing personal."""
    ask.require_staff()
    personal = ask.body(Registration).personal
    given = {name: getattr(personal, name) for name in personal.__struct_fields__}
    customer = ask.bank.register({name: str(value) for name, value in given.items() if value})
    view = ask.bank.customer_view(customer)
    view.pop("personal")
    return found(view, 201)


async def get_customer(ask: Ask) -> Response:
    """Return a customer."""
    customer_id = ask.path("customer_id")
    ask.bank.doors.require_access(ask.caller, Scope.CUSTOMERS_READ, customer_id)
    return found(ask.bank.customer_view(ask.bank.customer(customer_id)))


async def erase(ask: Ask) -> Response:
    """Erase a customer's personal data."""
    ask.bank.doors.require(ask.caller, Scope.ERASE)
    customer = ask.bank.customer(ask.path("customer_id"))
    ask.bank.erasures.ask(customer)
    return _erasure(ask, customer)


async def get_erasure(ask: Ask) -> Response:
    """Return where the erasure stands."""
    ask.bank.doors.require(ask.caller, Scope.ERASE)
    return _erasure(ask, ask.bank.customer(ask.path("customer_id")))


def _erasure(ask: Ask, customer: Customer) -> Response:
    until = ask.bank.erasures.held_until(customer)
    waits = "ON_LEGAL_HOLD" if until else "REQUESTED"
    state = "ERASED" if customer.erased_at else waits if customer.erasing else "NONE"
    held = until if state == "ON_LEGAL_HOLD" else None
    view = {"customer_id": customer.customer_id, "state": state, "until": held}
    receipt = ask.bank.receipts.issue(customer)
    return JSONResponse(view | {"erased_at": customer.erased_at, "receipt": receipt})


async def set_legal_hold(ask: Ask) -> Response:
    """Forbid the erasure until a day."""
    return _held(ask, ask.body(LegalHoldSetting).until)


async def lift_legal_hold(ask: Ask) -> Response:
    """Lift what forbids the erasure."""
    return _held(ask, None)


def _held(ask: Ask, until: date | None) -> Response:
    ask.bank.doors.require(ask.caller, Scope.ERASE)
    customer = ask.bank.customer(ask.path("customer_id"))
    ask.bank.erasures.hold(customer, until)
    return _legal_hold(ask, customer)


async def get_legal_hold(ask: Ask) -> Response:
    """Return the hold that stands."""
    ask.bank.doors.require(ask.caller, Scope.ERASE)
    return _legal_hold(ask, ask.bank.customer(ask.path("customer_id")))


def _legal_hold(ask: Ask, customer: Customer) -> Response:
    until = ask.bank.erasures.held_until(customer)
    return JSONResponse({"customer_id": customer.customer_id, "until": until})


async def read_events(ask: Ask) -> Response:
    """Return a page of the feed. A token is the positions reached, one for each partition."""
    ask.bank.doors.require(ask.caller, Scope.EVENTS_READ)
    token = ask.request.query_params.get("after") or ".".join(["0"] * PARTITIONS)
    parts = token.split(".")
    limit = ask.request.query_params.get("limit", "100")
    if len(parts) != PARTITIONS or not all(part.isdigit() for part in [*parts, limit]):
        raise RefusalError(400, "invalid-token")
    after = [int(part) for part in parts]
    events, reached = ask.bank.log.read(after, min(int(limit), FEED_LIMIT))
    following = ".".join(str(position) for position in reached)
    return JSONResponse({"items": [event.view() for event in events], "next": following})


async def healthy(_request: Request) -> Response:
    """Say that the bank serves."""
    return JSONResponse({"status": "ok"})


ENDPOINTS = (
    Endpoint("registerCustomer", register),
    Endpoint("getCustomer", get_customer),
    Endpoint("erasePersonalData", erase),
    Endpoint("getErasure", get_erasure),
    Endpoint("setLegalHold", set_legal_hold),
    Endpoint("liftLegalHold", lift_legal_hold),
    Endpoint("getLegalHold", get_legal_hold),
    Endpoint("readEvents", read_events, frozenset({"after", "limit"})),
)
