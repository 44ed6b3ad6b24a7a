"""The forms that a text takes when it is stored, sent or logged, as the bytes to look for."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import quote, quote_plus

WORD_MIN = 12
"""A word of a value is looked for by itself if it is so long that it cannot be chance."""

GROUP = 4
"""Characters of base64 for three bytes."""

FOLD = bytes(range(256)).lower().translate(bytes.maketrans(b"-_", b"+/"))
"""Case carries nothing, and URL-safe base64 is base64: needles and what is searched are folded."""


class Needle(NamedTuple):
    """Bytes to look for: in what form, of which canary."""

    canary: str
    form: str
    content: bytes
    whole: bool = False
    """Whether a letter or digit on either side makes it something else."""


def forms(canary: str, value: str) -> Iterator[Needle]:
    """Return every form of `value` that is looked for."""
    for spelling in _spellings(value):
        raw = spelling.encode()
        escaped = _escaped(spelling)
        yield Needle(canary, "raw", raw)
        yield Needle(canary, "reversed", spelling[::-1].encode())
        yield Needle(canary, "json", escaped.encode())
        yield Needle(canary, "json, twice", _escaped(escaped).encode())
        yield Needle(canary, "url", quote(spelling, safe="").encode())
        yield Needle(canary, "form", quote_plus(spelling, safe="").encode())
        yield Needle(canary, "utf-16-le", spelling.encode("utf-16-le"))
        yield Needle(canary, "utf-16-be", spelling.encode("utf-16-be"))
        yield Needle(canary, "hex", raw.hex().encode())
        for shift in range(3):
            yield Needle(canary, f"base64+{shift}", _base64(raw, shift))


def _spellings(value: str) -> list[str]:
    words = [word for word in re.findall("[0-9A-Za-z]+", value) if len(word) >= WORD_MIN]
    return list(dict.fromkeys([value, value.casefold(), value.upper(), *words]))


def _escaped(text: str) -> str:
    return json.dumps(text)[1:-1]


def _base64(raw: bytes, shift: int) -> bytes:
    """Return the inner part of the base64 of `raw` behind `shift` other bytes.

    The first and last group may mix with neighbouring bytes: only what lies between is fixed.
    """
    whole = base64.b64encode(bytes(shift) + raw)
    start = GROUP if shift else 0
    return whole[start : len(whole) - GROUP if (shift + len(raw)) % 3 else len(whole)]
