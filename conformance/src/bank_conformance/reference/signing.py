"""The key that signs checkpoints and receipts. It is never stored with what it signs."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PURPOSE = b"the signing key of the reference bank\0"


class Signer:
    """Signs with an Ed25519 key that follows from the bank's secret."""

    def __init__(self, secret: str) -> None:
        seed = sha256(PURPOSE + secret.encode()).digest()
        self.key = Ed25519PrivateKey.from_private_bytes(seed)

    def sign(self, typ: str, said: Mapping[str, Any]) -> str:
        """Return a compact JWS."""
        header = {"alg": "EdDSA", "typ": typ, "kid": self.jwk()["kid"]}
        signed = f"{_part(header)}.{_part(said)}"
        return f"{signed}.{_text(self.key.sign(signed.encode()))}"

    def jwk(self) -> dict[str, str]:
        """Return the public key, named by its thumbprint (RFC 7638)."""
        raw = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        jwk = {"crv": "Ed25519", "kty": "OKP", "x": _text(raw)}
        return jwk | {"kid": _text(sha256(msgspec.json.encode(jwk)).digest())}


def _part(members: Mapping[str, Any]) -> str:
    return _text(msgspec.json.encode(members))


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
