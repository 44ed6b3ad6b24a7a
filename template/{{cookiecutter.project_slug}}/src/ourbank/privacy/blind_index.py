"""Blind indexes: finding a value without storing it.

A keyed digest (HMAC-SHA256, RFC 2104) of a value can be stored and looked up, but not guessed by
trying all phone numbers, as a plain hash could. It lives and dies with the row it stands in: purge
that row, and nothing in the database leads from the value to the person.

The key is derived (HKDF-SHA256, RFC 5869) from a secret of the bank's own, not from a
key-encryption epoch: those are destroyed by rotation, and every index would go blind with them.
Each purpose has its own key, so that digests of two indexes cannot be joined.
"""

import hmac
import unicodedata

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SECRET_BYTES_MIN = 32


class BlindIndex:
    """Digests for one purpose; deterministic, so never for anything that is not looked up."""

    def __init__(self, secret: bytes, purpose: str) -> None:
        if len(secret) < SECRET_BYTES_MIN:
            raise ValueError(f"a blind index needs a secret of {SECRET_BYTES_MIN} bytes or more")
        info = f"blind-index/{purpose}".encode()
        self._key = HKDF(SHA256(), length=32, salt=None, info=info).derive(secret)

    def digest(self, value: str) -> bytes:
        """32 bytes that stand for the value."""
        return hmac.digest(self._key, value.encode(errors="surrogatepass"), "sha256")


def normal_email(address: str) -> str:
    """One spelling for all ways to write the same mailbox, as far as letter case and Unicode go."""
    return unicodedata.normalize("NFKC", address.strip()).casefold()
