"""The reference bank over HTTP."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.routing import Route

from bank_conformance.bank.routes import ROUTES

from . import on_accounts, on_audit, on_customers, on_questions, on_transfers
from .bank import Bank


def application(bank: Bank) -> Starlette:
    """Return the application that serves `bank`."""
    files = (on_customers, on_accounts, on_transfers, on_questions, on_audit)
    endpoints = [endpoint for file in files for endpoint in file.ENDPOINTS]
    routes = [
        Route(ROUTES[endpoint.name].path, endpoint.__call__, methods=[ROUTES[endpoint.name].method])
        for endpoint in endpoints
    ]
    # The batch must come before the transfer whose id it looks like.
    routes.sort(key=lambda route: "{" in route.path)
    health = [Route(ROUTES[name].path, on_customers.healthy) for name in ("live", "ready")]
    keys = Route(ROUTES["getSigningKeys"].path, on_audit.signing_keys)
    app = Starlette(routes=[*routes, *health, keys])
    app.state.bank = bank
    return app
