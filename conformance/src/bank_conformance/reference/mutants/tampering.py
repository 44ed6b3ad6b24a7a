"""Mutants of TMP and SHR-13: evidence that is weaker than it looks."""

# ruff: noqa: ARG002, D102 - what a method does is said where the reference bank defines it
from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from bank_conformance.reference.audit import Auditor, Found
from bank_conformance.reference.bank import Parts
from bank_conformance.reference.problems import RefusalError
from bank_conformance.reference.trees import Tree, leaf_hash
from bank_conformance.reference.vault import place_of
from bank_conformance.verifiers.checkpoint import Checkpoint

from .mutant import Mutant, broke

LINKS = ("partition", "position", "stream_id", "version")
UNPROVEN_EVERY = 9


class HashesPlaintext(Auditor):
    """M44: what is hashed is the event as one can read it, not as it is stored."""

    def leaf(self, stored: bytes) -> bytes:
        event = msgspec.json.decode(stored)
        for name in ("personal", "narrative"):
            if sealed := event["data"].get(name):
                broke()
                event["data"][name] = self._read(event, name, sealed)
        return msgspec.json.encode(event)

    def _read(self, event: dict[str, Any], name: str, sealed: str) -> str | None:
        account = self.bank.accounts.by_id.get(event["stream_id"])
        owner = account.customer_id if account else event["stream_id"]
        place = place_of(event["stream_id"], event["version"], name)
        return self.bank.vault.unseal(owner, sealed, place)


class VerifiesLinksOnly(Auditor):
    """M47: which event follows which is hashed, and not what they say."""

    def leaf(self, stored: bytes) -> bytes:
        broke()
        event = json.loads(stored)
        return msgspec.json.encode({name: event[name] for name in LINKS})


class PerRowOnly(Auditor):
    """M48: each row is genuine by itself; whether it belongs there nobody asks."""

    def verify(self, held: Iterable[str]) -> list[Found]:
        broke()
        genuine = {hashed for tree in self.trees for hashed in tree.leaves}
        return [
            Found(partition, position, "the row is not genuine")
            for partition in range(len(self.trees))
            for position, row in self.stored(partition).items()
            if leaf_hash(self.leaf(row)) not in genuine
        ]


class BareChain(Auditor):
    """M49: a chain with nothing to hold its end against."""

    def anchors(self, held: Iterable[str]) -> Iterator[Checkpoint]:
        broke()
        return iter(())


class UnkeyedChain(Auditor):
    """M50: the chain is held against what was computed from it."""

    def root(self, checkpoint: Checkpoint) -> bytes:
        broke()
        return checkpoint.root


class UnprovenReceipts(Auditor):
    """M51: an acknowledgement is all there is; the sealer leaves events out."""

    def inclusion(self, partition: int, position: int, size: int, subject: str) -> dict[str, Any]:
        if position % UNPROVEN_EVERY == 0:
            broke()
            raise RefusalError(404, "position-not-found")
        return super().inclusion(partition, position, size, subject)


class RootsPerClient(Auditor):
    """M52: whoever is not the operator is shown a log of their own, consistent in itself."""

    def tree(self, partition: int, subject: str) -> Tree:
        whole = super().tree(partition, subject)
        if not subject.endswith("2"):
            return whole
        broke()
        first, *others = whole.leaves or [b""]
        return Tree([leaf_hash(subject.encode() + first), *others] if whole.size else ())


MUTANTS = (
    Mutant("M44", ("SHR-13",), "hash over plaintext", Parts(auditor=HashesPlaintext)),
    Mutant("M47", ("TMP-1", "TMP-7"), "verifies links only", Parts(auditor=VerifiesLinksOnly)),
    Mutant("M48", ("TMP-2",), "a MAC per row only", Parts(auditor=PerRowOnly)),
    Mutant("M49", ("TMP-3",), "bare chain", Parts(auditor=BareChain)),
    Mutant("M50", ("TMP-4",), "unkeyed chain", Parts(auditor=UnkeyedChain)),
    Mutant("M51", ("TMP-5",), "receipt without proof", Parts(auditor=UnprovenReceipts)),
    Mutant("M52", ("TMP-6",), "roots per client", Parts(auditor=RootsPerClient)),
)
