"""The receipt of an erasure: signed, verifiable by anybody with the public key, naming no one.

A compact JWS (RFC 7515) signed with Ed25519 (RFC 8037), so that any JOSE library verifies it
without the bank. It says that the key with a certain digest was destroyed, when, and what was
purged. Key ids are random and stand in the open in every sealed text: who holds such a text can
check that this receipt is about it, and nobody can get from the receipt to a person.
"""

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Protocol

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from jwt import PyJWTError
from jwt.api_jws import PyJWS

ALGORITHM = "EdDSA"
TYPE = "erasure-receipt"


class ReceiptError(Exception):
    """This is no receipt of the bank with this public key, or it was altered."""


class Receipt(msgspec.Struct, frozen=True):
    """What a receipt states; `key_digest` is None where the bank had no key to destroy any more."""

    erasure_id: str
    erased_at: datetime
    key_digest: str | None
    purged: tuple[str, ...]


class Signer(Protocol):
    """Signs receipts; what the erasure needs of the key."""

    def sign(self, receipt: Receipt) -> str:
        """The receipt as a compact JWS, the same for the same receipt."""
        ...


class ReceiptSigner:
    """Signs with an Ed25519 key in this process."""

    def __init__(self, private_pem: bytes) -> None:
        key = load_pem_private_key(private_pem, password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise TypeError("receipts are signed with an Ed25519 key")
        self._key = key

    @property
    def public_pem(self) -> bytes:
        """What verifies this signer's receipts; publish it."""
        return self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    @property
    def public_jwk(self) -> Mapping[str, str]:
        """The same as a JWK (RFC 8037), named as the receipts name it."""
        public = self._key.public_key()
        return _jwk(public) | {"kid": _thumbprint(public), "use": "sig", "alg": ALGORITHM}

    def sign(self, receipt: Receipt) -> str:
        """See Signer."""
        headers = {"typ": TYPE, "kid": _thumbprint(self._key.public_key())}
        return PyJWS().encode(msgspec.json.encode(receipt), self._key, ALGORITHM, headers)


def new_signing_key() -> bytes:
    """A new private key as PKCS #8 PEM, for a secret file."""
    return Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )


def verify_receipt(receipt: str, public_pem: bytes) -> Receipt:
    """What the receipt states; ReceiptError unless this key signed it."""
    key = load_pem_public_key(public_pem)
    if not isinstance(key, Ed25519PublicKey):
        raise TypeError("receipts are verified with an Ed25519 key")
    try:
        decoded = PyJWS().decode_complete(receipt, key, algorithms=[ALGORITHM])
        if decoded["header"].get("typ") == TYPE:
            return msgspec.json.decode(decoded["payload"], type=Receipt)
    except (PyJWTError, msgspec.MsgspecError, TypeError) as error:
        raise ReceiptError(f"not a receipt of this bank: {type(error).__name__}") from None
    raise ReceiptError("signed by this bank, but not as a receipt")


def key_digest(key_id: str) -> str:
    """What a receipt says of the key."""
    return sha256(key_id.encode()).hexdigest()


def _thumbprint(key: Ed25519PublicKey) -> str:
    """The name of the key (RFC 7638), to find it among several."""
    return _text(sha256(msgspec.json.encode(_jwk(key))).digest())


def _jwk(key: Ed25519PublicKey) -> dict[str, str]:
    """The members that make the key, in the order of their names."""
    raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {"crv": "Ed25519", "kty": "OKP", "x": _text(raw)}


def _text(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()
