"""Checkpoints: what a bank signed of one partition of its log, to be held by others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from .encoding import VerificationError, plain
from .jws import Keys, payload_of, read_jws

TYPE, ROOT_BYTES = "log-checkpoint", 32
Count = Annotated[int, Meta(ge=0)]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Whoever holds one can prove later what the first `size` events of a partition were."""

    log: str
    partition: int
    size: int
    root: bytes
    signed_at: datetime
    kid: str
    jws: str

    def __str__(self) -> str:
        """Put it on one line."""
        return f"partition {self.partition} at size {self.size}, root {self.root.hex()[:16]}…"


class Payload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is signed, as it stands in the contract."""

    log: Annotated[str, Meta(min_length=1)]
    partition: Count
    size: Count
    root: str
    signed_at: Annotated[datetime, Meta(tz=True)]


def read_checkpoint(jws: str, keys: Keys) -> Checkpoint:
    """Return the checkpoint that one of `keys` signed.

    Raises:
        VerificationError: none of them did, or it is no checkpoint.
    """
    signed = read_jws(jws, TYPE, keys)
    said: Payload = payload_of(signed, Payload)
    root = plain(said.root)
    if len(root) != ROOT_BYTES:
        raise VerificationError("signed, but its root is no SHA-256 hash")
    return Checkpoint(said.log, said.partition, said.size, root, said.signed_at, signed.kid, jws)
