"""Base64, read strictly: one text for each sequence of bytes, so that no bit of it is idle."""

from __future__ import annotations

import base64
import binascii


class VerificationError(Exception):
    """This is not what it says it is; the text says why, on one line."""


def plain(text: str) -> bytes:
    """Return the bytes of a base64 text (RFC 4648, section 4).

    Raises:
        VerificationError: it is none, or not the one text that these bytes have.
    """
    found = _decoded(text)
    if base64.b64encode(found).decode() != text:
        raise VerificationError("a base64 text has bits that mean nothing")
    return found


def url_safe(text: str) -> bytes:
    """Return the bytes of an unpadded base64url text (RFC 7515, section 2).

    Raises:
        VerificationError: it is none, or not the one text that these bytes have.
    """
    found = _decoded(text + "=" * (-len(text) % 4), b"-_")
    if base64.urlsafe_b64encode(found).rstrip(b"=").decode() != text:
        raise VerificationError("a base64url text has bits that mean nothing")
    return found


def _decoded(text: str, altchars: bytes | None = None) -> bytes:
    try:
        return base64.b64decode(text.encode("ascii"), altchars, validate=True)
    except (ValueError, binascii.Error):
        raise VerificationError("a text is not base64") from None
