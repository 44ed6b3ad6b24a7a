"""Who calls, and what they may: tokens, scopes and ownership."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import jwt
from starlette.requests import Request

from bank_conformance.bank.routes import Scope

from .problems import RefusalError

ALGORITHM, AUDIENCE = "HS256", "reference-bank"


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody with a valid token."""

    subject: str
    scopes: frozenset[str]

    @property
    def staff(self) -> bool:
        """Whether they may do everything that operating the bank needs."""
        return Scope.OPERATE in self.scopes


@dataclass(slots=True)
class Doors:
    """The checks on every call. The steps that a mutant breaks are methods of their own."""

    secret: str

    def caller(self, request: Request) -> Caller:
        """Return who calls, or refuse (401)."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        try:
            claims = self.claims(token if kind == "Bearer" else "")
        except jwt.InvalidTokenError:
            raise RefusalError(401, "unauthenticated") from None
        return Caller(str(claims["sub"]), frozenset(str(claims.get("scope", "")).split()))

    def claims(self, token: str) -> dict[str, Any]:
        """Return the claims of a token that this bank signed and that is still valid."""
        return jwt.decode(
            token,
            self.secret,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            options={"require": ["exp", "sub"]},
        )

    def require(self, caller: Caller, scope: str) -> None:
        """Refuse (403) without `scope`."""
        if scope not in caller.scopes:
            raise RefusalError(403, "insufficient-scope")

    def require_access(self, caller: Caller, scope: str, *owners: str) -> None:
        """Refuse (403) without `scope`, and (404) what is not the caller's; staff may all."""
        if caller.staff:
            return
        self.require(caller, scope)
        self.require_owner(caller, *owners)

    def require_owner(self, caller: Caller, *owners: str) -> None:
        """Refuse (404), as if it did not exist, what belongs to somebody else."""
        if caller.subject not in owners:
            raise RefusalError(404, "not-found")


def mint(secret: str, subject: str, scope: str, seconds: int) -> str:
    """Return a token of the reference bank."""
    expires = int(time.time()) + seconds
    claims = {"sub": subject, "scope": scope, "exp": expires, "aud": AUDIENCE}
    return jwt.encode(claims, secret, ALGORITHM)
