"""What requirements about evidence share: reading what was signed, and trying a proof."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from bank_conformance.bank.shapes import ShapeError, read
from bank_conformance.history import Operation
from bank_conformance.verdict import Finding
from bank_conformance.verifiers.checkpoint import Checkpoint, read_checkpoint
from bank_conformance.verifiers.encoding import VerificationError
from bank_conformance.verifiers.jws import Keys, read_keys
from bank_conformance.verifiers.proofs import (
    ConsistencyProof,
    InclusionProof,
    ShownCheckpoint,
    Verifier,
)
from bank_conformance.workloads.evidence import Growth, Proof

PUBLISHED = "the bank publishes the keys that verify what it signs"
SIGNED = "a checkpoint is signed with a published key, and says what is shown beside it"


@dataclass(slots=True)
class Evidence:
    """The checkpoints of a record, each verified once; what is wrong with them are `findings`."""

    keys: Keys
    findings: list[Finding] = field(default_factory=list)
    known: dict[int, Checkpoint | None] = field(default_factory=dict)

    @classmethod
    def under(cls, answer: Operation) -> Evidence:
        """Return the evidence under the keys of an answer."""
        evidence = cls({})
        try:
            evidence.keys = read_keys(answer.answer.text if answer.ok and answer.answer else "")
        except VerificationError as error:
            evidence.findings.append(Finding(PUBLISHED, f"{answer}: {error}", (answer,)))
        return evidence

    def checkpoint(self, operation: Operation) -> Checkpoint | None:
        """Return what was signed, None where it cannot be believed."""
        if operation.index not in self.known:
            self.known[operation.index] = self._signed(operation) if self.keys else None
        return self.known[operation.index]

    def _signed(self, operation: Operation) -> Checkpoint | None:
        try:
            shown = read(operation, ShownCheckpoint)
            signed = read_checkpoint(shown.jws, self.keys)
            if shown.repeats(signed):
                return signed
            error = "what it shows is not what is signed"
        except VerificationError as refused:
            error = str(refused)
        self.findings.append(Finding(SIGNED, f"{operation}: {error}", (operation,)))
        return None

    def includes(self, proof: Proof, by: Verifier) -> str:
        """Say why an inclusion proof proves nothing; empty when it proves its event."""
        return _objection(proof.operation, lambda: self._includes(proof, by))

    def _includes(self, proof: Proof, by: Verifier) -> str:
        signed = self.checkpoint(proof.checkpoint)
        shown = read(proof.operation, InclusionProof)
        if signed is None or shown.leaf_index != proof.event.position - 1:
            return "it is not about this event under a signed checkpoint"
        return "" if shown.holds(signed, by) else "it does not lead to the signed root"

    def extends(self, growth: Growth, by: Verifier) -> str:
        """Say why a consistency proof proves nothing; empty when it proves that the log grew."""
        return _objection(growth.operation, lambda: self._extends(growth, by))

    def _extends(self, growth: Growth, by: Verifier) -> str:
        old, new = self.checkpoint(growth.old), self.checkpoint(growth.new)
        if old is None or new is None:
            return "it is not between two signed checkpoints"
        shown = read(growth.operation, ConsistencyProof)
        return "" if shown.holds(old, new, by) else "it does not lead to the two signed roots"


def _objection(operation: Operation, attempt: Callable[[], str]) -> str:
    if not operation.ok:
        return "it was not given"
    try:
        return attempt()
    except (VerificationError, ShapeError) as error:
        return str(error)


def unproven(
    evidence: Evidence, proofs: Iterable[Proof], by: Verifier, expectation: str
) -> Iterator[Finding]:
    """Return a finding for each inclusion proof that proves nothing."""
    for proof in proofs:
        if objection := evidence.includes(proof, by):
            event = proof.event
            place = f"partition {event.partition}, position {event.position} ({event.type})"
            text = f"{place}: {objection}: {proof.operation}"
            yield Finding(expectation, text, (proof.checkpoint, proof.operation))


def inconsistent(
    evidence: Evidence, growths: Iterable[Growth], by: Verifier, expectation: str
) -> Iterator[Finding]:
    """Return a finding for each consistency proof that proves nothing."""
    for growth in growths:
        if objection := evidence.extends(growth, by):
            text = f"{growth.operation}: {objection}"
            yield Finding(expectation, text, (growth.old, growth.new, growth.operation))
