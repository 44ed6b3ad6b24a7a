"""Tamper evidence: a Merkle tree over the stored bytes of each partition, and its checkpoints.

The hash of each leaf and every checkpoint are stored, the key that signs checkpoints is not. Who
can write the storage can make it agree with itself, and never with a checkpoint held outside.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from bank_conformance.verifiers.checkpoint import Checkpoint, read_checkpoint
from bank_conformance.verifiers.encoding import VerificationError
from bank_conformance.verifiers.jws import Keys

from .log import PARTITIONS
from .problems import RefusalError
from .trees import Tree, leaf_hash

if TYPE_CHECKING:
    from .bank import Bank
    from .signing import Signer

LOG_NAME, TYPE = "reference-bank", "log-checkpoint"
FINDINGS_MAX = 100
"""No more of one partition are told: whoever removes an event moves all that follow."""


class Found(NamedTuple):
    """Something that is not what was signed."""

    partition: int
    position: int | None
    what: str


class Auditor:
    """Seals what is stored, proves it and verifies it. What a mutant breaks is a method."""

    def __init__(self, bank: Bank, signer: Signer) -> None:
        self.bank, self.signer, self.disk = bank, signer, bank.disk
        self.keys: Keys = {signer.jwk()["kid"]: signer.key.public_key()}
        self.trees = [Tree() for _ in range(PARTITIONS)]
        for name, doc in self.disk.things("leaf").items():
            self.trees[int(name.split("/")[0])].append(base64.b64decode(doc["hash"]))

    # Sealing

    def seal(self) -> None:
        """Take what was stored since the last time into the trees, and sign what they are now."""
        for number, events in enumerate(self.bank.log.partitions):
            tree = self.trees[number]
            grown = events[tree.size :]
            for event in grown:
                tree.append(leaf_hash(self.leaf(event.stored)))
                hashed = base64.b64encode(tree.leaves[-1]).decode()
                self.keep("leaf", number, tree.size, hash=hashed)
            if grown:
                signed = self.sign(number, tree, tree.size)
                self.keep("checkpoint", number, tree.size, jws=signed["jws"])
        self.disk.commit()

    def keep(self, kind: str, number: int, size: int, **doc: str) -> None:
        """Store what belongs to the first so many events of a partition."""
        self.disk.put(kind, f"{number}/{size}", partial(dict[str, Any], doc))

    def leaf(self, stored: bytes) -> bytes:
        """Return what is hashed of an event: exactly what is stored."""
        return stored

    # Proving

    def checkpoint(self, partition: int, size: int | None, subject: str) -> dict[str, Any]:
        """Return a checkpoint, the latest one without a size."""
        self.seal()
        tree = self.tree(partition, subject)
        return self.sign(partition, tree, self._reached(tree, tree.size if size is None else size))

    def sign(self, partition: int, tree: Tree, size: int) -> dict[str, Any]:
        """Return a signed checkpoint as the contract shows it."""
        root = base64.b64encode(tree.root(size)).decode()
        said = {"partition": partition, "size": size, "root": root}
        said |= {"signed_at": datetime.now(UTC).isoformat()}
        return said | {"jws": self.signer.sign(TYPE, {"log": LOG_NAME, **said})}

    def inclusion(self, partition: int, position: int, size: int, subject: str) -> dict[str, Any]:
        """Return the proof that an event is in the tree of a size."""
        tree = self.tree(partition, subject)
        if position > self._reached(tree, size):
            raise RefusalError(404, "position-not-found")
        leaf = self.leaf(self.bank.log.partitions[partition][position - 1].stored)
        return {
            "leaf": base64.b64encode(leaf).decode(),
            "leaf_index": position - 1,
            "size": size,
            "hashes": _texts(tree.path(position - 1, size)),
        }

    def consistency(self, partition: int, old: int, size: int, subject: str) -> dict[str, Any]:
        """Return the proof that a partition only grew between two sizes."""
        tree = self.tree(partition, subject)
        if old > size:
            raise RefusalError(400, "invalid-parameter", "from_size is beyond to_size")
        return {"hashes": _texts(tree.growth(old, self._reached(tree, size)))}

    def tree(self, partition: int, _subject: str) -> Tree:
        """Return the tree that a caller is shown: the same for all."""
        if partition >= len(self.trees):
            raise RefusalError(404, "partition-not-found")
        return self.trees[partition]

    def _reached(self, tree: Tree, size: int) -> int:
        if size > tree.size:
            raise RefusalError(404, "size-not-reached")
        return size

    # Verifying

    def verify(self, held: Iterable[str]) -> list[Found]:
        """Return everything that is not what was signed, by storage or by the caller's evidence."""
        checkpoints = list(self.anchors(held))
        findings = list(self.forged())
        for partition, tree in enumerate(self.trees):
            findings += list(self.rows(partition, tree))[:FINDINGS_MAX]
        return findings + [one for checkpoint in checkpoints for one in self.differs(checkpoint)]

    def kept(self) -> Iterator[tuple[str, Checkpoint | None]]:
        """Return the stored checkpoints by partition and size, None for one that was not signed."""
        for name, doc in self.disk.things("checkpoint").items():
            try:
                yield name, read_checkpoint(doc["jws"], self.keys)
            except VerificationError:
                yield name, None

    def forged(self) -> Iterator[Found]:
        """Find the stored checkpoints that were not signed."""
        for name, checkpoint in self.kept():
            if checkpoint is None:
                partition, size = map(int, name.split("/"))
                yield Found(partition, size, "the stored checkpoint is not one that was signed")

    def stored(self, partition: int) -> dict[int, bytes]:
        """Return what storage holds now, by position."""
        rows = self.disk.events()
        return {position: doc.encode() for part, position, doc in rows if part == partition}

    def rows(self, partition: int, tree: Tree) -> Iterator[Found]:
        """Compare each stored event with the leaf that was sealed of it."""
        stored = self.stored(partition)
        for number, hashed in enumerate(tree.leaves):
            found = stored.get(number + 1)
            if found is None:
                yield Found(partition, number + 1, "the event is missing")
            elif leaf_hash(self.leaf(found)) != hashed:
                yield Found(partition, number + 1, "the event is not the one that was sealed")

    def anchors(self, held: Iterable[str]) -> Iterator[Checkpoint]:
        """Return the checkpoints to compare with: the stored ones, and those of the caller."""
        yield from (checkpoint for _, checkpoint in self.kept() if checkpoint)
        for jws in held:
            try:
                yield read_checkpoint(jws, self.keys)
            except VerificationError as error:
                raise RefusalError(400, "invalid-checkpoint", str(error)) from None

    def differs(self, checkpoint: Checkpoint) -> Iterator[Found]:
        """Compare the log with a checkpoint of it."""
        tree = self.tree(checkpoint.partition, "")
        if checkpoint.size > tree.size:
            what = f"the log ends at {tree.size}, a checkpoint was signed at {checkpoint.size}"
            yield Found(checkpoint.partition, tree.size + 1, what)
        elif self.root(checkpoint) != checkpoint.root:
            what = f"the first {checkpoint.size} events are not those that were signed"
            yield Found(checkpoint.partition, None, what)

    def root(self, checkpoint: Checkpoint) -> bytes:
        """Return the root that the log has now at the size of a checkpoint."""
        return self.trees[checkpoint.partition].root(checkpoint.size)


def _texts(hashes: Iterable[bytes]) -> list[str]:
    return [base64.b64encode(one).decode() for one in hashes]
