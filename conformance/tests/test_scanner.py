"""The scanner finds a planted canary in every form, and nothing where nothing was planted."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json
import os
import tracemalloc
import uuid
import zlib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
import zstandard
from bank_conformance.deciders.scanner import Scanner, digests
from bank_conformance.deciders.scanner.search import WINDOW_BYTES
from hypothesis import given
from hypothesis import strategies as st

CANARY = 'Zo\u00eb 4f7a-Straße/9 "c99d1e02f4"'
SCANNER = Scanner({"name": CANARY})

FORMS: dict[str, Callable[[str], bytes]] = {
    "raw": str.encode,
    "upper case": lambda text: text.upper().encode(),
    "casefolded": lambda text: text.casefold().encode(),
    "reversed": lambda text: text[::-1].encode(),
    "json": lambda text: json.dumps({"n": text}).encode(),
    "json in json": lambda text: json.dumps(json.dumps({"n": text})).encode(),
    "url": lambda text: quote(text, safe="").encode(),
    "form": lambda text: quote_plus(text).encode(),
    "utf-16-le": lambda text: text.encode("utf-16-le"),
    "utf-16-be": lambda text: text.encode("utf-16-be"),
    "hex": lambda text: text.encode().hex().encode(),
    "HEX": lambda text: text.encode().hex().upper().encode(),
    "bytea": lambda text: b"\\x" + text.encode().hex().encode(),
    "base64": lambda text: base64.b64encode(text.encode()),
    "base64, behind one byte": lambda text: base64.b64encode(b"x" + text.encode()),
    "base64, behind two": lambda text: base64.urlsafe_b64encode(b"xy" + text.encode() + b"z"),
}

PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zlib": zlib.compress,
    "zlib, fast": lambda content: zlib.compress(content, 1),
    "zlib, best": lambda content: zlib.compress(content, 9),
    "zlib, stored": lambda content: zlib.compress(content, 0),
    "zstd": zstandard.ZstdCompressor().compress,
}

WRITTEN: dict[str, Callable[[bytes], bytes]] = {
    "bytes": bytes,
    "hex": lambda content: b"\\x" + content.hex().encode(),
    "HEX": lambda content: content.hex().upper().encode(),
    "base64": lambda content: b'"' + base64.b64encode(content) + b'"',
    "url-safe base64": lambda content: b" " + base64.urlsafe_b64encode(content),
    "base64 in lines": base64.encodebytes,
}


@given(st.sampled_from(sorted(FORMS)), st.binary(max_size=300), st.binary(max_size=300))
def test_a_canary_is_found_in_every_form_wherever_it_stands(
    form: str, before: bytes, after: bytes
) -> None:
    found = SCANNER.scan(before + FORMS[form](CANARY) + after)
    assert [leak.canary for leak in found] == ["name"]


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize("packed", PACKED)
def test_a_canary_is_found_in_what_is_compressed(packed: str, written: str) -> None:
    content = os.urandom(500) + CANARY.encode("utf-16-le") + os.urandom(500)
    text = b"noise \n" + WRITTEN[written](PACKED[packed](content)) + b"\n noise"
    assert [leak.canary for leak in SCANNER.scan(text)] == ["name"]


@given(
    st.lists(st.tuples(st.sampled_from(sorted(PACKED)), st.sampled_from(sorted(WRITTEN))),
             min_size=1, max_size=3),
    st.sampled_from(sorted(FORMS)),
    st.binary(max_size=50),
)  # fmt: skip
def test_a_canary_is_found_however_it_is_wrapped(
    layers: list[tuple[str, str]], form: str, noise: bytes
) -> None:
    content = noise + FORMS[form](CANARY) + noise
    for packed, written in layers:
        content = noise + b"\n" + WRITTEN[written](PACKED[packed](content)) + b"\n" + noise
    found = SCANNER.scan(content)
    assert [leak.canary for leak in found] == ["name"]
    assert CANARY not in repr(found)


@given(st.binary(max_size=7), st.binary(max_size=7))
def test_base64_is_found_whatever_stands_before_and_after(before: bytes, after: bytes) -> None:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        text = encode(before + b"canary-4f7a99c1d2" + after)
        assert Scanner({"c": "canary-4f7a99c1d2"}).scan(text)


@given(st.binary(max_size=2_000))
def test_nothing_is_found_where_nothing_was_planted(noise: bytes) -> None:
    assert SCANNER.scan(noise) == []
    assert SCANNER.scan(gzip.compress(noise) + zlib.compress(noise)) == []


def test_a_long_word_of_a_value_is_found_by_itself() -> None:
    scanner = Scanner({"address": "4f7a99c1d2e8 Street 1/2"})
    assert scanner.scan(b'{"words": ["1", "2", "4f7a99c1d2e8", "street"]}')
    assert not scanner.scan(b'{"words": ["1", "2", "street"]}')


def test_a_truncated_gzip_is_read_as_far_as_it_goes() -> None:
    packed = gzip.compress(CANARY.encode() + b"\x00" * 50_000)
    assert SCANNER.scan(packed[: len(packed) - 9])


def test_a_canary_is_reported_once_by_name_only() -> None:
    found = SCANNER.scan(CANARY.encode() * 3)
    assert len(found) == 1
    assert CANARY not in repr(found)


@pytest.mark.parametrize("form", ["raw", "utf-16-le", "base64, behind one byte"])
@pytest.mark.parametrize("offset", [-60, -31, -9, -1, 0])
def test_a_canary_is_found_across_the_windows_of_a_file(
    form: str, offset: int, tmp_path: Path
) -> None:
    noise = b"." * (WINDOW_BYTES + offset)
    (tmp_path / "dump").write_bytes(noise + FORMS[form](CANARY) + b"\0")
    search = SCANNER.scan_folder(tmp_path)
    assert [sighting.file for sighting in search.sightings] == ["dump"]
    assert search.sightings[0].leak.place >= len(noise)
    assert search.files == 1
    assert search.size_bytes > WINDOW_BYTES + offset


def test_compressed_content_is_read_across_the_windows_of_a_file(tmp_path: Path) -> None:
    packed = gzip.compress(os.urandom(WINDOW_BYTES) + CANARY.encode())
    (tmp_path / "dump").write_bytes(bytes(100) + packed)
    assert [leak.form for leak in SCANNER.scan_file(tmp_path / "dump")] == ["gzip, raw"]


def test_what_a_file_is_called_is_looked_through_too(tmp_path: Path) -> None:
    (tmp_path / "abc-4f7a99c1d2e8.json").write_text("{}")
    assert Scanner({"key": "4f7a99c1d2e8"}).scan_folder(tmp_path).sightings


def test_a_bomb_takes_bounded_memory() -> None:
    bomb = gzip.compress(bytes(100_000_000) + CANARY.encode())
    tracemalloc.start()
    found = SCANNER.scan(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found
    assert peak < 50_000_000


# Digests

PHONE, EMAIL, SALT = "+4915901234567", "Jo.4f7a@example.com", "cus_0123456789abcdef0123456789abcdef"
DICTIONARY = Scanner({}, digests({"phone": PHONE, "email": EMAIL}, [SALT]))


def _sha256(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


DIGESTS = {
    "md5": hashlib.md5(PHONE.encode(), usedforsecurity=False).hexdigest().encode(),
    "sha1, raw": hashlib.sha1(PHONE.encode(), usedforsecurity=False).digest(),
    "sha256 of the digits": _sha256(PHONE[1:]).hex().encode(),
    "sha256 of the address in lower case": _sha256(EMAIL.lower()).hex().encode(),
    "sha256, cut short": _sha256(EMAIL).hex()[:16].encode(),
    "sha256, base64": base64.b64encode(_sha256(EMAIL)),
    "sha256, url-safe base64": base64.urlsafe_b64encode(_sha256(PHONE)).rstrip(b"="),
    "sha256, upper case": _sha256(EMAIL).hex().upper().encode(),
    "sha256 in an id": b"cus_" + _sha256(EMAIL).hex()[:32].encode(),
    "sha512": hashlib.sha512(PHONE.encode()).hexdigest().encode(),
    "sha3": hashlib.sha3_256(PHONE.encode()).hexdigest().encode(),
    "blake2b": hashlib.blake2b(PHONE.encode()).digest(),
    "blake2s": hashlib.blake2s(PHONE.encode()).digest(),
    "crc32": b"{%08x}" % zlib.crc32(PHONE.encode()),
    "crc32, decimal": b'"crc": %d,' % zlib.crc32(PHONE.encode()),
    "salted with an id": _sha256(SALT + PHONE).hex().encode(),
    "salted behind": _sha256(PHONE + SALT).hex().encode(),
    "salted with salt": _sha256(f"salt:{EMAIL}").hex().encode(),
    "hmac under an id": hmac.digest(SALT.encode(), EMAIL.encode(), "sha256"),
    "uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, EMAIL)).encode(),
    "digest in gzip": gzip.compress(_sha256(EMAIL).hex().encode()),
}


@pytest.mark.parametrize("form", DIGESTS)
def test_a_digest_that_can_be_guessed_is_found(form: str) -> None:
    assert DICTIONARY.scan(b"noise " + DIGESTS[form] + b" noise")


@pytest.mark.parametrize(
    "content",
    [
        hmac.digest(os.urandom(32), PHONE.encode(), "sha256").hex().encode(),
        _sha256(PHONE + os.urandom(16).hex()),
        b"a%08x" % zlib.crc32(PHONE.encode()),
        b"1%d" % zlib.crc32(PHONE.encode()),
        os.urandom(300_000),
        os.urandom(300_000).hex().encode(),
        base64.b64encode(os.urandom(300_000)),
    ],
    ids=["keyed", "salted", "part of a word", "part of a number", "noise", "hex", "base64"],
)
def test_what_cannot_be_guessed_is_not_found(content: bytes) -> None:
    assert DICTIONARY.scan(content) == []
