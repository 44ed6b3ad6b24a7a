"""The application: routers, error handlers, and nothing else."""

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import Response

from ..application.bank import Bank
from ..application.consistency import token
from ..application.legal_holds import ErasureUnderWayError
from ..application.request import RejectedError
from ..eventsourcing.log import LogUnavailableError
from ..eventsourcing.partition import ClosedError, OverloadedError
from ..observability.metrics import HttpMetrics
from ..privacy.vault import SubjectErasedError, VaultUnavailableError
from . import accounts, customers, entries, events, health, holds, problems, transfers, well_known
from .middleware import Guard
from .problems import ProblemError
from .tokens import Tokens

ROUTERS = (customers, accounts, entries, holds, transfers, events, well_known, health)

logger = logging.getLogger("http")


def create_app(bank: Bank, tokens: Tokens, metrics: HttpMetrics) -> FastAPI:
    """The API of a bank."""
    app = FastAPI(title="Bank", version="1.0", redoc_url=None, openapi_url="/openapi.json")
    app.state.bank = bank
    app.state.tokens = tokens
    for module in ROUTERS:
        app.include_router(module.router)
    app.add_exception_handler(ProblemError, _problem)  # type: ignore[arg-type]
    app.add_exception_handler(RejectedError, _rejected)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, _invalid)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, _http)  # type: ignore[arg-type]
    for error in (LogUnavailableError, VaultUnavailableError, OverloadedError, ClosedError):
        app.add_exception_handler(error, _unavailable)
    app.add_exception_handler(ErasureUnderWayError, _unavailable)
    app.add_exception_handler(SubjectErasedError, _erased)
    app.add_exception_handler(Exception, _fault)
    app.add_middleware(Guard, metrics=metrics)
    return app


def _respond(request: Request, problem: ProblemError) -> Response:
    bank: Bank = request.app.state.bank
    problem.headers["Consistency-Token"] = token(bank.log.incarnation, problem.positions)
    return problems.response(problem, request.scope.get("trace_id", ""))


async def _problem(request: Request, error: ProblemError) -> Response:
    return _respond(request, error)


async def _rejected(request: Request, error: RejectedError) -> Response:
    return _respond(request, problems.of_rejected(error))


async def _invalid(request: Request, error: RequestValidationError) -> Response:
    """What does not fit the contract; an id in the path that cannot be one is simply unknown."""
    mistakes: list[dict[str, Any]] = list(error.errors())
    if any(mistake["loc"][0] == "path" for mistake in mistakes):
        return _respond(request, ProblemError(404, "not-found", "there is nothing of this id"))
    errors = [
        {"pointer": "/".join(str(part) for part in mistake["loc"])[:80], "detail": mistake["msg"]}
        for mistake in mistakes[:20]
    ]
    problem = ProblemError(
        400, "invalid-request", "the request does not fit the contract", errors=errors
    )
    return _respond(request, problem)


async def _http(request: Request, error: HTTPException) -> Response:
    """What the framework refuses by itself; a problem that it caught on its way goes through."""
    if isinstance(error.__cause__, ProblemError):
        return _respond(request, error.__cause__)
    codes = {404: "not-found", 405: "method-not-allowed"}
    code = codes.get(error.status_code, "invalid-request")
    headers = dict(error.headers or {})
    if "Allow" in headers and (methods := _methods(request.scope.get("route"))):
        headers["Allow"] = ", ".join(methods)
    return _respond(request, ProblemError(error.status_code, code, headers=headers))


def _methods(asked: Any) -> list[str]:
    """What may be done at the path of this route: the framework names only its own method."""
    routes = [route for module in ROUTERS for route in module.router.routes]
    there = [r for r in routes if isinstance(r, APIRoute) and r.path == getattr(asked, "path", "")]
    return sorted(method for route in there for method in route.methods or ())


async def _unavailable(request: Request, error: Exception) -> Response:
    """Nothing is known to have happened; a retry with the same key is safe."""
    logger.warning("unavailable: %s", type(error).__name__)
    headers = {"Retry-After": "1"}
    detail = "try again in a moment, with the same Idempotency-Key"
    return _respond(request, ProblemError(503, "unavailable", detail, headers=headers))


async def _erased(request: Request, error: Exception) -> Response:
    del error
    detail = "the personal data of the customer was erased"
    return _respond(request, ProblemError(422, "customer-erased", detail))


async def _fault(request: Request, error: Exception) -> Response:
    """A defect: say nothing of it outside, and no values inside."""
    logger.error("fault: %s, trace %s", type(error).__name__, request.scope.get("trace_id"))
    return _respond(request, ProblemError(500, "fault", "this is the bank's mistake"))
