"""Which planted values do answers show?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from bank_conformance.bank.shapes import Erasure
from bank_conformance.deciders.scanner import Scanner
from bank_conformance.history import Operation
from bank_conformance.verdict import Decision, Finding
from bank_conformance.workloads.erasure import shown


def leaks(
    expectation: str, views: Iterable[Operation], canaries: Mapping[str, str], when: str
) -> Iterator[Finding]:
    """Return a finding for each canary that answers show; it is named, never quoted."""
    scanner, found = Scanner(canaries), defaultdict[str, dict[str, Operation]](dict)
    for view in views:
        for leak in scanner.scan(shown(view)):
            where = f"{view.call.route}, asked by {view.session}"
            found[f"{leak.canary} ({leak.form})"].setdefault(where, view)
    for what, shows in found.items():
        text = f"{when}: the {what} is shown by {'; '.join(shows)}"
        yield Finding(expectation, text, (next(iter(shows.values())),))


def readable(views: Iterable[Operation], canaries: Mapping[str, str]) -> set[str]:
    """Return the names of the canaries that some answer shows."""
    scanner = Scanner(canaries)
    return {leak.canary for view in views if view.ok for leak in scanner.scan(shown(view))}


def not_erased(erasure: Erasure | None) -> Decision | None:
    """Return the decision where an erasure was not carried out, so that nothing can be said."""
    if erasure is not None and erasure.state == "ON_LEGAL_HOLD":
        return Decision(skip=f"the erasure is on legal hold until {erasure.until}")
    if erasure is None or erasure.state != "ERASED":
        return Decision(doubt=f"the erasure did not end: {erasure.state if erasure else 'none'}")
    return None
