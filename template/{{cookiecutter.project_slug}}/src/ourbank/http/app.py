"""The application: routers, error handlers, and nothing else."""

import logging

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from ..application.bank import Bank
from ..observability.metrics import HttpMetrics
from . import accounts, customers, entries, events, health, holds, transfers, well_known
from .middleware import Guard
from .problems import ProblemError
from .refusals import respond
from .route import Route
from .switch import Switch
from .tokens import Tokens

ROUTERS = (customers, accounts, entries, holds, transfers, events, well_known, health)

logger = logging.getLogger("http")


def create_app(bank: Bank, tokens: Tokens, metrics: HttpMetrics) -> FastAPI:
    """The API of a bank."""
    app = FastAPI(title="Bank", version="1.0", redoc_url=None, redirect_slashes=False)
    app.state.bank = bank
    app.state.tokens = tokens
    for module in ROUTERS:
        app.include_router(module.router)
    app.add_exception_handler(HTTPException, _http)  # type: ignore[arg-type]
    app.add_exception_handler(Exception, _fault)
    app.add_middleware(Switch, routes=_routes())
    app.add_middleware(Guard, metrics=metrics)
    return app


def _routes() -> list[Route]:
    every = [route for module in ROUTERS for route in module.router.routes]
    return [route for route in every if isinstance(route, Route)]


async def _http(request: Request, error: HTTPException) -> Response:
    """What the framework refuses by itself: there is nothing of ours at this path."""
    codes = {404: "not-found", 405: "method-not-allowed"}
    code = codes.get(error.status_code, "invalid-request")
    return respond(request, ProblemError(error.status_code, code, headers=error.headers))


async def _fault(request: Request, error: Exception) -> Response:
    """A defect: say nothing of it outside, and no values inside."""
    logger.error("fault: %s, trace %s", type(error).__name__, request.scope.get("trace_id"))
    return respond(request, ProblemError(500, "fault", "this is the bank's mistake"))
