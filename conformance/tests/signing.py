"""A signer for tests: JWS of every kind, the wrong ones too."""

from __future__ import annotations

import base64
import json
from typing import Any

from bank_conformance.reference.signing import Signer

SIGNER, STRANGER = Signer("a secret of tests"), Signer("another secret")
JWKS = json.dumps({"keys": [SIGNER.jwk()]})
AT = "2026-11-23T12:00:00Z"
RECEIPT: dict[str, Any] = {
    "erasure_id": "7f",
    "erased_at": AT,
    "key_digest": "0" * 64,
    "purged": ["entries"],
}


def said(size: int, root: bytes, partition: int = 0, log: str = "a log") -> dict[str, Any]:
    text = base64.b64encode(root).decode()
    return {"log": log, "partition": partition, "size": size, "root": text, "signed_at": AT}


def raw(header: dict[str, Any], payload: bytes, signer: Signer = SIGNER) -> str:
    """Return a JWS with any header."""
    signed = f"{encoded(json.dumps(header).encode())}.{encoded(payload)}"
    return f"{signed}.{encoded(signer.key.sign(signed.encode()))}"


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
