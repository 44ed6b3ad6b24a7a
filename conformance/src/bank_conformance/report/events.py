"""Calls as invocations and completions, the form in which Jepsen's tools read a history.

A process does one thing at a time there, and none after something of which it never heard the end.
So a session whose calls overlap, or go on after an unclear answer, becomes several processes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from math import inf
from typing import Any, NamedTuple

from bank_conformance.history import History, Operation, Outcome


class Span(NamedTuple):
    """Something that was done: by whom, from when to when, what was asked and what was told."""

    session: str
    invoked: float
    completed: float
    outcome: str
    f: str
    asked: Any
    told: Any


@dataclass(slots=True)
class _Lanes:
    """The processes of each session, and when each is free again."""

    free: dict[str, dict[int, float]] = field(default_factory=dict)
    count: int = 0

    def take(self, span: Span) -> int:
        """Return a process that is free for `span`."""
        ours = self.free.setdefault(span.session, {})
        process = next((one for one, at in ours.items() if at < span.invoked), self.count)
        self.count += process == self.count
        ours[process] = inf if span.outcome == Outcome.INFO else span.completed
        return process


def events(spans: Iterable[Span], started: float) -> list[dict[str, Any]]:
    """Return the events of `spans` in order of time, which is nanoseconds since `started`."""
    lanes = _Lanes()
    found: list[tuple[float, bool, dict[str, Any]]] = []
    for span in sorted(spans, key=lambda one: one.invoked):
        who = {"process": lanes.take(span), "session": span.session, "f": span.f}
        for at, ends in ((span.invoked, False), (span.completed, True)):
            kind = str(span.outcome) if ends else "invoke"
            told = span.told if ends else span.asked
            event = {"type": kind, **who, "time": round((at - started) * 1e9), "value": told}
            found.append((at, ends, event))
    found.sort(key=lambda one: one[:2])
    return [{"index": index, **event} for index, (_, _, event) in enumerate(found)]


def calls(history: History) -> list[dict[str, Any]]:
    """Return every call of a history, with the whole request and the whole answer."""
    return events(map(_call, history), history.started)


def _call(operation: Operation) -> Span:
    call, answer = operation.call, operation.answer
    request = {"method": call.method, "url": call.url, "key": call.key, "body": call.body}
    response = {"status": answer.status, "body": answer.body} if answer else {}
    sent = {"sent": [asdict(one) for one in operation.sent]} if operation.sent else {}
    return Span(
        operation.session,
        operation.invoked,
        operation.completed,
        operation.outcome,
        call.route,
        request,
        response | sent if answer else operation.error,
    )
