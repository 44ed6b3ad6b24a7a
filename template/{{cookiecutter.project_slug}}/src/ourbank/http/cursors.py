"""Opaque keyset cursors: the last key of a page, in a form nobody is tempted to compute with."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from contextlib import suppress

from .problems import ProblemError


def encode(kind: str, key: str | int | None) -> str | None:
    """The cursor after `key`, None at the end."""
    if key is None:
        return None
    return urlsafe_b64encode(f"{kind}:{key}".encode()).decode().rstrip("=")


def decode(kind: str, cursor: str | None) -> str | None:
    """The key in a cursor of this kind; ProblemError 400 when it is none."""
    if cursor is None:
        return None
    with suppress(ValueError):
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        found, _, key = text.partition(":")
        if found == kind and key and key.isprintable():
            return key
    raise ProblemError(400, "cursor-invalid", "the cursor is not one of this list")


def decode_number(kind: str, cursor: str | None) -> int | None:
    """The number in a cursor of this kind; ProblemError 400 when it is none."""
    key = decode(kind, cursor)
    if key is None:
        return None
    if not key.isdecimal() or len(key) > 18:  # noqa: PLR2004 (what a bigint holds)
        raise ProblemError(400, "cursor-invalid", "the cursor is not one of this list")
    return int(key)
