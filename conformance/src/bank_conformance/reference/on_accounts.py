"""The routes of accounts, their entries and their holds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from starlette.responses import Response

from bank_conformance.bank.routes import Scope

from .accounts import Account, Hold, Posting
from .asks import Ask, Endpoint, done, found
from .bank import account_view, hold_view
from .bodies import Capture, CreditLine, Dormancy, EntryPosting, Freeze, HoldPlacing, Opening
from .log import Event
from .problems import RefusalError

PAGING = frozenset({"limit", "cursor"})


async def open_account(ask: Ask) -> Response:
    """Open an account for a customer."""
    ask.require_staff()
    body = ask.body(Opening)
    ask.bank.require_known(body.customer_id)
    account = ask.bank.accounts.open(body.customer_id, body.currency, body.credit_line_minor)
    return found(account_view(account), 201)


async def list_accounts(ask: Ask) -> Response:
    """List accounts: one's own, or any for staff."""
    wanted = {name: ask.request.query_params.get(name) for name in ("customer_id", "account_id")}
    if not ask.caller.staff:
        ask.bank.doors.require(ask.caller, Scope.ACCOUNTS_READ)
    views = [
        account_view(account)
        for account in ask.bank.accounts.by_id.values()
        if ask.caller.staff or account.customer_id == ask.caller.subject
    ]
    for name, value in wanted.items():
        views = [view for view in views if value in {None, view[name]}]
    return ask.page(sorted(views, key=lambda view: str(view["account_id"])), "account_id")


async def get_account(ask: Ask) -> Response:
    """Return an account."""
    return found(account_view(ask.account(Scope.ACCOUNTS_READ)))


async def freeze_account(ask: Ask) -> Response:
    """Block debits, credits or both."""
    account = ask.account()
    ask.bank.accounts.set_scope(account, ask.body(Freeze).scope)
    return done(account)


async def unfreeze_account(ask: Ask) -> Response:
    """Lift a freeze."""
    account = ask.account()
    ask.bank.accounts.set_scope(account, None)
    return done(account)


async def set_dormancy(ask: Ask) -> Response:
    """Mark as dormant, or reactivate."""
    account = ask.account()
    ask.bank.accounts.set_dormant(account, dormant=ask.body(Dormancy).dormant)
    return done(account)


async def set_credit_line(ask: Ask) -> Response:
    """Set the credit line."""
    account = ask.account()
    ask.bank.accounts.set_credit_line(account, ask.body(CreditLine).credit_line_minor)
    return done(account)


async def close_account(ask: Ask) -> Response:
    """Close an empty account."""
    account = ask.account()
    ask.bank.accounts.close(account)
    return done(account)


async def post_entry(ask: Ask) -> Response:
    """Book an entry."""
    account = ask.account()
    ask.bank.require_known(account.customer_id)
    body = ask.body(EntryPosting)
    other = body.other_party
    posting = Posting(
        body.code,
        body.amount_minor,
        str(body.value_date) if body.value_date else None,
        body.narrative,
        counterparty=other.account if other else None,
        counterparty_bank=other.bank if other else None,
    )
    event = await ask.bank.accounts.post(account, posting, body.currency)
    return found(entry_view(ask, account, event), 201)


def entry_view(ask: Ask, account: Account, event: Event) -> dict[str, Any]:
    """Return the entry that was just booked; its narrative is not kept with the answer."""
    row = ask.bank.histories.rows[account.account_id][-1]
    view = ask.bank.histories.view(row, account.customer_id)
    return view | {"narrative": None, "version": event.version}


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


_FILTERS: dict[str, Callable[[dict[str, Any], str], bool]] = {
    "booked_from": lambda entry, value: _at(entry["booking_time"]) >= _at(value),
    "booked_to": lambda entry, value: _at(entry["booking_time"]) < _at(value),
    "value_from": lambda entry, value: entry["value_date"] >= value,
    "value_to": lambda entry, value: entry["value_date"] < value,
    "code": lambda entry, value: entry["code"] == value,
    "direction": lambda entry, value: entry["direction"] == value,
    "min_amount_minor": lambda entry, value: entry["amount_minor"] >= int(value),
    "max_amount_minor": lambda entry, value: entry["amount_minor"] <= int(value),
    "counterparty": lambda entry, value: entry["counterparty"] == value,
    "transfer_id": lambda entry, value: entry["transfer_id"] == value,
    "text": lambda entry, value: value.lower() in (entry["narrative"] or "").lower(),
}


async def list_entries(ask: Ask) -> Response:
    """List an account's history."""
    account = ask.account(Scope.ACCOUNTS_READ)
    await ask.caught_up()
    entries = ask.bank.histories.of(account.account_id)
    for name, matches in _FILTERS.items():
        value = ask.request.query_params.get(name)
        entries = [e for e in entries if value is None or matches(e, value)]
    if ask.request.query_params.get("order") == "desc":
        entries.reverse()
    return ask.page(entries, "sequence")


def _hold(ask: Ask, account: Account) -> Hold:
    hold_id = ask.path("hold_id")
    if hold_id not in account.holds:
        raise RefusalError(404, "hold-not-found", version=account.version)
    return account.holds[hold_id]


async def place_hold(ask: Ask) -> Response:
    """Set an amount aside."""
    account = ask.account(Scope.TRANSFERS_WRITE)
    ask.bank.require_known(account.customer_id)
    body = ask.body(HoldPlacing)
    hold = await ask.bank.accounts.place(
        account, body.amount_minor, body.currency, body.expires_in_seconds
    )
    return found(hold_view(account, hold), 201)


async def get_hold(ask: Ask) -> Response:
    """Return a hold."""
    account = ask.account(Scope.ACCOUNTS_READ)
    return found(hold_view(account, _hold(ask, account)))


async def capture_hold(ask: Ask) -> Response:
    """Debit the account against a hold."""
    account = ask.account()
    body = ask.body(Capture)
    event = ask.bank.accounts.capture(
        account, _hold(ask, account), body.amount_minor, final=body.final
    )
    return found(entry_view(ask, account, event), 201)


async def release_hold(ask: Ask) -> Response:
    """Give back what is held."""
    account = ask.account()
    ask.bank.accounts.release(account, _hold(ask, account))
    return done(account)


ENDPOINTS = (
    Endpoint("openAccount", open_account),
    Endpoint("listAccounts", list_accounts, PAGING | {"customer_id", "account_id"}),
    Endpoint("getAccount", get_account),
    Endpoint("freezeAccount", freeze_account),
    Endpoint("unfreezeAccount", unfreeze_account),
    Endpoint("setDormancy", set_dormancy),
    Endpoint("setCreditLine", set_credit_line),
    Endpoint("closeAccount", close_account),
    Endpoint("postEntry", post_entry),
    Endpoint("listEntries", list_entries, PAGING | {"order", *_FILTERS}),
    Endpoint("placeHold", place_hold),
    Endpoint("getHold", get_hold),
    Endpoint("captureHold", capture_hold),
    Endpoint("releaseHold", release_hold),
)
