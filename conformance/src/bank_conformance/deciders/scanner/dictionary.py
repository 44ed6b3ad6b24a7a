"""Digests of values that can be guessed: whoever can try all of them reads the value back.

A telephone number, a birth date, a national id, but also an e-mail address, of which lists exist.
Plain, and salted with what everybody can see or think of. A digest under a secret key is not found,
and rightly: without the key nobody can try.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import uuid
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping

from .needles import Needle

OBVIOUS_SALTS = ("salt", "pepper", "secret", "password", "changeme", "bank")

ALGORITHMS: dict[str, Callable[[bytes], bytes]] = {
    name: lambda content, name=name: hashlib.new(name, content, usedforsecurity=False).digest()
    for name in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_256", "sha3_512")
} | {
    "blake2b": lambda content: hashlib.blake2b(content).digest(),
    "blake2b-256": lambda content: hashlib.blake2b(content, digest_size=32).digest(),
    "blake2s": lambda content: hashlib.blake2s(content).digest(),
}

NAMESPACES = (uuid.NAMESPACE_DNS, uuid.NAMESPACE_URL, uuid.NAMESPACE_OID, uuid.NAMESPACE_X500)

SHORT_BYTES, LONG_BYTES = 8, 12
"""How much of a digest is looked for: many are cut short, and so much is no chance."""


def digests(values: Mapping[str, str], salts: Iterable[str] = ()) -> list[Needle]:
    """Return the digests of `values`, given by name, under obvious salts and the given ones."""
    seasoning = list(dict.fromkeys(["", *OBVIOUS_SALTS, *salts]))
    return [
        needle
        for name, value in values.items()
        for spelling in _spellings(value)
        for needle in (*_salted(name, spelling, seasoning), *_uuids(name, spelling))
    ]


def _spellings(value: str) -> list[str]:
    bare = re.sub("[^0-9A-Za-z]", "", value)
    return list(dict.fromkeys([value, value.lower(), bare, bare.lower()]))


def _salted(name: str, value: str, salts: Iterable[str]) -> Iterator[Needle]:
    for salt in salts:
        for recipe, content in _recipes(value, salt):
            for algorithm, digest in ALGORITHMS.items():
                yield from _written(name, f"{algorithm}{recipe}", digest(content))
        if salt:
            keyed = hmac.digest(salt.encode(), value.encode(), "sha256")
            yield from _written(name, "hmac-sha256 under something obvious", keyed)
    yield from _crc32(name, value)


def _recipes(value: str, salt: str) -> Iterator[tuple[str, bytes]]:
    if not salt:
        yield "", value.encode()
        return
    for text in (salt + value, value + salt, f"{salt}:{value}", f"{value}:{salt}"):
        yield ", salted with something obvious", text.encode()


def _written(name: str, recipe: str, digest: bytes) -> Iterator[Needle]:
    """Return a digest as it is written: bytes, hexadecimal, base64."""
    yield Needle(name, f"{recipe}, raw", digest[:SHORT_BYTES])
    yield Needle(name, f"{recipe}, hex", digest[:SHORT_BYTES].hex().encode())
    yield Needle(name, f"{recipe}, base64", base64.b64encode(digest[:LONG_BYTES]))


def _uuids(name: str, value: str) -> Iterator[Needle]:
    for space in NAMESPACES:
        for made in (uuid.uuid3(space, value), uuid.uuid5(space, value)):
            yield Needle(name, f"UUIDv{made.version}", str(made).encode())
            yield Needle(name, f"UUIDv{made.version}, hex", made.hex.encode())
            yield Needle(name, f"UUIDv{made.version}, raw", made.bytes)


def _crc32(name: str, value: str) -> Iterator[Needle]:
    """Return a checksum. So little is chance inside longer numbers: it must stand by itself."""
    checksum = zlib.crc32(value.encode())
    yield Needle(name, "crc32, hex", f"{checksum:08x}".encode(), whole=True)
    yield Needle(name, "crc32, decimal", str(checksum).encode(), whole=True)
