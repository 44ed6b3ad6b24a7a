"""TMP-1 to TMP-4: what is done to the stored log behind the bank's back is found."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bank_conformance.bank.shapes import read
from bank_conformance.history import Operation
from bank_conformance.verdict import Coverage, Decision, Finding
from bank_conformance.verifiers import merkle
from bank_conformance.verifiers.proofs import Verification
from bank_conformance.workloads.tampering import (
    Forgery,
    Tampering,
    altered,
    rearranged,
    rewritten,
    truncated,
)

from .check import Check
from .evidence import Evidence

CALM = "the verification of a log that nobody touched finds nothing"
LOCATED = "an altered byte is found, and the first place that is named is its own"
FOUND = "what was removed, inserted or reordered is found in its partition"
CUT = "a log that was cut off is found by a checkpoint that is held outside"
REWRITTEN = "a log that was rewritten is found by a checkpoint that is held outside"
NO_PROOF = "nothing proves that a forged log extends a checkpoint from before"

Judge = Callable[[Forgery, Verification], str]
"""Says what a verification missed; empty when it found the forgery."""


def alterations_located(record: Tampering) -> Decision:
    """TMP-1: the bank's verification names the place of each altered byte."""
    return _decide(record, LOCATED, _unlocated, 2)


def rearrangements_found(record: Tampering) -> Decision:
    """TMP-2: the bank's verification finds removal, insertion and reordering."""
    return _decide(record, FOUND, _unnoticed, 3)


def truncation_found(record: Tampering) -> Decision:
    """TMP-3: the bank, given a checkpoint that the suite holds, and the suite's own verifier."""
    return _decide(record, CUT, _unnoticed, 2, outside=True)


def rewriting_found(record: Tampering) -> Decision:
    """TMP-4: the bank, given a checkpoint that the suite holds, and the suite's own verifier."""
    return _decide(record, REWRITTEN, _unnoticed, 1, outside=True)


def _unlocated(forgery: Forgery, told: Verification) -> str:
    _, partition, position = forgery.aim
    named = [(one.partition, one.position) for one in told.findings if one.position is not None]
    return "" if named and min(named) == (partition, position) else "is not located"


def _unnoticed(forgery: Forgery, told: Verification) -> str:
    partitions = {one.partition for one in told.findings}
    return "" if not told.ok and forgery.aim.partition in partitions else "is not found"


def _decide(
    record: Tampering, expectation: str, missed: Judge, forgeries: int, *, outside: bool = False
) -> Decision:
    """Judge every forgery; with `outside`, the proof that nobody could give is looked at too."""
    evidence = Evidence.under(record.keys)
    findings, judged = list[Finding](), 0
    for forgery in record.forgeries:
        findings += _uncalm(forgery)
        if forgery.after is None or not forgery.after.ok:
            continue
        judged += 1
        told = read(forgery.after, Verification)
        if what := missed(forgery, told):
            text = f"{forgery.aim} {what}: the bank's verification says: {told}"
            findings.append(Finding(expectation, text, _calls(forgery)))
        if outside and forgery.growth and not evidence.extends(forgery.growth, merkle):
            text = f"{forgery.aim}: {forgery.growth.operation} leads to both signed roots"
            findings.append(Finding(NO_PROOF, text, (forgery.growth.operation,)))
    undone = [one for one in record.forgeries if one.undone and one.undone.ok]
    refused = [one.refused for one in record.forgeries if one.refused]
    return Decision(
        (*evidence.findings, *findings),
        (
            Coverage("forgeries", judged, forgeries),
            Coverage("controls", len(undone) + 1, forgeries + 1),
        ),
        doubt=f"the bank did not start on a forged log: {refused[0]}" if refused else "",
    )


def _uncalm(forgery: Forgery) -> Iterator[Finding]:
    """Return a finding where the bank cries without cause."""
    for control in (forgery.before, forgery.undone):
        if control is not None and control.ok and not read(control, Verification).ok:
            text = f"around {forgery.aim}: {read(control, Verification)}"
            yield Finding(CALM, text, (control,))


def _calls(forgery: Forgery) -> tuple[Operation, ...]:
    growth = (forgery.growth.operation,) if forgery.growth else ()
    return (*((forgery.after,) if forgery.after else ()), *growth)


NEEDS = ("feed", "proofs", "receipts")
HOOKS = ("stop", "start", "backup", "restore", "mutate")

CHECKS = (
    Check("TMP-1", altered, alterations_located, NEEDS, HOOKS),
    Check("TMP-2", rearranged, rearrangements_found, NEEDS, HOOKS),
    Check("TMP-3", truncated, truncation_found, NEEDS, HOOKS),
    Check("TMP-4", rewritten, rewriting_found, NEEDS, HOOKS),
)
