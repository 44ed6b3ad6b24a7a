"""CON-6 and CON-7: what a client has seen, and what its token promises, it sees again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bank_conformance.bank.shapes import EntryPage, read
from bank_conformance.deciders.realtime import Inversion
from bank_conformance.deciders.sessions import setbacks, successions
from bank_conformance.history import History, Operation, Outcome
from bank_conformance.model import Kind, Observation
from bank_conformance.verdict import Coverage, Decision, Finding
from bank_conformance.workloads.own_writes import OwnWrites, TokenRead, own_writes
from bank_conformance.workloads.visibility import Visibility, visibility

from .check import Check, pick

NEVER_LESS = "what a client was shown once, it is shown in every later read"
NEVER_OLDER = "a read with a consistency token shows all that the token covers, or is refused"
SAID_SO = "a read that cannot be as new as its token is refused with 409 not-yet-consistent"
EVERY_ANSWER = "every answer carries a consistency token"
NOT_YET = "not-yet-consistent"


def never_less_than_before(record: Visibility) -> Decision:
    """CON-6: the newest entry on the first page of every observer, look after look."""
    looks = list(_looks(record))
    return Decision(
        tuple(_set_back(record.history, session, found) for session, found in setbacks(looks)),
        (
            Coverage("reads", len(looks), 100),
            Coverage("that followed another of the same client", successions(looks), 90),
            Coverage("that showed more than the one before", _advances(looks), 50),
        ),
    )


def _looks(record: Visibility) -> Iterator[tuple[str, Observation]]:
    """Return every look at the newest page of a history: it claims the newest sequence on it."""
    for operation in record.history:
        newest_first = operation.call.route == "listEntries" and "order=desc" in operation.call.url
        if operation.ok and newest_first and "cursor=" not in operation.call.url:
            newest = max((entry.sequence for entry in read(operation, EntryPage).items), default=0)
            span = (operation.invoked, operation.completed)
            item = Observation(operation.index, Kind.READ, *span, Outcome.OK, version=newest)
            yield operation.session, item


def _advances(looks: Sequence[tuple[str, Observation]]) -> int:
    newest: dict[str, int] = {}
    count = 0
    for session, item in looks:
        count += (item.version or 0) > newest.get(session, 0)
        newest[session] = max(newest.get(session, 0), item.version or 0)
    return count


def _set_back(history: History, session: str, found: Inversion) -> Finding:
    earlier, later = found
    text = f"{session}: sequence {later.version} was the newest, after {earlier.version} was shown"
    return Finding(NEVER_LESS, text, pick(history, (earlier.operation, later.operation)))


def never_older_than_the_token(record: OwnWrites) -> Decision:
    """CON-7: every read with a token shows what the token's answer told of."""
    if not record.reads:
        return Decision(skip="the bank gives no Consistency-Token")
    findings: list[Finding] = []
    for one in record.reads:
        findings += _judge(one)
    for told in record.without:
        findings.append(Finding(EVERY_ANSWER, f"{told} has none", (told,), warning=True))
    answered = [one for one in record.reads if one.read.ok]
    refused = [one for one in record.reads if one.read.code == NOT_YET]
    lists = {one.read.call.route for one in answered}
    return Decision(
        tuple(findings),
        (
            Coverage("reads with a token answered", len(answered), 90),
            Coverage("kinds of lists", len(lists), 3),
            Coverage("refused as not yet consistent", len(refused)),
        ),
    )


def _judge(one: TokenRead) -> Iterator[Finding]:
    if one.read.ok:
        if missing := _missing(one):
            text = f"{one.read.session}: {missing}, with the token of the answer that told of it"
            yield Finding(NEVER_OLDER, text, (one.told, one.read))
    elif one.read.code != NOT_YET:
        yield Finding(SAID_SO, str(one.read), (one.told, one.read), warning=True)


def _missing(one: TokenRead) -> str:
    """Say what a page lacks that it should show; empty for nothing."""
    items = _items(one.read)
    if one.transfer_id:
        found = any(item.get("transfer_id") == one.transfer_id for item in items)
        return "" if found else f"transfer {one.transfer_id} is not in the list"
    newest = max((item.get("sequence", 0) for item in items), default=0)
    if newest >= one.sequence:
        return ""
    return f"the list shows sequence {newest} where {one.sequence} was acknowledged"


def _items(operation: Operation) -> list[dict[str, Any]]:
    body = operation.answer.body if operation.answer else None
    items = body.get("items") if isinstance(body, dict) else None
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


CHECKS = (
    Check("CON-6", visibility, never_less_than_before),
    Check("CON-7", own_writes, never_older_than_the_token),
)
