"""TMP-5, TMP-6, TMP-7 and SHR-13: what the bank signs and proves, verified without it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from bank_conformance.bank.routes import ROUTES
from bank_conformance.bank.shapes import FeedEvent, read
from bank_conformance.deciders.scanner import Scanner
from bank_conformance.history import History, Operation
from bank_conformance.verdict import Coverage, Decision, Finding
from bank_conformance.verifiers import merkle, second
from bank_conformance.verifiers.checkpoint import Checkpoint
from bank_conformance.verifiers.encoding import VerificationError
from bank_conformance.verifiers.proofs import InclusionProof, Verification
from bank_conformance.workloads.evidence import Proof, size_of
from bank_conformance.workloads.proving import Proving, Round, proving
from bank_conformance.workloads.sealed_proofs import Erased, sealed_proofs

from .check import Check
from .evidence import Evidence, inconsistent, unproven
from .planted import not_erased

COVERED = "an event is covered by a signed checkpoint within the published time"
IN_THE_LOG = "an acknowledged command is in the log"
PROVEN = "the event of an acknowledged command has an inclusion proof under a signed checkpoint"
ONE_VIEW = "everybody is shown the same log"
GROWS = "a later checkpoint extends every earlier one"
AGREED = "a verifier that somebody else wrote finds what the bank says"
SHOWN = "the leaf that is proven is the event that the feed shows"
STILL_PROVEN = "after an erasure, what was signed before it is still proven"
SAME_LEAF = "an erasure changes no leaf of the log"
SEALED = "a leaf holds nothing personal in clear"
MEMBERS = ("partition", "position", "stream_id", "version", "type", "recorded_at", "data")
"""What the contract wants in every leaf, as the feed shows it."""

COMMANDS_MIN = 40
IDS = ("account_id", "transfer_id", "customer_id")


def every_command_proven(record: Proving) -> Decision:
    """TMP-5: from each acknowledgement to its event, and from the event to a signed root."""
    evidence = Evidence.under(record.keys)
    proofs = {(one.event.stream_id, one.event.version): one for one in record.proofs}
    findings = [*_uncovered(record.rounds)]
    claims = list(_claims(record.history))
    for operation, stream, version in claims:
        if (stream, version) not in proofs:
            text = f"{operation}: no proven event {version} of {stream}"
            findings.append(Finding(IN_THE_LOG, text, (operation,)))
    findings += unproven(evidence, record.proofs, merkle, PROVEN)
    return Decision(
        (*evidence.findings, *findings),
        (
            Coverage("acknowledged commands", len(claims), COMMANDS_MIN),
            Coverage("inclusion proofs", len(record.proofs), COMMANDS_MIN),
            Coverage("times at rest", len(record.rounds), 3),
        ),
    )


def _uncovered(rounds: list[Round]) -> Iterator[Finding]:
    for played in rounds:
        for event in played.events:
            checkpoint = played.checkpoints[event.partition]
            if event.position > size_of(checkpoint):
                place = f"partition {event.partition}, position {event.position} ({event.type})"
                yield Finding(COVERED, f"{place} is not: {checkpoint}", (checkpoint,))


def _claims(history: History) -> Iterator[tuple[Operation, str, int]]:
    """Return the acknowledged commands that name their aggregate and its version."""
    for operation in history:
        answer = operation.answer
        if not operation.ok or answer is None or not ROUTES[operation.call.route].writes:
            continue
        body: dict[str, Any] = answer.body if isinstance(answer.body, dict) else {}
        named = [body[name] for name in IDS if name in body]
        stream = named[0] if named else urlsplit(operation.call.url).path.split("/")[3]
        version = body.get("version", answer.etag_version)
        if version is not None:
            yield operation, stream, version


def one_log_for_all(record: Proving) -> Decision:
    """TMP-6: checkpoints of every auditor and address, compared and held against each other."""
    evidence = Evidence.under(record.keys)
    shown: dict[tuple[int, int], dict[bytes, Operation]] = {}
    signed, watched = list[tuple[str, Checkpoint]](), list[Operation]()
    for who, operation in record.views:
        checkpoint = evidence.checkpoint(operation) if operation.ok else None
        if checkpoint:
            signed.append((who, checkpoint))
            watched.append(operation)
            place = (checkpoint.partition, checkpoint.size)
            shown.setdefault(place, {}).setdefault(checkpoint.root, operation)
    findings = [*_split(shown), *_several_logs({one.log for _, one in signed})]
    findings += inconsistent(evidence, record.growths, merkle, GROWS)
    return Decision(
        (*evidence.findings, *findings),
        (
            Coverage("auditors and addresses", len({who for who, _ in signed}), 3),
            Coverage("checkpoints compared", len(watched), 24),
            Coverage("sizes compared", len(shown), 3),
            Coverage("consistency proofs", len(record.growths), 3),
        ),
    )


def _split(shown: dict[tuple[int, int], dict[bytes, Operation]]) -> Iterator[Finding]:
    for (partition, size), roots in shown.items():
        if len(roots) > 1:
            text = f"partition {partition} has {len(roots)} roots at size {size}"
            people = ", ".join(sorted({one.call.principal for one in roots.values()}))
            yield Finding(ONE_VIEW, f"{text}, shown to {people}", tuple(roots.values()))


def _several_logs(names: set[str]) -> Iterator[Finding]:
    if len(names) > 1:
        yield Finding(ONE_VIEW, f"the checkpoints are of {len(names)} logs: {sorted(names)}")


def third_party_agrees(record: Proving) -> Decision:
    """TMP-7: every proof by the second verifier, every leaf against the feed, and the bank's own
    verification.
    """
    evidence = Evidence.under(record.keys)
    findings = [*unproven(evidence, record.proofs, second, AGREED)]
    findings += inconsistent(evidence, record.growths, second, AGREED)
    for proof in record.proofs:
        if evidence.includes(proof, merkle) != evidence.includes(proof, second):
            text = f"{proof.operation}: the two verifiers of the suite disagree"
            findings.append(Finding(AGREED, text, (proof.operation,)))
        findings += _other_leaf(proof)
    findings += _own_verdict(record.verification, AGREED)
    return Decision(
        (*evidence.findings, *findings),
        (
            Coverage("leaves compared with the feed", len(record.proofs), COMMANDS_MIN),
            Coverage("consistency proofs", len(record.growths), 3),
            Coverage("verifications by the bank", int(record.verification is not None), 1),
        ),
    )


def _other_leaf(proof: Proof) -> Iterator[Finding]:
    """Compare a leaf with its event."""
    if not proof.operation.ok:
        return
    leaf = _leaf(proof)
    wrong = [name for name in MEMBERS if leaf.get(name) != _shown(proof.event)[name]]
    if wrong:
        text = f"{proof.operation}: the leaf has another {', '.join(wrong)} than the feed"
        yield Finding(SHOWN, text, (proof.operation,))


def _leaf(proof: Proof) -> dict[str, Any]:
    """Return the members of a leaf, none where it is no JSON object."""
    try:
        leaf = json.loads(read(proof.operation, InclusionProof).stored)
    except (VerificationError, ValueError, RecursionError):
        return {}
    return leaf if isinstance(leaf, dict) else {}


def _shown(event: FeedEvent) -> dict[str, Any]:
    return {name: getattr(event, name) for name in MEMBERS}


def _own_verdict(operation: Operation | None, expectation: str) -> Iterator[Finding]:
    """Return a finding where the bank itself says that its log is not what was signed."""
    if operation is not None:
        told = read(operation, Verification)
        if not told.ok or told.findings:
            yield Finding(expectation, f"the bank's own verification: {told}", (operation,))


def proven_after_erasure(record: Erased) -> Decision:
    """SHR-13: proofs under checkpoints from before an erasure, asked for before and after it."""
    if undone := not_erased(record.erasure):
        return undone
    evidence = Evidence.under(record.keys)
    if broken := [*unproven(evidence, record.before, merkle, STILL_PROVEN)]:
        return Decision(doubt=f"not even before the erasure: {broken[0].evidence}")
    findings = [*unproven(evidence, record.after, merkle, STILL_PROVEN)]
    findings += unproven(evidence, record.fresh, merkle, STILL_PROVEN)
    findings += inconsistent(evidence, record.growths, merkle, STILL_PROVEN)
    findings += _own_verdict(record.verification, STILL_PROVEN)
    findings += [*_changed(record), *_in_clear(record)]
    ours = [one for one in record.after if one.event.stream_id in record.streams]
    return Decision(
        (*evidence.findings, *findings),
        (
            Coverage("events of the subject, proven before and after", len(ours), 4),
            Coverage("proofs", len(record.after) + len(record.fresh), 20),
            Coverage("consistency proofs", len(record.growths), 1),
        ),
    )


def _changed(record: Erased) -> Iterator[Finding]:
    for before, after in zip(record.before, record.after, strict=True):
        if after.operation.ok and _bytes(before) != _bytes(after):
            text = f"{after.operation}: the leaf is another one than before the erasure"
            yield Finding(SAME_LEAF, text, (before.operation, after.operation))


def _in_clear(record: Erased) -> Iterator[Finding]:
    scanner = Scanner(record.canaries)
    for proof in (*record.before, *record.after, *record.fresh):
        for leak in scanner.scan(_bytes(proof)) if proof.operation.ok else ():
            text = f"{proof.operation}: the {leak.canary} ({leak.form}) is in the leaf"
            yield Finding(SEALED, text, (proof.operation,))


def _bytes(proof: Proof) -> bytes:
    try:
        return read(proof.operation, InclusionProof).stored
    except VerificationError:
        return b""


NEEDS = ("feed", "proofs", "receipts")

CHECKS = (
    Check("SHR-13", sealed_proofs, proven_after_erasure, needs=(*NEEDS, "erasure")),
    Check("TMP-5", proving, every_command_proven, needs=NEEDS),
    Check("TMP-6", proving, one_log_for_all, needs=NEEDS),
    Check("TMP-7", proving, third_party_agrees, needs=NEEDS),
)
