"""QRY-4: the totals of a day are the sum of its history, and the trial balance is zero."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from bank_conformance.deciders.daily import (
    Total,
    customers,
    day_of,
    grown,
    imbalance,
    reported,
    totals,
)
from bank_conformance.history import Operation
from bank_conformance.verdict import Coverage, Decision, Finding
from bank_conformance.workloads.reports import Day, Reports, reports

from .check import Check

THE_SUM = "what was booked is in the totals of its day on the declared basis, and nothing else is"
ZERO = "the trial balance adds up to zero in every currency"
TIES_OUT = "from one day's end to the next the customers' line moves by that day's totals"
OTHERS = "the reports move while the suite is at rest: somebody else is using this bank"


def ties_out(record: Reports) -> Decision:
    """QRY-4: what the reports grew by, against what was booked; every trial balance."""
    findings = [*_unbalanced(record), *_untied(record)]
    at_rest = record.before.at_rest and record.after.at_rest
    if at_rest:
        findings += _wrong(record)
    two_days = [one for one in record.entries if day_of(one, "BOOKING") != day_of(one, "VALUE")]
    reversed_legs = [one for one in record.entries if one.transfer_id in record.reversed_transfers]
    codes = {entry.code for entry in record.entries}
    return Decision(
        tuple(findings),
        (
            Coverage("entries", len(record.entries), 40),
            Coverage("transaction codes", len(codes), 7),
            Coverage("legs of transfers that were reversed", len(reversed_legs), 8),
            Coverage("entries that belong to two days", len(two_days), 10),
            Coverage("reports", len(record.before.first) + len(record.after.first), 20),
        ),
        doubt="" if at_rest else OTHERS,
    )


def _wrong(record: Reports) -> Iterator[Finding]:
    for day, after in record.after.second.items():
        before = reported(record.before.second[day], record.currency)
        more = grown(before, reported(after, record.currency))
        due = totals(record.entries, *day)
        for code in sorted(more.keys() | due.keys()):
            told, expected = more.get(code, Total()), due.get(code, Total())
            if told != expected:
                text = f"{_named(day)}, {code}: {_shown(told)} more, expected {_shown(expected)}"
                yield Finding(THE_SUM, text, _calls(record, day))


def _unbalanced(record: Reports) -> Iterator[Finding]:
    for day, report in record.after.second.items():
        for ours in report.currencies:
            if off := imbalance(ours):
                text = f"{_named(day)}: the trial balance adds up to {off} {ours.currency}"
                yield Finding(ZERO, text, (record.after.operations[day],))


def _untied(record: Reports) -> Iterator[Finding]:
    """Look at each two adjacent days, in the same reading and on the same basis."""
    read = record.after.second
    for day, report in read.items():
        eve = (str(date.fromisoformat(day[0]) - timedelta(1)), day[1])
        if eve not in read:
            continue
        moved = customers(report, record.currency) - customers(read[eve], record.currency)
        due = sum(one.credit - one.debit for one in reported(report, record.currency).values())
        if moved != due:
            text = f"{_named(day)}: customers' accounts moved by {moved}, the totals say {due}"
            calls = (record.after.operations[eve], record.after.operations[day])
            yield Finding(TIES_OUT, text, calls)


def _calls(record: Reports, day: Day) -> tuple[Operation, ...]:
    return record.before.operations[day], record.after.operations[day]


def _named(day: Day) -> str:
    return f"{day[0]} on the basis {day[1]}"


def _shown(total: Total) -> str:
    return f"{total.entries} entries (+{total.credit} -{total.debit})"


CHECKS = (Check("QRY-4", reports, ties_out, needs=("reports",)),)
