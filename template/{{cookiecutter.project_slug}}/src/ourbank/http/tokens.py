"""Bearer tokens: JWTs signed by the bank's issuer (RFC 7519).

They are checked against one public key with the one algorithm that belongs to that key: what the
token's own header says is not asked.
"""

import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

OPERATE = "bank:operate"
CACHED_MAX = 10_000
CACHED_SECONDS = 60.0
TOKEN_BYTES_MAX = 8_192
LEEWAY_SECONDS = 5


class BadTokenError(Exception):
    """Not a token of this bank, or not any more; the text says which."""


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller: a customer's id or the name of staff or a service, and the scopes granted."""

    subject: str
    scopes: frozenset[str]

    @property
    def is_staff(self) -> bool:
        """May act for every customer."""
        return OPERATE in self.scopes


def _algorithm(key: PublicKeyTypes) -> str:
    match key:
        case ed25519.Ed25519PublicKey():
            return "EdDSA"
        case ec.EllipticCurvePublicKey():
            return "ES256"
        case rsa.RSAPublicKey():
            return "RS256"
    raise ValueError("tokens are signed with Ed25519, P-256 or RSA")


class Tokens:
    """Verifies tokens; what was found good is remembered for a minute at most."""

    def __init__(self, public_pem: bytes, issuer: str, audience: str) -> None:
        self._key = load_pem_public_key(public_pem)
        self._algorithm = _algorithm(self._key)
        self._issuer = issuer
        self._audience = audience
        self._verified: OrderedDict[str, tuple[float, Principal]] = OrderedDict()

    def principal(self, token: str) -> Principal:
        """Whose token it is; BadTokenError."""
        now = time.time()
        cached = self._verified.get(token)
        if cached is not None and cached[0] > now:
            return cached[1]
        claims = self._claims(token)
        scopes = claims.get("scope", "")
        if not isinstance(scopes, str):
            raise BadTokenError("the token's scope is not text")
        principal = Principal(str(claims["sub"]), frozenset(scopes.split()))
        self._verified[token] = (min(now + CACHED_SECONDS, float(claims["exp"])), principal)
        while len(self._verified) > CACHED_MAX:
            self._verified.popitem(last=False)
        return principal

    def _claims(self, token: str) -> dict[str, Any]:
        if len(token) > TOKEN_BYTES_MAX:
            raise BadTokenError("the token is too long")
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._key,  # type: ignore[arg-type]
                algorithms=[self._algorithm],
                issuer=self._issuer,
                audience=self._audience,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "sub"]},
            )
        except jwt.ExpiredSignatureError:
            raise BadTokenError("the token has expired") from None
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            raise BadTokenError("the token is not a good one") from None
        return claims


def issue(
    private_pem: bytes, subject: str, scope: str, seconds: int, issuer: str, audience: str
) -> str:
    """A token, for operating and testing; in production the identity provider issues them."""
    key = load_pem_private_key(private_pem, password=None)
    now = datetime.now(UTC)
    claims = {
        "iss": issuer,
        "aud": audience,
        "sub": subject,
        "scope": scope,
        "iat": now,
        "exp": now + timedelta(seconds=seconds),
    }
    return jwt.encode(claims, key, _algorithm(key.public_key()))  # type: ignore[arg-type]
