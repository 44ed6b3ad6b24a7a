"""ORD: what came first comes first, for everyone and for each client."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from bank_conformance.bank.observe import observations, traces
from bank_conformance.bank.shapes import Entry, read
from bank_conformance.deciders.realtime import Inversion, inversions
from bank_conformance.deciders.sessions import setbacks, successions
from bank_conformance.history import History, Outcome
from bank_conformance.model import Kind, Observation
from bank_conformance.verdict import Coverage, Decision, Finding
from bank_conformance.workloads.contention import Contention, contention

from .check import Check, pick

CLOSE_SECONDS = 0.05
"""Who is sent so soon after an answer finds a bank that may still be busy with what it answered."""

REAL_TIME = "what was sent after something else was acknowledged has the higher sequence"
IN_ORDER = "the commands of one client take effect in the order in which it sent them"


class Effect(NamedTuple):
    """A command that took effect on an account; its observation claims the entry's sequence."""

    account_id: str
    session: str
    item: Observation


def real_time_order(record: Contention) -> Decision:
    """ORD-2: the sequences of all entries of an account against the intervals of their commands."""
    effects = list(_effects(record))
    findings, close = list[Finding](), 0
    for account_id in record.accounts:
        ours = [effect.item for effect in effects if effect.account_id == account_id]
        findings += [_inverted(record.history, account_id, one) for one in inversions(ours)]
        close += _close(ours)
    return Decision(
        tuple(findings),
        (
            Coverage("effects ordered", len(effects), 100),
            Coverage("of them sent at once after another was acknowledged", close, 50),
        ),
    )


def order_of_each_client(record: Contention) -> Decision:
    """ORD-4: the same within each session, whose strong reads must show what it did before."""
    told = [((e.session, e.account_id), e.item) for e in (*_effects(record), *_reads(record))]
    return Decision(
        tuple(
            _set_back(record.history, session, account_id, found)
            for (session, account_id), found in setbacks(told)
        ),
        (
            Coverage("effects and strong reads", len(told), 150),
            Coverage("that followed another of the same client", successions(told), 100),
        ),
    )


def _effects(record: Contention) -> Iterator[Effect]:
    """Return the entries that were acknowledged, and both legs of the transfers that completed."""
    for operation in record.history:
        if operation.ok and operation.call.route in {"postEntry", "captureHold"}:
            booked = read(operation, Entry)
            kind = Kind.CREDIT if booked.direction == "CRDT" else Kind.DEBIT
            item = Observation(
                operation.index,
                kind,
                operation.invoked,
                operation.completed,
                Outcome.OK,
                version=booked.sequence,
                amount=booked.amount_minor,
            )
            yield Effect(booked.account_id, operation.session, item)
    yield from _legs(record)


def _legs(record: Contention) -> Iterator[Effect]:
    """Return the legs as read last, between the request and the first sight of the end."""
    known = traces(record.history)
    for entries in record.scans[-1].entries.values():
        for entry in entries:
            trace = known.get(entry.transfer_id or "")
            if trace is None or trace.ended is None:
                continue
            asked = trace.operations[0]
            item = Observation(
                asked.index,
                Kind.TRANSFER,
                asked.invoked,
                trace.ended,
                Outcome.OK,
                version=entry.sequence,
                amount=entry.amount_minor,
            )
            yield Effect(entry.account_id, asked.session, item)


def _reads(record: Contention) -> Iterator[Effect]:
    for account_id in record.accounts:
        for item in observations(record.history, account_id):
            if item.reading is not None and item.reading.sequence is not None:
                session = record.history[item.operation].session
                yield Effect(account_id, session, replace(item, version=item.reading.sequence))


def _close(items: Sequence[Observation]) -> int:
    """Count what was sent within `CLOSE_SECONDS` after another was acknowledged."""
    ends = sorted(item.completed for item in items)
    return sum(
        bisect_left(ends, item.invoked) > bisect_left(ends, item.invoked - CLOSE_SECONDS)
        for item in items
    )


def _inverted(history: History, account_id: str, found: Inversion) -> Finding:
    earlier, later = found
    text = f"account {account_id}: a {later.kind} has sequence {later.version}, although a"
    text += f" {earlier.kind} acknowledged before it was sent has {earlier.version}"
    return Finding(REAL_TIME, text, pick(history, (earlier.operation, later.operation)))


def _set_back(history: History, session: str, account_id: str, found: Inversion) -> Finding:
    earlier, later = found
    text = f"{session} on account {account_id}: a {later.kind} is at sequence {later.version},"
    text += f" and the {earlier.kind} that this client did before it at {earlier.version}"
    return Finding(IN_ORDER, text, pick(history, (earlier.operation, later.operation)))


CHECKS = (
    Check("ORD-2", contention, real_time_order),
    Check("ORD-4", contention, order_of_each_client),
)
