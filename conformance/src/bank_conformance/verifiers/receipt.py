"""Receipts of erasures: that a key was destroyed, and when, of nobody who could be named."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from .jws import Keys, payload_of, read_jws

TYPE = "erasure-receipt"


class Receipt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a receipt states; `key_digest` is None where there was no key left to destroy."""

    erasure_id: Annotated[str, Meta(min_length=1, max_length=128)]
    erased_at: Annotated[datetime, Meta(tz=True)]
    key_digest: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")] | None
    purged: tuple[str, ...]


def read_receipt(jws: str, keys: Keys) -> Receipt:
    """Return the receipt that one of `keys` signed.

    Raises:
        VerificationError: none of them did, or it is no receipt.
    """
    found: Receipt = payload_of(read_jws(jws, TYPE, keys), Receipt)
    return found
