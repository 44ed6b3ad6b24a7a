"""QRY: questions about the past."""

from __future__ import annotations

from bank_conformance.bank.shapes import Entry, EntryPage, read
from bank_conformance.deciders.filters import matches, wrong
from bank_conformance.verdict import Coverage, Decision, Finding
from bank_conformance.workloads.paging import PAGE, Paging, Traversal, paging

from .check import Check

COMPLETE = "the pages of a list show all that matches, once, in order, while it grows"
ENDS = "a list that is read page by page comes to its end"
FILTERS_MIN = 10


def complete_and_stable(record: Paging) -> Decision:
    """QRY-2: every traversal as a set and in order, against the history at rest."""
    findings: list[Finding] = []
    for one in record.traversals:
        if not one.ended:
            findings.append(Finding(ENDS, f"{_named(one)}: it does not end", one.pages[-3:]))
        elif error := wrong(_entries(one), one.query, len(record.before), record.after):
            findings.append(Finding(COMPLETE, f"{_named(one)}: {error}", one.pages))
    filters = {name for one in record.traversals for name in one.query} - {"order"}
    return Decision(
        tuple(findings),
        (
            Coverage("lists read to their end", len(record.traversals), 20),
            Coverage("filters", len(filters), FILTERS_MIN),
            Coverage("lists that grew while they were read", _grown(record), 8),
            Coverage("entries written meanwhile", len(record.after) - len(record.before), 20),
        ),
    )


def _entries(one: Traversal) -> list[Entry]:
    return [entry for page in one.pages for entry in read(page, EntryPage).items]


def _named(one: Traversal) -> str:
    told = ", ".join(f"{name} {value}" for name, value in one.query.items())
    return f"entries in pages of {PAGE}, {told}"


def _grown(record: Paging) -> int:
    """Count the lists that certainly got another match between their first and last page.

    What was booked by a command that was acknowledged in between is such a match.
    """
    written = [
        (operation.completed, read(operation, Entry))
        for operation in record.history
        if operation.ok and operation.call.route == "postEntry"
    ]
    return sum(
        any(
            one.pages[0].completed < at < one.pages[-1].invoked and matches(entry, _posted(one))
            for at, entry in written
        )
        for one in record.traversals
    )


def _posted(one: Traversal) -> dict[str, object]:
    """Return the filters but for the text: an acknowledgement need not show the narrative."""
    return {name: value for name, value in one.query.items() if name != "text"}


CHECKS = (Check("QRY-2", paging, complete_and_stable, needs=("filters",)),)
