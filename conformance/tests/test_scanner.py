"""The scanner finds a planted canary in every form, and nothing where nothing was planted."""

from __future__ import annotations

import base64
import gzip
import json
from urllib.parse import quote, quote_plus

import pytest
from bank_conformance.deciders.scanner import Scanner
from hypothesis import given
from hypothesis import strategies as st

CANARY = "Zo\u00eb 4f7a-Straße/9"
SCANNER = Scanner({"name": CANARY})

FORMS = {
    "raw": CANARY.encode(),
    "upper case": CANARY.upper().replace("SS", "ß").encode(),
    "reversed": CANARY[::-1].encode(),
    "json": json.dumps({"n": CANARY}).encode(),
    "url": quote(CANARY, safe="").encode(),
    "form": quote_plus(CANARY).encode(),
    "utf-16-le": CANARY.encode("utf-16-le"),
    "utf-16-be": CANARY.encode("utf-16-be"),
    "hex": CANARY.encode().hex().encode(),
    "HEX": CANARY.encode().hex().upper().encode(),
    "gzip": gzip.compress(b"before " + CANARY.encode() + b" after"),
    "base64 in gzip": gzip.compress(base64.b64encode(b"x" + CANARY.encode())),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_canary_is_found_in_every_form(form: str) -> None:
    if form == "upper case":  # only ASCII letters fold without changing the bytes of others
        found = Scanner({"name": "abc-4f7a99"}).scan(b"<< ABC-4F7A99 >>")
    else:
        found = SCANNER.scan(b"\x00noise " + FORMS[form] + b" noise")
    assert [leak.canary for leak in found] == ["name"]


@given(st.binary(max_size=7), st.binary(max_size=7))
def test_base64_is_found_whatever_stands_before_and_after(before: bytes, after: bytes) -> None:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        text = encode(before + b"canary-4f7a99c1d2" + after)
        assert Scanner({"c": "canary-4f7a99c1d2"}).scan(text)


@given(st.binary(max_size=2_000))
def test_nothing_is_found_where_nothing_was_planted(noise: bytes) -> None:
    assert SCANNER.scan(noise) == []


def test_a_truncated_gzip_is_read_as_far_as_it_goes() -> None:
    packed = gzip.compress(CANARY.encode() + b"\x00" * 50_000)
    assert SCANNER.scan(packed[: len(packed) - 9])


def test_a_canary_is_reported_once_by_name_only() -> None:
    found = SCANNER.scan(CANARY.encode() * 3)
    assert len(found) == 1
    assert CANARY not in repr(found)
