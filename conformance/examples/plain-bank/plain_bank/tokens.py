"""Tokens: who calls, and whether as a customer or as a teller."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import jwt

ALGORITHM = "HS256"
ROLES = ("customer", "teller")


class BadTokenError(Exception):
    """The token is none of ours, or has expired."""


@dataclass(frozen=True)
class Caller:
    """Who calls: a customer by id, or a teller."""

    subject: str
    role: str

    @property
    def is_teller(self) -> bool:
        """Whether the caller may see and do everything."""
        return self.role == "teller"


def issue(subject: str, role: str, lifetime: timedelta) -> str:
    """Return a token."""
    claims = {"sub": subject, "role": role, "exp": datetime.now(UTC) + lifetime}
    return jwt.encode(claims, _secret(), ALGORITHM)


def verify(token: str) -> Caller:
    """Return who a token was issued to.

    Raises:
        BadTokenError: it was not issued here, or has expired.
    """
    try:
        claims = jwt.decode(token, _secret(), [ALGORITHM], options={"require": ["exp", "sub"]})
    except jwt.InvalidTokenError:
        raise BadTokenError from None
    if claims.get("role") not in ROLES:
        raise BadTokenError
    return Caller(claims["sub"], claims["role"])


def _secret() -> str:
    return os.environ["BANK_SECRET"]
