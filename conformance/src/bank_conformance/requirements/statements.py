"""QRY-3: statements chain, and a closed period is the same for ever."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from bank_conformance.bank.past import Statement
from bank_conformance.bank.shapes import read
from bank_conformance.deciders.statements import broken_link, wrong
from bank_conformance.history import Operation
from bank_conformance.verdict import Coverage, Decision, Finding
from bank_conformance.workloads.statements import Asked, Period, Statements, statements

from .check import Check

RIGHT = "a statement has the period's entries in order, and opening plus entries is closing"
CHAINS = "the next statement opens where this one closes, and no entry is in neither or both"
FOR_EVER = "a closed period is answered with the same bytes for ever"
STILL_OPEN = "a period that has not passed has no statement: 422 period-open"
ANSWERED = "the statement of a closed period is answered"


def chained_and_final(record: Statements) -> Decision:
    """QRY-3: every statement against the history, its neighbour, and its own repetitions."""
    answered = [one for one in record.asked if one.operation.ok]
    findings = [*_unanswered(record), *_wrong(record, answered)]
    findings += [*_broken(record, answered), *_changed(answered), *_open(record)]
    repeated = {one.period for one in answered if one.when == "later"}
    backdated = [one for one in record.entries if one.value_date != one.booking_time[:10]]
    return Decision(
        tuple(findings),
        (
            Coverage("statements", len(answered), 30),
            Coverage("while the account was written to", _count(answered, "meanwhile"), 8),
            Coverage("adjacent periods", len(record.periods), 6),
            Coverage("asked again after more was booked", len(repeated), 12),
            Coverage("entries with a value date of another day", len(backdated), 20),
            Coverage("asked again after an erasure", _count(answered, "after the erasure")),
        ),
    )


def _count(answered: list[Asked], when: str) -> int:
    return sum(one.when == when for one in answered)


def _named(period: Period) -> str:
    return f"the statement from {period[0]} to {period[1]}"


def _unanswered(record: Statements) -> Iterator[Finding]:
    for one in record.asked:
        if not one.operation.ok:
            yield Finding(ANSWERED, str(one.operation), (one.operation,), warning=True)


def _wrong(record: Statements, answered: list[Asked]) -> Iterator[Finding]:
    for one in answered:
        if error := wrong(read(one.operation, Statement), record.entries, one.period):
            yield Finding(RIGHT, f"{_named(one.period)}, {one.when}: {error}", (one.operation,))


def _broken(record: Statements, answered: list[Asked]) -> Iterator[Finding]:
    at_rest = {one.period: one.operation for one in answered if one.when == "at rest"}
    for pair in pairwise(record.periods):
        if all(period in at_rest for period in pair):
            calls = tuple(at_rest[period] for period in pair)
            if error := broken_link(*(read(call, Statement) for call in calls)):
                yield Finding(CHAINS, f"at {pair[1][0]}: {error}", calls)


def _changed(answered: list[Asked]) -> Iterator[Finding]:
    first: dict[Period, Asked] = {}
    for one in answered:
        before = first.setdefault(one.period, one).operation
        if _text(before) != _text(one.operation):
            text = f"{_named(one.period)} was asked for {one.when} and answered otherwise"
            yield Finding(FOR_EVER, text, (before, one.operation))


def _text(operation: Operation) -> str:
    return operation.answer.text if operation.answer else ""


def _open(record: Statements) -> Iterator[Finding]:
    asked = record.open_period
    if asked is None:
        return
    if asked.ok:
        yield Finding(STILL_OPEN, f"{asked}: a statement until tomorrow", (asked,))
    elif asked.code != "period-open":
        yield Finding(STILL_OPEN, str(asked), (asked,), warning=True)


CHECKS = (Check("QRY-3", statements, chained_and_final, needs=("statements",)),)
