"""Sealing: personal text under its subject's data key, bound to the one place it belongs to.

AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce. The associated data names subject, key and
place, so a sealed text opens only with that subject's key, and only where it was put: swapped
between subjects, events or fields it stays shut. A key seals far fewer texts than the 2^32 up to
which random nonces are safe.

A sealed text is `s1.KEY_ID.DATA`: ASCII that needs no escaping in JSON; DATA is base64url of nonce,
ciphertext and tag. Nothing here logs, and no error says what was to be opened or with what.
"""

import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

Entropy = Callable[[int], bytes]
"""So many random bytes: `os.urandom`, except in simulations, which must replay."""

FORMAT = "s1"
KEY_BYTES = 32
KEY_ID_BYTES = 12
NONCE_BYTES = 12
TEXT_PADDED_TO = 16
DOCUMENT_PADDED_TO = 256


class UnsealError(Exception):
    """The sealed text does not open: another key, another place, or not as it was sealed."""


@dataclass(frozen=True, slots=True)
class DataKey:
    """The key of one subject; whoever holds it can read what was sealed for that subject.

    It keeps the bytes and not a ready cipher, which would save 0.9 µs a seal and cost 2.5 kB a key.
    """

    subject: str
    key_id: str
    material: bytes = field(repr=False)

    @classmethod
    def generate(cls, subject: str, entropy: Entropy = os.urandom) -> "DataKey":
        """A new key with a random id, which says nothing about the subject."""
        key_id = urlsafe_b64encode(entropy(KEY_ID_BYTES)).decode()
        return cls(subject, key_id, entropy(KEY_BYTES))


def place(stream_id: str, version: int, field_name: str) -> str:
    """The context of a field of one event."""
    return f"{stream_id}@{version}#{field_name}"


def key_id_of(sealed: str) -> str:
    """The id of the key that opens it; UnsealError when it is no sealed text."""
    return _parts(sealed)[0]


def seal(key: DataKey, plaintext: str, context: str, *, entropy: Entropy = os.urandom) -> str:
    """Seal a text for its subject and place; sealing it twice gives two different results."""
    return _seal(key, plaintext, context, TEXT_PADDED_TO, entropy)


def unseal(key: DataKey, sealed: str, context: str) -> str:
    """The text; UnsealError unless key and context are those it was sealed with."""
    key_id, data = _parts(sealed)
    if key_id != key.key_id:
        raise UnsealError("sealed with another key")
    nonce, ciphertext = data[:NONCE_BYTES], data[NONCE_BYTES:]
    try:
        padded = AESGCM(key.material).decrypt(nonce, ciphertext, _associated(key, context))
    except (InvalidTag, ValueError):
        raise UnsealError("altered, or sealed for another place or subject") from None
    return padded.rstrip(b"\0")[:-1].decode(errors="surrogatepass")


def seal_fields(
    key: DataKey, fields: Mapping[str, str], context: str, *, entropy: Entropy = os.urandom
) -> str:
    """Seal a whole set of personal fields as one document.

    They are written and read together, so one seal does; and it hides more than one a field would:
    which fields are there and how long each of them is.
    """
    document = json.dumps(fields, separators=(",", ":"))
    return _seal(key, document, context, DOCUMENT_PADDED_TO, entropy)


def unseal_fields(key: DataKey, sealed: str, context: str) -> dict[str, str]:
    """The fields; UnsealError as `unseal`."""
    fields: dict[str, str] = json.loads(unseal(key, sealed, context))
    return fields


def _seal(key: DataKey, plaintext: str, context: str, padded_to: int, entropy: Entropy) -> str:
    """Pad, encrypt, encode.

    Padding (ISO/IEC 7816-4: 0x80, then zeros) because the length of a ciphertext is that of the
    plaintext, and a length alone can tell a small-domain value: `rent` from `alimony`.
    """
    data = (
        plaintext.encode(errors="surrogatepass") + b"\x80"
    )  # total: an error would quote the text
    data += bytes(-len(data) % padded_to)
    nonce = entropy(NONCE_BYTES)
    ciphertext = AESGCM(key.material).encrypt(nonce, data, _associated(key, context))
    return f"{FORMAT}.{key.key_id}.{urlsafe_b64encode(nonce + ciphertext).decode()}"


def _associated(key: DataKey, context: str) -> bytes:
    """Everything a seal is bound to; only the last part may hold a separator."""
    return f"{FORMAT}\0{key.subject}\0{key.key_id}\0{context}".encode()


def _parts(sealed: str) -> tuple[str, bytes]:
    with suppress(ValueError):  # also of base64
        version, key_id, encoded = sealed.split(".")
        data = urlsafe_b64decode(encoded)
        if version == FORMAT and urlsafe_b64encode(data).decode() == encoded:  # decoding is lax
            return key_id, data
    raise UnsealError("not a sealed text of this format")
