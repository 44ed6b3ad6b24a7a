"""SHR: what a bank keeps of personal data: on disk, in logs, and in back-ups."""

from __future__ import annotations

from collections.abc import Iterator

from bank_conformance.verdict import Coverage, Decision, Finding
from bank_conformance.workloads.copies import Copies, copies
from bank_conformance.workloads.restoring import Restoring, restoring

from .check import Check
from .planted import leaks, not_erased, readable

CLEAN = (
    "what is stored or logged holds no personal data in clear, and no digest that can be guessed"
)
UNREADABLE = "what was erased stays unreadable when a back-up from before is put in place"
REFUSED = "commands for somebody erased are refused, also when a back-up from before is in place"
OTHERS = "what nobody erased is readable when a back-up is put in place"


def copies_are_clean(record: Copies) -> Decision:
    """SHR-2: no copy shows a canary; a planted one is found, and so are the subject's ids."""
    undone = not_erased(record.erasure)
    findings = [*_sightings(record)]
    if undone and not findings:
        return undone
    before = readable(record.control, record.canaries)
    dumps = [copy for copy in record.copies if copy.what == "dump"]
    marked = sum(
        any(sighting.leak.canary in record.marks for sighting in dump.search.sightings)
        for dump in dumps
    )
    searched = sum(copy.search.size_bytes for copy in record.copies)
    return Decision(
        tuple(findings),
        (
            Coverage("canaries readable before", len(before), len(record.canaries)),
            Coverage("dumps that hold an id of the subject", marked, 2),
            Coverage("kinds of planted canaries found", len(record.found), len(record.planted)),
            Coverage("files searched", sum(copy.search.files for copy in record.copies), 2),
            Coverage("kB of them", searched // 1000),
        ),
    )


def _sightings(record: Copies) -> Iterator[Finding]:
    for copy in record.copies:
        for file, leak in copy.search.sightings:
            if leak.canary not in record.marks:
                where = f"{file} in the {copy.what} {copy.when}, at byte {leak.place:,}"
                yield Finding(CLEAN, f"the {leak.canary} ({leak.form}) stands in {where}")


def backup_brings_nobody_back(record: Restoring) -> Decision:
    """SHR-3: after the restore the subject is neither shown nor served, and all others are."""
    if undone := not_erased(record.erasure):
        return undone
    subject, other = record.subject.canaries, record.other.canaries
    findings = [*leaks(UNREADABLE, record.views, subject, "after the restore")]
    opened = record.commands[0]
    if opened.ok:
        findings.append(Finding(REFUSED, f"after the restore: {opened}", (opened,)))
    missing = sorted(set(other) - readable(record.other_views, other))
    if missing:
        text = f"after the restore the other party is shown without: {', '.join(missing)}"
        findings.append(Finding(OTHERS, text, tuple(record.other_views)))
    before = readable(record.control, subject | other)
    gone = sum(one.status == 404 for one in record.newer)  # noqa: PLR2004  no such customer
    answered = sum(view.answer is not None for view in record.views + record.other_views)
    return Decision(
        tuple(findings),
        (
            Coverage("canaries readable before", len(before), len(subject | other)),
            Coverage("customers gone who are newer than the back-up", gone, 1),
            Coverage("answers scanned after the restore", answered, 20),
        ),
    )


CHECKS = (
    Check("SHR-2", copies, copies_are_clean, needs=("erasure",), hooks=("dump", "logs")),
    Check(
        "SHR-3",
        restoring,
        backup_brings_nobody_back,
        needs=("erasure",),
        hooks=("backup", "restore", "stop", "start"),
    ),
)
