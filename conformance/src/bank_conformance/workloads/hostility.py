"""Requests that were spoilt in one place, on every route that takes a body, a query or an id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from bank_conformance.bank import hostile
from bank_conformance.bank.routes import ROUTES
from bank_conformance.bank.shapes import Hold, read
from bank_conformance.history import History, Operation

from .optional import PAST, offered
from .rest import Scan, scan, settle
from .stage import Stage, gather_bounded

FUNDS_MINOR, PARALLEL_MAX, KEY_CHARACTERS_MAX = 1_000_000, 6, 255
BODIES = (
    "registerCustomer",
    "openAccount",
    "freezeAccount",
    "setDormancy",
    "setCreditLine",
    "postEntry",
    "placeHold",
    "captureHold",
    "requestTransfer",
    "requestTransfers",
)
PATH_NAMES = ("customer_id", "account_id", "hold_id")
QUERIES = ("listAccounts", "listEntries", "listTransfers", "readEvents")
IDS = {
    "another form": "x",
    "another kind": "cus_00000000000000000000000000000000",
    "nobody's": "acc_00000000000000000000000000000000",
    "a NUL": "acc_%00",
    "a long one": "acc_" + "0" * 1_000,
}
HEADERS: dict[str, dict[str, str]] = {
    "If-Match without quotes": {"If-Match": "abc"},
    "If-Match of a negative version": {"If-Match": '"-1"'},
    "If-Match of a huge version": {"If-Match": '"' + "9" * 40 + '"'},
    "a key that is too long": {"Idempotency-Key": "k" * (KEY_CHARACTERS_MAX + 1)},
    "a key with a space": {"Idempotency-Key": "a key"},
    "an empty key": {"Idempotency-Key": ""},
}


@dataclass(frozen=True, slots=True)
class Hostile:
    """A spoilt request: what is wrong with it, and whether the contract forbids it."""

    what: str
    operation: Operation
    forbidden: bool


@dataclass(slots=True)
class Hostility:
    """Every spoilt request, and what they must not have touched."""

    history: History
    before: Scan
    after: Scan | None = None
    tried: list[Hostile] = field(default_factory=list)
    possible: int = 0
    """How many forbidden requests could be put to this bank."""
    others: int = 0
    """How many of those that often break something."""
    routes: int = 0
    """How many of the routes it has."""


@dataclass(frozen=True, slots=True)
class _Case:
    what: str
    route: str
    parts: Mapping[str, Any]
    valid: Mapping[str, Any]
    """The request before it was spoilt."""
    forbidden: bool = True


async def hostility(stage: Stage) -> Hostility:
    """Send every spoilt request: forbidden ones to watched accounts, the others to one beside."""
    customer = await stage.customer()
    accounts = await stage.accounts(customer, 4, funds=FUNDS_MINOR)
    hold_id = ""
    if stage.capabilities.holds:
        hold_id = read(await stage.staff.hold(accounts[0], 100), Hold).hold_id
    watched = accounts[:2]
    record = Hostility(stage.history, await scan(stage, watched))
    every = _cases(stage, customer, accounts, hold_id)
    cases = [case for case in every if stage.client.asks(case.route, case.parts, not_=case.valid)]
    record.possible = sum(case.forbidden for case in cases)
    record.others = len(cases) - record.possible
    record.routes = len({case.route for case in cases})
    places = ((number, len(cases)) for number in range(len(cases)))
    tries = [
        partial(_try, stage, record, case, place) for case, place in zip(cases, places, strict=True)
    ]
    await gather_bounded(tries, PARALLEL_MAX)
    await settle(stage)
    record.after = await scan(stage, watched)
    return record


async def _try(stage: Stage, record: Hostility, case: _Case, done: tuple[int, int]) -> None:
    stage.progress(*done)
    operation = await stage.session("hostile client").call(case.route, **case.parts)
    record.tried.append(Hostile(case.what, operation, case.forbidden))


def _cases(stage: Stage, customer: str, accounts: list[str], hold_id: str) -> Iterator[_Case]:
    given = {
        "customer_id": customer,
        "currency": stage.target.currency,
    }
    for route in _offered(stage):
        for forbidden, account, other in ((True, *accounts[:2]), (False, *accounts[2:])):
            ours = given | {"account_id": account, "hold_id": hold_id}
            ours |= {"source_account_id": account, "target_account_id": other}
            for case in _body_cases(route, ours):
                if case.forbidden == forbidden:
                    yield case
    path = {"customer_id": customer, "account_id": accounts[0]}
    for name, needed in _listed(stage, path):
        yield from _query_cases(name, path, needed)
    yield from _cases_beside_bodies(path, stage.target.currency)


def _listed(stage: Stage, path: Mapping[str, str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Return the routes that take a query, each with one that is good."""
    optional = [route.name for route in offered(stage) if route.method == "GET"]
    for name in (*QUERIES, *optional):
        yield name, hostile.good_query(name, {**PAST, **path})


def _query_cases(route: str, path: Mapping[str, str], needed: Mapping[str, Any]) -> Iterator[_Case]:
    valid: dict[str, Any] = {"path": path, "query": needed}
    for what, query, forbidden in hostile.queries(route):
        parts = {"path": path, "query": {**needed, **query}}
        yield _Case(f"{route}, query {what}", route, parts, valid, forbidden)


def _cases_beside_bodies(path: Mapping[str, str], currency: str) -> Iterator[_Case]:
    for what, bad in IDS.items():
        for route in ("getAccount", "listEntries", "closeAccount"):
            spoilt = {"path": {"account_id": bad}}
            yield _Case(f"{route}, an id: {what}", route, spoilt, {"path": path})
    body = {"code": "CASH_DEPOSIT", "amount_minor": 1, "currency": currency}
    for what, headers in HEADERS.items():
        valid = {"path": path, "body": body}
        yield _Case(f"postEntry, {what}", "postEntry", {**valid, "headers": headers}, valid)


def _offered(stage: Stage) -> list[str]:
    """Return the routes with bodies that the bank has."""
    offers = stage.capabilities
    left_out = {
        "freezeAccount": offers.freezes,
        "placeHold": offers.holds,
        "captureHold": offers.holds,
        "requestTransfers": offers.batches,
    }
    optional = [route.name for route in offered(stage) if hostile.body_schema(route.name)]
    return [*(route for route in BODIES if left_out.get(route) is not False), *optional]


def _body_cases(route: str, given: Mapping[str, Any]) -> Iterator[_Case]:
    schema = hostile.body_schema(route) or {}
    names = [one for one in PATH_NAMES if f"{{{one}}}" in ROUTES[route].path]
    valid = {"path": {name: given[name] for name in names}, "body": hostile.sample(schema, given)}
    for what, body, forbidden in hostile.places(schema, given):
        yield _Case(f"{route}, {what}", route, {**valid, "body": body}, valid, forbidden)
    for what, spoil in hostile.raw_bodies().items():
        yield _Case(f"{route}, a body with {what}", route, {**valid, "spoil": spoil}, valid)
