"""Proofs as the contract answers them, and the question that is put to a verifier."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Protocol

import msgspec
from msgspec import Meta

from .checkpoint import Checkpoint
from .encoding import plain

HASHES_MAX = 130
"""No proof of a tree of 2^64 leaves is longer."""

Hashes = Annotated[list[str], Meta(max_length=HASHES_MAX)]


class Verifier(Protocol):
    """A module that verifies proofs; there are two of them, so that neither need be believed."""

    def includes(
        self, leaf: bytes, index: int, size: int, hashes: Sequence[bytes], root: bytes, /
    ) -> bool:
        """Say whether a leaf is in a tree at its place."""
        ...

    def extends(
        self, old_size: int, old_root: bytes, size: int, root: bytes, hashes: Sequence[bytes], /
    ) -> bool:
        """Say whether a tree only grew."""
        ...


class InclusionProof(msgspec.Struct, frozen=True):
    """That a leaf is in the tree of so many leaves; texts are base64."""

    leaf: str
    leaf_index: int
    size: int
    hashes: Hashes

    @property
    def stored(self) -> bytes:
        """The bytes that the bank keeps of the event."""
        return plain(self.leaf)

    def holds(self, checkpoint: Checkpoint, by: Verifier) -> bool:
        """Say whether it proves the leaf under a checkpoint; it does not if it is of another size.

        Raises:
            VerificationError: something in it is not base64.
        """
        hashes = [plain(one) for one in self.hashes]
        same = self.size == checkpoint.size
        return same and by.includes(
            self.stored, self.leaf_index, self.size, hashes, checkpoint.root
        )


class ConsistencyProof(msgspec.Struct, frozen=True):
    """That a log only grew between two checkpoints; texts are base64."""

    hashes: Hashes

    def holds(self, old: Checkpoint, new: Checkpoint, by: Verifier) -> bool:
        """Say whether it proves that `new` continues `old`, in one partition of one log.

        Raises:
            VerificationError: something in it is not base64.
        """
        hashes = [plain(one) for one in self.hashes]
        same = (old.log, old.partition) == (new.log, new.partition)
        return same and by.extends(old.size, old.root, new.size, new.root, hashes)


class ShownCheckpoint(msgspec.Struct, frozen=True):
    """A checkpoint as it is answered: what counts is the JWS, the rest repeats it."""

    partition: int
    size: int
    root: str
    signed_at: datetime
    jws: str

    def repeats(self, signed: Checkpoint) -> bool:
        """Say whether what is shown is what was signed."""
        said = (signed.partition, signed.size, signed.root, signed.signed_at)
        return said == (self.partition, self.size, plain(self.root), self.signed_at)


class Trouble(msgspec.Struct, frozen=True):
    """Something that a bank's own verification found."""

    partition: int
    position: int | None
    what: str


class Verification(msgspec.Struct, frozen=True):
    """What a bank says of its own log."""

    ok: bool
    findings: list[Trouble]

    def __str__(self) -> str:
        """Put it on one line."""
        places = [
            f"{one.what} (partition {one.partition}, position {one.position})"
            for one in self.findings
        ]
        return "all is well" if self.ok else "; ".join(places[:3]) or "not ok, and nothing found"
