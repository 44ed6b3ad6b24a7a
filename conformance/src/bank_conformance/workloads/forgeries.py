"""Tokens that nobody should believe, each on a few routes that they would open if they were real.

They are made from a real token of staff: with an algorithm that signs nothing, with signatures of
other keys, with claims that were changed under the old signature. With them go real tokens that
have expired or whose scopes do not reach.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from bank_conformance.bank.routes import ROUTES, Scope
from bank_conformance.tokens import Principal

from .access import Access, Ask, askable, expired_staff, try_all
from .optional import requests
from .rest import scan, settle
from .stage import Stage, staff_of

FUNDS_MINOR, RSA_BITS = 10_000, 2048
NOTHING = ("none", "None", "NONE", "nOnE")
JWT_PARTS = 3


class Token(NamedTuple):
    """A token taken apart."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    signature: str


async def forgeries(stage: Stage) -> Access:
    """Try every false token on every route, between two looks at what they must not touch."""
    customer = await stage.customer()
    account, other = await stage.accounts(customer, 2, funds=FUNDS_MINOR)
    every = list(_asks(customer, account, other, stage.target.currency))
    optional = requests(stage, {"customer_id": customer, "account_id": account})
    every += [Ask(*parts) for parts in optional if ROUTES[parts[0]].method == "GET"]
    people = [*await _forgers(stage), *_limited(stage)]
    record = Access(stage.history, {}, (customer, account), await scan(stage, [account, other]))
    asks, record.share = askable(stage, every)
    record.scopes = bool(stage.capabilities.scopes)
    staff = stage.session("staff, as control")
    reads = [ask for ask in asks if ask.body is None]
    record.controls = [await staff.call(ask.route, ask.path, query=ask.query) for ask in reads]
    for number, who in enumerate(people):
        stage.progress(number, len(people) + 1)
        await try_all(stage, record, who, asks)
    if expired := await expired_staff(stage):
        await try_all(stage, record, expired, asks)
        record.expiry_tried = True
    await settle(stage)
    record.after = await scan(stage, [account, other])
    return record


def _asks(customer: str, account: str, other: str, currency: str) -> Iterator[Ask]:
    """Return reads and commands that staff may do."""
    path, money = {"account_id": account}, {"amount_minor": 1, "currency": currency}
    yield Ask("getAccount", path)
    yield Ask("listEntries", path)
    yield Ask("getCustomer", {"customer_id": customer})
    yield Ask("readEvents", query={"limit": 1})
    yield Ask("postEntry", path, body=money | {"code": "CASH_DEPOSIT"})
    order = {"source_account_id": account, "target_account_id": other}
    yield Ask("requestTransfer", body=order | money)
    yield Ask("setCreditLine", path, body={"credit_line_minor": 7})
    yield Ask("freezeAccount", path, body={"scope": "CREDIT"})


async def _forgers(stage: Stage) -> list[Principal]:
    real = apart(await stage.client.tokens.of(staff_of(stage.target)))
    if real is None:
        return []
    return [Principal(name, header=f"Bearer {token}") for name, token in forged(real)]


def _limited(stage: Stage) -> list[Principal]:
    """Return staff with real tokens of one scope each."""
    if not stage.capabilities.scopes:
        return []
    subject = stage.target.staff_subject
    scopes = (Scope.EVENTS_READ, Scope.ERASE, Scope.OPERATE)
    people = [Principal(f"staff, {scope} only", subject, scope) for scope in scopes]
    for who in people:
        stage.client.tokens.ask(who)
    return people


def forged(real: Token) -> Iterator[tuple[str, str]]:
    """Return false tokens made from a real one, each with its name."""
    for alg in NOTHING:
        yield f"alg {alg}, no signature", joined({**real.header, "alg": alg}, real.claims, "")
    unsigned = {**real.header, "alg": "none"}
    yield "alg none, old signature", joined(unsigned, real.claims, real.signature)
    yield "no signature", joined(real.header, real.claims, "")
    yield from _other_keys(real)
    changes: dict[str, dict[str, Any]] = {
        "another audience": {"aud": "another-bank"},
        "another issuer": {"iss": "https://issuer.example"},
        "a later expiry": {"exp": int(real.claims.get("exp", 0)) + 86_400},
        "more scopes": {"scope": " ".join(Scope)},
    }
    for name, change in changes.items():
        changed = {**real.claims, **change}
        yield f"{name}, old signature", joined(real.header, changed, real.signature)


def _other_keys(real: Token) -> Iterator[tuple[str, str]]:
    """Sign the same claims with keys that are not the bank's."""
    kid = {name: real.header[name] for name in ("kid",) if name in real.header}
    claims = dict(real.claims)
    for name, key in {"a random key": secrets.token_hex(32), "an easy key": "secret"}.items():
        for alg in ("HS256", "HS512"):
            yield f"{alg} with {name}", jwt.encode(claims, key.ljust(64, "0"), alg, headers=kid)
    private = rsa.generate_private_key(65_537, RSA_BITS)
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(private.public_key()))
    token = jwt.encode(claims, private, "RS256", headers=kid | {"jwk": public})
    yield "RS256 with its own key in it", token


def apart(token: str) -> Token | None:
    """Take a token apart; None for one that is no JWT."""
    parts = token.split(".")
    if len(parts) != JWT_PARTS:
        return None
    try:
        header, claims = (json.loads(_decoded(part)) for part in parts[:2])
    except ValueError:
        return None
    return Token(header, claims, parts[2])


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def joined(header: Mapping[str, Any], claims: Mapping[str, Any], signature: str) -> str:
    """Put a token together."""
    return ".".join([_encoded(header), _encoded(claims), signature])


def _encoded(part: Mapping[str, Any]) -> str:
    text = json.dumps(part, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()
