"""The routes of questions about the past, of reports, and of fraud."""

from __future__ import annotations

from datetime import UTC, datetime

from starlette.responses import JSONResponse, Response

from bank_conformance.bank.routes import Scope

from .asks import Ask, Endpoint
from .on_accounts import PAGING
from .problems import RefusalError

ACCOUNTS_MAX = 100


def needed(ask: Ask, name: str) -> str:
    """Return a query parameter that must be given, or refuse (400)."""
    value = ask.request.query_params.get(name)
    if value is None:
        raise RefusalError(400, "missing-parameter", name)
    return value


async def get_balance(ask: Ask) -> Response:
    """Return a balance under both clocks."""
    account = ask.account(Scope.ACCOUNTS_READ)
    as_of, known_at = (ask.request.query_params.get(name) for name in ("as_of", "known_at"))
    moment = datetime.fromisoformat(known_at) if known_at else None
    view = {
        "account_id": account.account_id,
        "currency": account.currency,
        "as_of": as_of,
        "known_at": known_at,
        "booked_minor": ask.bank.balances.of(account.account_id, as_of, moment),
    }
    return JSONResponse(view)


async def get_statement(ask: Ask) -> Response:
    """Return the statement of a closed period."""
    account = ask.account(Scope.ACCOUNTS_READ)
    start, end = needed(ask, "from"), needed(ask, "to")
    period = (datetime.fromisoformat(start), datetime.fromisoformat(end))
    if period[0] >= period[1]:
        raise RefusalError(400, "invalid-parameter", "from is not before to")
    head = {"account_id": account.account_id, "currency": account.currency}
    told = ask.bank.statements.of(account.account_id, *period)
    return JSONResponse(head | {"from": start, "to": end} | told)


async def list_balances(ask: Ask) -> Response:
    """Return the balances of several accounts at one instant."""
    ask.require_staff()
    needed(ask, "account_id")
    wanted = ask.request.query_params.getlist("account_id")
    if len(wanted) > ACCOUNTS_MAX:
        raise RefusalError(400, "invalid-parameter", f"account_id: more than {ACCOUNTS_MAX}")
    try:
        accounts = [ask.bank.accounts.find(one) for one in wanted]
    except RefusalError as refusal:
        raise RefusalError(422, "account-not-found") from refusal
    balances = await ask.bank.snapshots.take(accounts)
    items = [
        {"account_id": account.account_id, "currency": account.currency, "booked_minor": booked}
        for account, booked in zip(accounts, balances, strict=True)
    ]
    return JSONResponse({"items": items, "as_of": datetime.now(UTC).isoformat()})


async def get_daily_report(ask: Ask) -> Response:
    """Return the report of a day."""
    ask.require_staff()
    day, basis = needed(ask, "date"), needed(ask, "basis")
    currencies = ask.bank.reports.daily(day, basis)
    return JSONResponse({"date": day, "basis": basis, "currencies": currencies})


async def list_fraud_rules(ask: Ask) -> Response:
    """Return the rules in force."""
    ask.require_staff()
    return JSONResponse({"items": ask.bank.fraud.rules()})


async def list_fraud_alerts(ask: Ask) -> Response:
    """List the alerts of an account."""
    ask.require_staff()
    account = ask.bank.accounts.find(needed(ask, "account_id"))
    return ask.page(ask.bank.fraud.alerts(account.account_id), "alert_id")


ENDPOINTS = (
    Endpoint("getBalance", get_balance, frozenset({"as_of", "known_at"})),
    Endpoint("getStatement", get_statement, frozenset({"from", "to"})),
    Endpoint("listBalances", list_balances, frozenset({"account_id"})),
    Endpoint("getDailyReport", get_daily_report, frozenset({"date", "basis"})),
    Endpoint("listFraudRules", list_fraud_rules),
    Endpoint("listFraudAlerts", list_fraud_alerts, PAGING | {"account_id"}),
)
