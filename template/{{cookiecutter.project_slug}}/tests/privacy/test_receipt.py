"""A receipt is verified by anybody, altered by nobody, and names no one."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)
from jwt.api_jws import PyJWS

from ourbank.privacy.receipt import (
    Receipt,
    ReceiptError,
    ReceiptSigner,
    key_digest,
    new_signing_key,
    verify_receipt,
)

PEM = new_signing_key()
SIGNER = ReceiptSigner(PEM)
RECEIPT = Receipt("ers_1", datetime(2026, 11, 23, 12, 0, tzinfo=UTC), key_digest("k"), ("log",))


def _decoded(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def test_what_was_signed_is_what_is_verified() -> None:
    assert verify_receipt(SIGNER.sign(RECEIPT), SIGNER.public_pem) == RECEIPT


def test_it_verifies_with_nothing_of_ours() -> None:
    """As RFC 7515 has it: the signature is over `header.payload`."""
    header, payload, signature = SIGNER.sign(RECEIPT).split(".")
    key = load_pem_public_key(SIGNER.public_pem)
    key.verify(_decoded(signature), f"{header}.{payload}".encode())  # type: ignore[union-attr, call-arg]
    assert json.loads(_decoded(header))["alg"] == "EdDSA"
    assert json.loads(_decoded(payload))["erasure_id"] == "ers_1"


def test_the_public_key_is_named_by_its_thumbprint_and_so_is_the_receipt() -> None:
    """RFC 7638: SHA-256 over the required members, in order, without blanks."""
    jwk = SIGNER.public_jwk
    members = f'{{"crv":"{jwk["crv"]}","kty":"{jwk["kty"]}","x":"{jwk["x"]}"}}'
    digest = urlsafe_b64encode(sha256(members.encode()).digest()).rstrip(b"=").decode()
    header = json.loads(_decoded(SIGNER.sign(RECEIPT).split(".")[0]))
    assert jwk["kid"] == header["kid"] == digest


def test_the_key_of_rfc_8037_has_the_thumbprint_of_rfc_8037() -> None:
    """Appendix A.1 and A.3: the RFC's own key pair."""
    private = _decoded("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")
    pem = Ed25519PrivateKey.from_private_bytes(private).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    jwk = ReceiptSigner(pem).public_jwk
    assert jwk["x"] == "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    assert jwk["kid"] == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_the_same_receipt_is_signed_the_same_way() -> None:
    assert SIGNER.sign(RECEIPT) == ReceiptSigner(PEM).sign(RECEIPT)


def test_it_is_refused_when_altered() -> None:
    header, payload, signature = SIGNER.sign(RECEIPT).split(".")
    other = ReceiptSigner(PEM).sign(Receipt("ers_2", RECEIPT.erased_at, None, ())).split(".")
    for forged in (f"{header}.{other[1]}.{signature}", f"{header}.{payload}.{other[2]}"):
        with pytest.raises(ReceiptError, match="InvalidSignatureError"):
            verify_receipt(forged, SIGNER.public_pem)


def test_it_is_refused_when_somebody_else_signed_it() -> None:
    with pytest.raises(ReceiptError):
        verify_receipt(ReceiptSigner(new_signing_key()).sign(RECEIPT), SIGNER.public_pem)


def test_it_is_refused_unsigned() -> None:
    unsigned = PyJWS().encode(b"{}", "", "none", {"typ": "erasure-receipt"})
    hashed = PyJWS().encode(b"{}", SIGNER.public_pem.hex(), "HS256", {"typ": "erasure-receipt"})
    for forged in (unsigned, hashed, "", "a.b.c", "....."):
        with pytest.raises(ReceiptError):
            verify_receipt(forged, SIGNER.public_pem)


def test_another_thing_that_the_bank_signed_is_no_receipt() -> None:
    key = SIGNER._key  # noqa: SLF001 (to sign something else with it)
    token = PyJWS().encode(b"{}", key, "EdDSA", {"typ": "JWT"})
    with pytest.raises(ReceiptError, match="not as a receipt"):
        verify_receipt(token, SIGNER.public_pem)
    empty = PyJWS().encode(b"{}", key, "EdDSA", {"typ": "erasure-receipt"})
    with pytest.raises(ReceiptError):
        verify_receipt(empty, SIGNER.public_pem)


def test_another_kind_of_key_is_refused() -> None:
    other = generate_private_key(SECP256R1())
    private = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = other.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(TypeError, match="Ed25519"):
        ReceiptSigner(private)
    with pytest.raises(TypeError, match="Ed25519"):
        verify_receipt(SIGNER.sign(RECEIPT), public)
