"""QRY-1: balances under both clocks are folds of the history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from bank_conformance.bank.past import Balance
from bank_conformance.bank.shapes import read
from bank_conformance.deciders.two_clocks import balance
from bank_conformance.verdict import Coverage, Decision, Finding
from bank_conformance.workloads.temporal import Question, Temporal, temporal

from .check import Check

THE_FOLD = "a balance is the sum of the entries that counted by then, of those known by then"
ANSWERED = "a question about the past is answered"


def both_clocks(record: Temporal) -> Decision:
    """QRY-1: every answer, also those given long before, against the history at rest."""
    findings = [one for question in record.questions for one in _judge(record, question)]
    answered = [question for question in record.questions if question.operation.ok]
    asked = Counter((one.account_id, one.as_of, one.known_at) for one in answered)
    return Decision(
        tuple(findings),
        (
            Coverage("balances", len(answered), 200),
            Coverage("that one clock alone gets wrong", _telling(record, answered), 50),
            Coverage("asked again later", sum(count > 1 for count in asked.values()), 50),
        ),
    )


def _judge(record: Temporal, question: Question) -> Iterator[Finding]:
    operation = question.operation
    if not operation.ok:
        yield Finding(ANSWERED, str(operation), (operation,), warning=True)
        return
    told = read(operation, Balance).booked_minor
    entries = record.final.entries[question.account_id]
    due = balance(entries, question.as_of, question.known_at)
    if told != due:
        text = f"as of {question.as_of or 'any day'}, known at {question.known_at or 'any time'}"
        yield Finding(
            THE_FOLD, f"account {question.account_id} {text}: {told}, expected {due}", (operation,)
        )


def _telling(record: Temporal, answered: list[Question]) -> int:
    """Count the questions that tell a bank with one clock from one with two."""
    count = 0
    for one in answered:
        entries = record.final.entries[one.account_id]
        due = balance(entries, one.as_of, one.known_at)
        alone = balance(entries, one.as_of, None), balance(entries, None, one.known_at)
        count += due not in alone
    return count


CHECKS = (Check("QRY-1", temporal, both_clocks, needs=("temporal",)),)
