"""SEC: nobody reads or moves what is not theirs."""

from __future__ import annotations

from collections.abc import Iterator

from bank_conformance.bank.shapes import difference
from bank_conformance.deciders.scanner import Scanner
from bank_conformance.history import Operation, Outcome
from bank_conformance.verdict import Coverage, Decision, Finding
from bank_conformance.workloads.access import Access, Attempt, access
from bank_conformance.workloads.erasure import shown
from bank_conformance.workloads.forgeries import forgeries

from .check import Check

REFUSED = "a call without a valid token, a sufficient scope or ownership is refused"
SILENT = "a refusal shows nothing of what it protects"
UNTOUCHED = "a refused call has no effect"
LISTS = {"listAccounts", "listTransfers", "listEntries"}
ROUTES_MIN, REFUSALS_MIN = 20, 100
DECIDED_BY_A_RULE = {409, 412, 422}
"""Answers of somebody who already opened the door and looked inside."""


def nobody_gets_in(record: Access) -> Decision:
    """SEC-1: every principal of the matrix on every route, with the owner as the control."""
    scanner = Scanner(record.secrets)
    findings: list[Finding] = []
    for attempt in record.attempts:
        findings += _judge(attempt, record, scanner)
    findings += _moved(record)
    allowed = [operation for operation in record.controls if operation.ok]
    routes = {attempt.operation.call.route for attempt in record.attempts}
    return Decision(
        tuple(findings),
        (
            Coverage("refusals expected", len(record.attempts), int(REFUSALS_MIN * record.share)),
            Coverage("routes", len(routes), int(ROUTES_MIN * record.share)),
            Coverage("of the owner's own reads allowed", len(allowed), len(record.controls)),
            Coverage("expired tokens tried", int(record.expiry_tried)),
        ),
    )


def false_tokens_refused(record: Access) -> Decision:
    """SEC-3: tokens that were forged, have expired or do not reach, on routes they would open."""
    forgers = {attempt.who.label for attempt in record.attempts if not attempt.authenticated}
    if not forgers:
        return Decision(skip="the bank's tokens are no JWTs, and none can be made to expire")
    scanner = Scanner(record.secrets)
    findings: list[Finding] = []
    for attempt in record.attempts:
        findings += _judge(attempt, record, scanner)
    findings += _moved(record)
    allowed = [operation for operation in record.controls if operation.ok]
    limited = {attempt.who.label for attempt in record.attempts if attempt.authenticated}
    return Decision(
        tuple(findings),
        (
            Coverage("refusals expected", len(record.attempts), int(REFUSALS_MIN * record.share)),
            Coverage("kinds of false tokens", len(forgers), 12),
            Coverage("tokens with too few scopes", len(limited), 2 * record.scopes),
            Coverage("reads that the real token may", len(allowed), 2),
            Coverage("expired tokens tried", int(record.expiry_tried)),
        ),
    )


def _judge(attempt: Attempt, record: Access, scanner: Scanner) -> Iterator[Finding]:
    operation = attempt.operation
    who = f"{attempt.who.label}: {operation}"
    if operation.ok and not _harmless(attempt, record):
        yield Finding(REFUSED, who, (operation,))
    elif operation.status in DECIDED_BY_A_RULE and not _names_nothing(operation, attempt):
        yield Finding(SILENT, f"{who}: a rule decided before the door was closed", (operation,))
    elif operation.outcome is Outcome.INFO or operation.status == 0 or operation.status >= 500:  # noqa: PLR2004
        yield Finding(REFUSED, who, (operation,), warning=True)
    if not operation.ok and (leaks := scanner.scan(shown(operation))):
        text = f"{who}: the refusal shows the {leaks[0].canary}"
        yield Finding(SILENT, text, (operation,))


def _harmless(attempt: Attempt, record: Access) -> bool:
    """Say whether a success gave nothing away: a list without the victim, a batch of refusals."""
    operation, answer = attempt.operation, attempt.operation.answer
    body = answer.body if answer else None
    if not attempt.authenticated or answer is None or not isinstance(body, dict):
        return False
    if operation.call.route in LISTS:
        return isinstance(body.get("items"), list) and not any(i in answer.text for i in record.ids)
    outcomes = body.get("outcomes", []) if operation.call.route == "requestTransfers" else []
    return bool(outcomes) and all(one.get("status", 0) >= 400 for one in outcomes)  # noqa: PLR2004


def _names_nothing(operation: Operation, attempt: Attempt) -> bool:
    """Say whether a rule's refusal is the one for an id that does not exist (or is not yours)."""
    return attempt.authenticated and (
        "not-found" in operation.code or "forbidden" in operation.code
    )


def _moved(record: Access) -> Iterator[Finding]:
    after = record.after.accounts if record.after else {}
    for account_id, before in record.before.accounts.items():
        now = after.get(account_id)
        if now != before:
            calls = tuple(attempt.operation for attempt in record.attempts if attempt.operation.ok)
            text = f"account {account_id} changed while only refused calls were made: "
            yield Finding(UNTOUCHED, text + difference(before, now), calls[:10])


CHECKS = (
    Check("SEC-1", access, nobody_gets_in),
    Check("SEC-3", forgeries, false_tokens_refused),
)
