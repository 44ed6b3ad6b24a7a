"""Compact JWS (RFC 7515) signed with Ed25519 (RFC 8037), and the JWK set that verifies them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from .encoding import VerificationError, url_safe

PARTS, PUBLIC_BYTES = 3, 32
MALFORMED = (msgspec.MsgspecError, ValueError, RecursionError)
"""What bytes can be that are no JSON of the shape."""

Keys = Mapping[str, Ed25519PublicKey]
"""Public keys by their id."""


class Signed(NamedTuple):
    """The payload that somebody signed, and with which key."""

    payload: bytes
    kid: str


class _Jwk(msgspec.Struct):
    kty: str
    kid: str = ""
    crv: str = ""
    x: str = ""
    d: str | None = None


class _JwkSet(msgspec.Struct):
    keys: list[_Jwk]


class _Header(msgspec.Struct, forbid_unknown_fields=True):
    alg: Literal["EdDSA"]
    typ: str
    kid: str


def read_keys(jwks: bytes | str) -> dict[str, Ed25519PublicKey]:
    """Return the Ed25519 keys of a JWK set (RFC 7517); keys of other kinds are passed over.

    Raises:
        VerificationError: it is no JWK set, has no such key, two of one id, or a private one.
    """
    try:
        found = msgspec.json.decode(jwks, type=_JwkSet)
    except MALFORMED as error:
        raise VerificationError(f"not a JWK set: {error}") from None
    ours = [key for key in found.keys if (key.kty, key.crv) == ("OKP", "Ed25519")]
    if any(key.d is not None for key in found.keys):
        raise VerificationError("the JWK set holds a private key")
    keys = {key.kid: _public(key.x) for key in ours}
    if not keys or len(keys) != len(ours) or "" in keys:
        raise VerificationError("the JWK set must have Ed25519 keys, each with a kid of its own")
    return keys


def _public(x: str) -> Ed25519PublicKey:
    raw = url_safe(x)
    if len(raw) != PUBLIC_BYTES:
        raise VerificationError("the x of an Ed25519 key must be 32 bytes")
    return Ed25519PublicKey.from_public_bytes(raw)


def read_jws(jws: str, typ: str, keys: Keys) -> Signed:
    """Return what one of `keys` signed, as a thing of type `typ`.

    Raises:
        VerificationError: it did not.
    """
    parts = jws.split(".")
    if len(parts) != PARTS:
        raise VerificationError("not a compact JWS: it must have three parts")
    header = _header(url_safe(parts[0]))
    if header.typ != typ:
        raise VerificationError(f"its typ is {header.typ!r}, expected {typ!r}")
    if header.kid not in keys:
        raise VerificationError("it is signed with a key that is not in the JWK set")
    payload, signature = url_safe(parts[1]), url_safe(parts[2])
    try:
        keys[header.kid].verify(signature, ".".join(parts[:2]).encode())
    except InvalidSignature:
        raise VerificationError("its signature is not of the key that it names") from None
    return Signed(payload, header.kid)


def _header(text: bytes) -> _Header:
    try:
        return msgspec.json.decode(text, type=_Header)
    except MALFORMED as error:
        raise VerificationError(f"its header is no EdDSA header: {error}") from None


def payload_of(signed: Signed, shape: type[Any]) -> Any:
    """Return a payload as `shape`.

    Raises:
        VerificationError: it has another one.
    """
    try:
        return msgspec.json.decode(signed.payload, type=shape)
    except MALFORMED as error:
        raise VerificationError(f"signed, but no {shape.__name__}: {error}") from None
