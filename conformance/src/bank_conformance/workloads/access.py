"""Everyone who must not, tries everything: a matrix of principals and routes.

A victim has personal data, an account, a hold and a transfer. Callers without a valid token,
another customer with every customer scope, and the victim with a token that lacks the scope, call
each route on what is the victim's. The victim calls the same routes as the positive control, and
the victim's things are read before and after by staff: nothing may have moved.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bank_conformance.bank.routes import CUSTOMER_SCOPES, ROUTES, Route, Scope
from bank_conformance.bank.shapes import Customer, Hold, Transfer, read
from bank_conformance.history import History, Operation, now
from bank_conformance.tokens import ANONYMOUS, Principal

from .erasure import make_personal
from .optional import requests
from .rest import Scan, scan, settle
from .stage import Stage, expiring_of

FUNDS_MINOR = 10_000
SHORT_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Ask:
    """A call on something of the victim's, by whatever path leads to it."""

    route: str
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, Any] | None = None
    body: Any = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """An ask by somebody who must be refused, or, as a control, by the victim."""

    who: Principal
    operation: Operation
    authenticated: bool


@dataclass(slots=True)
class Access:
    """The whole matrix, and the victim's things before and after."""

    history: History
    secrets: Mapping[str, str]
    """What no refusal may show: the victim's personal data."""
    ids: tuple[str, ...]
    """What no list of somebody else may name: the victim first, then what is theirs."""
    before: Scan
    after: Scan | None = None
    attempts: list[Attempt] = field(default_factory=list)
    controls: list[Operation] = field(default_factory=list)
    expiry_tried: bool = False
    share: float = 1.0
    """How much of what is asked can be put to this bank."""
    scopes: bool = True
    """Whether its tokens have scopes."""


@dataclass(frozen=True, slots=True)
class _Victim:
    customer: str
    account: str
    hold: str | None
    transfer: str
    intruder: str
    intruder_account: str


async def access(stage: Stage) -> Access:
    """Try everything as everybody, in an order in which the worst comes last."""
    personal = make_personal()
    victim = await _set_up(stage, personal)
    for who in _limited(stage, victim):
        stage.client.tokens.ask(who)
    await settle(stage)
    accounts = [victim.account, victim.intruder_account]
    ids = (victim.customer, victim.account, victim.transfer)
    record = Access(stage.history, personal, ids, await scan(stage, accounts))
    every = [*_optional_asks(stage, victim), *_asks(victim, stage.target.currency)]
    asks, record.share = askable(stage, every)
    record.controls = await _control(stage, victim, asks)
    people = [*_strangers(), await _forger(stage, victim), *_limited(stage, victim)]
    for number, who in enumerate(people):
        stage.progress(number, len(people) + 1)
        await try_all(stage, record, who, asks)
    if expired := await expired_staff(stage):
        await try_all(stage, record, expired, asks)
        record.expiry_tried = True
    record.after = await scan(stage, accounts)
    return record


async def _set_up(stage: Stage, personal: Mapping[str, str]) -> _Victim:
    victim = read(await stage.staff.register(personal), Customer).customer_id
    intruder, third = await stage.customer(), await stage.customer()
    account = await stage.account(victim, funds=FUNDS_MINOR)
    intruder_account = await stage.account(intruder, funds=FUNDS_MINOR)
    other_account = await stage.account(third)
    hold_id = None
    if stage.capabilities.holds:
        hold_id = read(await stage.staff.hold(account, 70), Hold).hold_id
    sent = read(await stage.staff.transfer(account, other_account, 30, "private"), Transfer)
    return _Victim(victim, account, hold_id, sent.transfer_id, intruder, intruder_account)


def _asks(victim: _Victim, currency: str) -> Iterator[Ask]:
    """Every route of the contract but health, on the victim's things; the harmful ones last."""
    customer, account = {"customer_id": victim.customer}, {"account_id": victim.account}
    transfer = {"transfer_id": victim.transfer}
    money = {"amount_minor": 1, "currency": currency}
    order = {"source_account_id": victim.account, "target_account_id": victim.intruder_account}
    yield Ask("getCustomer", customer)
    yield Ask("listAccounts")
    yield Ask("listAccounts", query=customer)
    yield Ask("listAccounts", query=account)
    yield Ask("getAccount", account)
    yield Ask("listEntries", account)
    yield Ask("listTransfers", query=account)
    yield Ask("getTransfer", transfer)
    yield from _hold_asks(victim, account, money)
    yield Ask("requestTransfer", body=order | money)
    yield Ask("requestTransfers", body={"transfers": [order | money]})
    yield Ask("cancelTransfer", transfer)
    yield Ask("readEvents", query={"limit": 1})
    yield Ask("getErasure", customer)
    yield Ask("registerCustomer", body={"personal": {"name": "N. N.", "email": "n@example.com"}})
    yield Ask("openAccount", body={**customer, "currency": currency})
    yield Ask("postEntry", account, body=money | {"code": "CASH_DEPOSIT"})
    yield Ask("setCreditLine", account, body={"credit_line_minor": 1_000})
    yield Ask("freezeAccount", account, body={"scope": "CREDIT"})
    yield Ask("unfreezeAccount", account)
    yield Ask("setDormancy", account, body={"dormant": True})
    yield Ask("reverseTransfer", transfer)
    yield Ask("closeAccount", account)
    yield Ask("erasePersonalData", customer)


