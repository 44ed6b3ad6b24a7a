"""Sealed texts as they lie in an event: does a seal say that two texts are equal?

Equal texts must be sealed as differently as any two. What gives them away is a run of characters
that their seals share, and of which the seals of other texts have no part. A key id that all seals
of a subject begin with is in those too; a whole ciphertext, or the block of a cipher, is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

SEALED_MIN = 24
"""A nonce and a tag alone are longer, in whatever way they are written."""

RUN, PART = 16, 8
"""So many characters are no chance. A run may be a key id and one character that is equal by
chance: it has parts that are known."""

_ID = re.compile(r"[a-z]{2,8}_[0-9a-f]{32}")


def sealed_texts(data: Any) -> Iterator[str]:
    """Return the strings in an event that may be sealed texts: long ones, no ids and no times."""
    if isinstance(data, Mapping):
        data = list(data.values())
    if isinstance(data, list):
        for one in data:
            yield from sealed_texts(one)
    elif isinstance(data, str) and len(data) >= SEALED_MIN and not _names(data):
        yield data


def common_runs(one: Any, other: Any, different: Iterable[Any]) -> set[str]:
    """Return what the seals of two equal texts share, and no part of it a `different` text's."""
    known = {part for event in different for part in _runs(event, PART)}
    shared = _runs(one, RUN) & _runs(other, RUN)
    return {run for run in shared if known.isdisjoint(_parts(run, PART))}


def _runs(data: Any, length: int) -> set[str]:
    return {run for text in sealed_texts(data) for run in _parts(text, length)}


def _parts(text: str, length: int) -> Iterator[str]:
    return (text[place : place + length] for place in range(len(text) - length + 1))


def _names(text: str) -> bool:
    if _ID.fullmatch(text):
        return True
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
