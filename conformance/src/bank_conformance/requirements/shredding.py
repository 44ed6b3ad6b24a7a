"""SHR: personal data is unreadable once its key is destroyed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from bank_conformance.deciders.scanner import Scanner
from bank_conformance.history import Operation
from bank_conformance.verdict import Coverage, Decision, Finding
from bank_conformance.workloads.erasure import Shredding, erasure, shown

from .check import Check

CLEAN = "after an erasure nothing that the bank shows contains the subject's personal data"
KEPT = "the other party's own copy of a narrative stays readable"


def no_canary_shown(record: Shredding) -> Decision:
    """SHR-1: scan everything the bank shows after an erasure; what was planted was readable
    before.
    """
    if record.erasure.state == "ON_LEGAL_HOLD":
        return Decision(skip=f"the erasure is on legal hold until {record.erasure.until}")
    if record.erasure.state != "ERASED":
        return Decision(doubt=f"the erasure did not end: it is {record.erasure.state}")
    everywhere, private = record.canaries(), record.personal_canaries()
    readable = {leak for view in record.control for leak in _names(everywhere, view)}
    kept = {leak for view in record.shared_views for leak in _names(everywhere, view)}
    findings = [*_leaks(record.views, everywhere), *_leaks(record.shared_views, private)]
    if "shared narrative" not in kept:
        findings.append(Finding(KEPT, "it is gone with the subject's", tuple(record.shared_views)))
    answered = [view for view in record.views if view.answer]
    return Decision(
        tuple(findings),
        (
            Coverage("canaries readable before", len(readable), len(everywhere)),
            Coverage("answers scanned", len(answered) + len(record.shared_views), 20),
            Coverage("ms after the erasure's answer", round(1000 * record.effective_seconds)),
        ),
    )


def _names(canaries: Mapping[str, str], view: Operation) -> list[str]:
    return [leak.canary for leak in Scanner(canaries).scan(shown(view))] if view.ok else []


def _leaks(views: Iterable[Operation], canaries: Mapping[str, str]) -> Iterator[Finding]:
    scanner = Scanner(canaries)
    for view in views:
        for leak in scanner.scan(shown(view)):
            where = f"{view.call.method} {view.call.url}, asked by {view.call.principal}"
            yield Finding(CLEAN, f"the {leak.canary} ({leak.form}) is shown by {where}", (view,))


CHECKS = (Check("SHR-1", erasure, no_canary_shown, needs=("erasure",)),)