def _optional_asks(stage: Stage, victim: _Victim) -> list[Ask]:
    given = {"customer_id": victim.customer, "account_id": victim.account}
    return [Ask(*parts) for parts in requests(stage, given)]


def _hold_asks(victim: _Victim, account: dict[str, str], money: dict[str, Any]) -> Iterator[Ask]:
    yield Ask("placeHold", account, body=money)
    if victim.hold is None:
        return
    hold = {"hold_id": victim.hold}
    yield Ask("getHold", account | hold)
    # The hold by the way of an account that is the intruder's own.
    yield Ask("getHold", {"account_id": victim.intruder_account} | hold)
    yield Ask("captureHold", account | hold, body=money)
    yield Ask("releaseHold", account | hold)


def _strangers() -> list[Principal]:
    """Return callers without a token that anybody signed."""
    return [
        ANONYMOUS,
        Principal("garbage token", header="Bearer garbage"),
        Principal("basic credentials", header="Basic c3RhZmY6c3RhZmY="),
        Principal("token without a scheme", header="garbage"),
    ]


async def _forger(stage: Stage, victim: _Victim) -> Principal:
    """Return the intruder with a token whose subject was changed to the victim, not signed
    again.
    """
    token = await stage.client.tokens.of(_customer("intruder", victim.intruder))
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004  not a JWT: any change will do
        return Principal("forged token", header=f"Bearer {token[:-4]}AAAA")
    padded = parts[1] + "=" * (-len(parts[1]) % 4)
    claims = json.loads(base64.urlsafe_b64decode(padded)) | {"sub": victim.customer}
    changed = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return Principal("forged subject", header=f"Bearer {parts[0]}.{changed}.{parts[2]}")


def _limited(stage: Stage, victim: _Victim) -> list[Principal]:
    """Return callers with valid tokens that do not reach so far."""
    staff = stage.target.staff_subject
    limited = [
        Principal("victim, customers:read only", victim.customer, Scope.CUSTOMERS_READ),
        Principal("victim, accounts:read only", victim.customer, Scope.ACCOUNTS_READ),
        Principal("staff, bank:operate only", staff, Scope.OPERATE),
    ]
    whole = [_customer("victim", victim.customer), _customer("intruder", victim.intruder)]
    return limited + whole if stage.capabilities.scopes else whole


def askable(stage: Stage, every: Sequence[Ask]) -> tuple[list[Ask], float]:
    """Return what this bank can be asked, and how much of everything that is."""
    asks = [ask for ask in every if stage.client.can_ask(ask.route, ask.path, ask.query, ask.body)]
    return asks, len(asks) / len(every)


def _customer(label: str, customer_id: str) -> Principal:
    return Principal(label, customer_id, CUSTOMER_SCOPES)


async def expired_staff(stage: Stage) -> Principal | None:
    """Wait until the token that was made to expire did; None where none can be made."""
    if not stage.target.mints_short_tokens:
        return None
    who, tokens = expiring_of(stage.target), stage.client.tokens
    await tokens.of(who)
    ready = tokens.made_at[who] + who.seconds + stage.limits.expiry_leeway_seconds
    await asyncio.sleep(max(0.0, ready - now()))
    return who


async def _control(stage: Stage, victim: _Victim, asks: list[Ask]) -> list[Operation]:
    """Let the victim read what is theirs: a refusal means little where everyone is refused."""
    session = stage.session("victim", _customer("victim", victim.customer))
    readable = [ask for ask in asks if _is_own_read(ask, victim)]
    return [await session.call(ask.route, ask.path, query=ask.query) for ask in readable]


def _is_own_read(ask: Ask, victim: _Victim) -> bool:
    route = ROUTES[ask.route]
    own = ask.path.get("account_id") != victim.intruder_account
    return route.owner is not None and not route.writes and own


async def try_all(stage: Stage, record: Access, who: Principal, asks: Sequence[Ask]) -> None:
    """Let `who` ask for everything that they must not have."""
    session = stage.session(who.label, who)
    authenticated = who.header is None and who.seconds > SHORT_SECONDS
    for ask in asks:
        owns = who.subject == record.ids[0]
        if authenticated and _allowed(who, ROUTES[ask.route], owns=owns):
            continue
        operation = await session.call(ask.route, ask.path, query=ask.query, body=ask.body)
        record.attempts.append(Attempt(who, operation, authenticated))


def _allowed(who: Principal, route: Route, *, owns: bool) -> bool:
    """Say whether the contract lets `who` call this: as staff, or as the owner with the scope."""
    scopes = who.scope.split()
    return route.staff in scopes or (owns and route.owner in scopes)
