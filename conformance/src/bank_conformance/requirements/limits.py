"""CON-2: no account is ever below its limit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate

from bank_conformance.bank.observe import observations
from bank_conformance.bank.shapes import Entry
from bank_conformance.deciders.prefix_sums import lows
from bank_conformance.history import Outcome
from bank_conformance.model import INSUFFICIENT, Kind, Observation
from bank_conformance.verdict import Coverage, Decision, Finding
from bank_conformance.workloads.contention import Contention, contention

from .check import Check, pick

NEVER_BELOW = "at no prefix of its history is an account below its limit"
NEVER_SEEN_BELOW = "no strong read shows less than nothing available"


def never_below_limit(record: Contention) -> Decision:
    """CON-2: the minimum over all prefixes of every history, and over all strong reads."""
    findings: list[Finding] = []
    last, tight = record.scans[-1], 0
    for account_id, entries in last.entries.items():
        ours = observations(record.history, account_id)
        floors = [-_limit(ours, entry.version) for entry in entries]
        findings += _below(record, account_id, entries, floors, ours)
        findings += _seen_below(record, account_id, ours)
        tight += _tight(entries, floors)
    summed = sum(len(entries) for entries in last.entries.values())
    refused = sum(operation.code == INSUFFICIENT for operation in record.history)
    return Decision(
        tuple(findings),
        (
            Coverage("prefixes summed", summed, 100),
            Coverage("debits that could not have been booked twice", tight, 10),
            Coverage("refusals for want of money", refused, 10),
        ),
    )


def _limit(items: Sequence[Observation], version: int) -> int:
    """Return how far below zero the account may be at `version`: the widest that is possible.

    A credit line without a clear answer, or one that names no version, may hold at any version.
    """
    lines = [item for item in items if item.kind in {Kind.OPEN, Kind.CREDIT_LINE}]
    placed = [
        (item.version, item.amount) for item in lines if item.writes and item.version is not None
    ]
    before = [pair for pair in placed if pair[0] <= version]
    known = max(before, key=lambda pair: pair[0], default=(0, 0))[1]
    unplaced = [
        item.amount
        for item in lines
        if item.outcome is Outcome.INFO or (item.writes and item.version is None)
    ]
    return max([known, *unplaced])


def _below(
    record: Contention,
    account_id: str,
    entries: Sequence[Entry],
    floors: Sequence[int],
    items: Sequence[Observation],
) -> Iterator[Finding]:
    claimed = {item.version: item.operation for item in items if item.steps}
    for low in lows((entry.signed_minor for entry in entries), floors):
        entry = entries[low.place]
        text = f"account {account_id}: {low.total_minor} minor units after entry {entry.sequence}"
        around = entries[max(0, low.place - 2) : low.place + 1]
        indexes = [claimed[one.version] for one in around if one.version in claimed]
        calls = pick(record.history, indexes)
        yield Finding(NEVER_BELOW, f"{text}, its limit is {low.floor_minor}", calls)


def _seen_below(
    record: Contention, account_id: str, items: Sequence[Observation]
) -> Iterator[Finding]:
    for item in items:
        if item.reading is not None and item.reading.available < 0:
            text = f"account {account_id}: {item.reading.available} minor units available"
            yield Finding(NEVER_SEEN_BELOW, text, pick(record.history, (item.operation,)))


def _tight(entries: Sequence[Entry], floors: Sequence[int]) -> int:
    """Count the debits that would have taken the account below its limit, had they come twice."""
    totals = accumulate(entry.signed_minor for entry in entries)
    return sum(
        entry.direction == "DBIT" and total - entry.amount_minor < floor
        for entry, total, floor in zip(entries, totals, floors, strict=True)
    )


CHECKS = (Check("CON-2", contention, never_below_limit),)
