"""SEC-2: hostile input is refused as a problem, and nothing of it is kept."""

from __future__ import annotations

from collections.abc import Iterator

from bank_conformance.bank.shapes import difference
from bank_conformance.history import BAD_REQUEST, SERVER_ERROR, Operation
from bank_conformance.verdict import Coverage, Decision, Finding
from bank_conformance.workloads.hostility import Hostile, Hostility, hostility

from .check import Check
from .keys import was_refused

REFUSED = "input that the contract forbids is answered with a 4xx"
NO_FAULT = "no input is answered with a 5xx"
A_PROBLEM = "the refusal is a problem with a code (RFC 9457)"
UNTOUCHED = "what was refused stores nothing"
PROBLEM_TYPE = "application/problem+json"
FORBIDDEN_MIN, FORBIDDEN_LEAST, OTHERS_MIN, ROUTES_MIN = 250, 50, 20, 12


def hostile_input_refused(record: Hostility) -> Decision:
    """SEC-2: the answer to every spoilt request, and the accounts that they were aimed at."""
    findings: list[Finding] = []
    for one in record.tried:
        findings += _judge(one)
    findings += _moved(record)
    forbidden = [one for one in record.tried if one.forbidden]
    others = len(record.tried) - len(forbidden)
    routes = {one.operation.call.route for one in record.tried}
    return Decision(
        tuple(findings),
        (
            Coverage("requests that the contract forbids", len(forbidden), _enough(record)),
            Coverage("others that often break something", others, min(OTHERS_MIN, record.others)),
            Coverage("routes", len(routes), min(ROUTES_MIN, record.routes)),
        ),
    )


def _enough(record: Hostility) -> int:
    """Return how many are enough: all there are, for a bank that cannot be asked so many."""
    return max(FORBIDDEN_LEAST, min(FORBIDDEN_MIN, record.possible))


def _judge(one: Hostile) -> Iterator[Finding]:
    operation, text = one.operation, f"{one.what}: {_answer(one.operation)}"
    if operation.status >= SERVER_ERROR:
        yield Finding(NO_FAULT, text, (operation,))
    elif operation.status == 0:
        yield Finding(NO_FAULT, text, (operation,), warning=True)
    elif operation.status < BAD_REQUEST:
        if one.forbidden and not was_refused(operation):
            yield Finding(REFUSED, text, (operation,))
    elif not _is_problem(operation):
        yield Finding(A_PROBLEM, text, (operation,))


def _answer(operation: Operation) -> str:
    return f"{operation.status} {operation.code}".strip() if operation.status else operation.error


def _is_problem(operation: Operation) -> bool:
    answer = operation.answer
    if answer is None or not answer.headers.get("content-type", "").startswith(PROBLEM_TYPE):
        return False
    return isinstance(answer.body, dict) and isinstance(answer.body.get("code"), str)


def _moved(record: Hostility) -> Iterator[Finding]:
    after = record.after.accounts if record.after else {}
    for account_id, before in record.before.accounts.items():
        if after.get(account_id) != before:
            text = f"account {account_id}: {difference(before, after.get(account_id))}"
            done = [one.operation for one in record.tried if one.forbidden and one.operation.ok]
            yield Finding(UNTOUCHED, text, tuple(done[:10]))


CHECKS = (Check("SEC-2", hostility, hostile_input_refused),)
