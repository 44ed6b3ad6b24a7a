"""CON-4, CON-10 and DUR-4: read models are the fold of the log, through kills and rebuilds."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from bank_conformance.deciders.folding import Folded, is_whole
from bank_conformance.history import Operation
from bank_conformance.verdict import Coverage, Decision, Finding
from bank_conformance.workloads.projection import ACCOUNTS, Projection, projection
from bank_conformance.workloads.rebuild import Rebuild, rebuild, shown

from .check import Check

FOLD = "what a read model shows at a position is the fold of the log up to there"
ONCE = "after kills every entry of the log is in its history exactly once"
KILLS = ("kill", "start")
LISTS = 2 * ACCOUNTS + 1
"""The newest entries and the transfers of each account, and the accounts."""
IDENTICAL = "a read model that is built anew is identical"


def read_models_are_folds(record: Projection) -> Decision:
    """CON-4: every row that a list ever showed, against the log at the row's own position."""
    folded = record.folded()
    findings = [
        Finding(FOLD, told, (page,)) for page in record.lists for told in folded.page_differs(page)
    ]
    findings += _at_rest(record, folded, FOLD)
    answered = [page for page in record.lists if page.ok]
    return _decision(
        record,
        findings,
        Coverage("lists read", len(answered), 30),
        Coverage("entries compared", sum(map(len, record.rest.entries.values())), 60),
        Coverage("transfers in the log", _transfers(record, folded), 15),
        Coverage("feed events", len(record.events), 100),
        Coverage("kills in between", len(record.outages)),
    )


def exactly_once(record: Projection) -> Decision:
    """DUR-4: after kills, histories, lists and log have the same, each once."""
    folded = record.folded()
    booked = sum(len(folded.booked.get(one, ())) for one in record.accounts)
    return _decision(
        record,
        [*_at_rest(record, folded, ONCE)],
        Coverage("kills", len(record.outages), 3),
        Coverage("entries in the log", booked, 60),
        Coverage("transfers in the log", _transfers(record, folded), 15),
    )


def _decision(record: Projection, findings: list[Finding], *coverage: Coverage) -> Decision:
    """Decide, unless the log was not read to an end that holds still: it explains nothing then."""
    whole = Coverage("lists read at rest", sum(map(is_whole, record.at_rest)), LISTS)
    doubt = record.rest.doubt
    return Decision(() if doubt else tuple(findings), (*coverage, whole), doubt=doubt)


def _transfers(record: Projection, folded: Folded) -> int:
    """How many transfers the lists must show at rest."""
    return len(set().union(*map(folded.due, record.accounts)))


def _at_rest(record: Projection, folded: Folded, promise: str) -> Iterator[Finding]:
    """Say what the histories and lists at rest have too little of, or too much."""
    for account_id in record.accounts:
        entries = record.rest.entries.get(account_id, [])
        log = folded.entries.get(account_id, {})
        missing = sorted(log.keys() - {entry.sequence for entry in entries})
        calls = _calls(record, account_id)
        if missing:
            text = f"{account_id}: {len(missing)} of {len(log)} entries are missing: {missing[:10]}"
            yield Finding(promise, text, calls)
        for told in folded.entries_differ(account_id, entries):
            yield Finding(promise, told, calls)
        for event in folded.again.get(account_id, ()):
            text = (
                f"{account_id}: version {event.version} books entry {event.data['sequence']} again"
            )
            yield Finding(promise, text, calls)
    for page in record.at_rest:
        for told in record.unlike(folded, page):
            yield Finding(promise, told, (page,))


def _calls(record: Projection, account_id: str) -> tuple[Operation, ...]:
    """Return the lists of an account at rest."""
    return tuple(one for one in record.at_rest if account_id in one.call.url)


def identical_when_rebuilt(record: Rebuild) -> Decision:
    """CON-10: the same reads before and after, compared item by item."""
    findings = [
        Finding(IDENTICAL, f"{before.call.url}: {text}", (before, after))
        for before, after in zip(record.before, record.after, strict=True)
        for text in _changes(shown(before), shown(after))
    ]
    items = sum(len(shown(one)) for one in record.before if one.ok)
    return Decision(
        tuple(findings),
        (
            Coverage("lists read twice", sum(one.ok for one in record.before), 10),
            Coverage("rows compared", items, 60),
        ),
    )


def _changes(before: Any, after: Any) -> Iterator[str]:
    if not isinstance(before, list) or not isinstance(after, list):
        if before != after:
            yield f"{str(before)[:80]} became {str(after)[:80]}"
        return
    for place, (old, new) in enumerate(zip_longest(before, after), start=1):
        if old == new:
            continue
        if old is None or new is None:
            yield f"row {place} {'is gone' if new is None else 'is new'}"
        else:
            names = sorted(
                name for name in old.keys() | new.keys() if old.get(name) != new.get(name)
            )
            yield f"row {place} differs in {', '.join(names)}"


CHECKS = (
    Check("CON-4", projection, read_models_are_folds, needs=("feed",), uses=KILLS),
    Check("DUR-4", projection, exactly_once, needs=("feed",), hooks=KILLS),
    Check("CON-10", rebuild, identical_when_rebuilt, hooks=("rebuild", "start")),
)
