"""The canary scanner: does a text contain a planted value, in any form it is likely to take?

Each canary is unique and of high entropy, so that a hit is never chance. Forms: raw, case-folded,
reversed, JSON-escaped, URL-encoded, UTF-16 of both orders, hexadecimal, base64 in all three
alignments (plain and URL-safe), and all of these inside gzip.
"""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple
from urllib.parse import quote, quote_plus

GZIP_MAGIC = b"\x1f\x8b\x08"
INFLATED_BYTES_MAX = 16 * 1024 * 1024


class Leak(NamedTuple):
    """A canary found: which, in what form, and at which byte."""

    canary: str
    form: str
    place: int


def forms(value: str) -> dict[str, bytes]:
    """Return every form of `value` that is looked for, lower-cased where case carries nothing."""
    raw = value.encode()
    written = {
        "raw": raw,
        "reversed": value[::-1].encode(),
        "json": json.dumps(value)[1:-1].encode(),
        "url": quote(value, safe="").encode(),
        "form": quote_plus(value, safe="").encode(),
        "utf-16-le": value.encode("utf-16-le"),
        "utf-16-be": value.encode("utf-16-be"),
        "hex": raw.hex().encode(),
    }
    return {name: form.lower() for name, form in written.items()}


def base64_forms(value: str) -> dict[str, bytes]:
    """Return the inner part of the base64 of `value` in its three alignments: case matters here."""
    raw = value.encode()
    found = {}
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + raw)
        # The first and last group may mix with neighbouring bytes: only what lies between is fixed.
        start = 4 if shift else 0
        inner = whole[start : len(whole) - 4 if (shift + len(raw)) % 3 else len(whole)]
        found[f"base64+{shift}"] = inner
        found[f"base64url+{shift}"] = inner.translate(bytes.maketrans(b"+/", b"-_"))
    return found


@dataclass(frozen=True)
class Scanner:
    """Looks for canaries, given as name and value; a name is all that is ever reported."""

    canaries: Mapping[str, str]

    @cached_property
    def _folded(self) -> list[tuple[str, str, bytes]]:
        return [(n, form, b) for n, v in self.canaries.items() for form, b in forms(v).items()]

    @cached_property
    def _exact(self) -> list[tuple[str, str, bytes]]:
        return [
            (n, form, b) for n, v in self.canaries.items() for form, b in base64_forms(v).items()
        ]

    def scan(self, content: bytes) -> list[Leak]:
        """Return the canaries in `content`, each once."""
        found: dict[str, Leak] = {}
        for layer, text in _layers(content):
            for leak in self._scan_plain(text):
                found.setdefault(leak.canary, leak._replace(form=layer + leak.form))
        return list(found.values())

    def _scan_plain(self, content: bytes) -> Iterator[Leak]:
        folded = content.lower()
        for name, form, needle in self._folded:
            if (place := folded.find(needle)) >= 0:
                yield Leak(name, form, place)
        for name, form, needle in self._exact:
            if (place := content.find(needle)) >= 0:
                yield Leak(name, form, place)


def _layers(content: bytes) -> Iterable[tuple[str, bytes]]:
    yield "", content
    place = content.find(GZIP_MAGIC)
    while place >= 0:
        yield "gzip, ", _inflate(content[place:])
        place = content.find(GZIP_MAGIC, place + 1)


def _inflate(content: bytes) -> bytes:
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(content, INFLATED_BYTES_MAX)
    except (zlib.error, gzip.BadGzipFile):
        return b""
