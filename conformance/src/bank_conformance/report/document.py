"""The result of a run as one plain document; everything that is written is made from it.

It is redacted here, once: no token and nobody's personal data gets any further.
"""

from __future__ import annotations

import json
import shlex
from collections import Counter
from dataclasses import asdict
from typing import Any

from bank_conformance import __version__
from bank_conformance.catalogue import catalogue
from bank_conformance.history import Answer, Operation
from bank_conformance.redaction import Redactor
from bank_conformance.runner import Run
from bank_conformance.verdict import Finding, Result

FINDINGS_MAX, ANSWER_CHARACTERS_MAX = 50, 1_500
"""So many findings of a requirement, and so much of an answer, are written; counts are of all."""

TELLING = ("code", "state", "booked_minor", "held_minor", "sequence", "version", "transfer_id")
BARE = {"code", "state", "amount"}

VERDICT_WORDS = {
    0: "conformant",
    1: "not conformant",
    3: "inconclusive",
    4: "invalid run",
}


def document(run: Run) -> dict[str, Any]:
    """Return the redacted result of a run."""
    offer = run.offer
    found: dict[str, Any] = {
        "suite": f"bank-conformance {__version__}",
        "target": {"name": run.target.name, "base_url": run.target.base_url},
        "verdict": VERDICT_WORDS[run.exit_code],
        "exit_code": run.exit_code,
        "invalid": run.invalid,
        "seed": run.seed,
        "started_at": run.started_at.isoformat(timespec="seconds"),
        "seconds": round(run.seconds, 1),
        "calls": sum(len(history) for history in run.histories),
        "counts": dict(Counter(str(result.verdict) for result in run.results)),
        "capabilities": _capabilities(run),
        "notes": list(offer.notes) if offer else [],
        "requirements": [_requirement(run, result) for result in run.results],
    }
    redacted: dict[str, Any] = Redactor.of(run.tokens, run.histories).copy(found)
    return redacted


def _capabilities(run: Run) -> dict[str, bool]:
    if run.offer is None:
        return {}
    offered = run.offer.capabilities
    return {name: bool(getattr(offered, name)) for name in offered.__struct_fields__}


def _requirement(run: Run, result: Result) -> dict[str, Any]:
    requirement, decision = catalogue()[result.requirement_id], result.decision
    coverage = [
        {"what": item.what, "count": item.count, "minimum": item.minimum}
        for item in decision.coverage
    ]
    return {
        "id": requirement.id,
        "must": requirement.must,
        "level": requirement.level,
        "decider": requirement.decider,
        "verdict": str(result.verdict),
        "reason": decision.reason,
        "note": decision.note,
        "seconds": round(result.seconds, 2),
        "coverage": coverage,
        "findings_count": len(decision.findings),
        "findings": [_finding(one) for one in decision.findings[:FINDINGS_MAX]],
        "samples": asdict(decision.samples) if decision.samples else None,
        "reproduce": reproduce(run, result.requirement_id),
    }


def reproduce(run: Run, requirement_id: str) -> str:
    """Return the command that decides one requirement again, with the same seed."""
    target = shlex.quote(str(run.target.file)) if run.target.file else "FILE"
    only = f"--only {requirement_id} --seed {run.seed}"
    return f"bank-conformance run --target {target} {only}"


def _finding(finding: Finding) -> dict[str, Any]:
    began = min((operation.invoked for operation in finding.operations), default=0.0)
    return {
        "expectation": finding.expectation,
        "evidence": finding.evidence,
        "warning": finding.warning,
        "history": [_operation(operation, began) for operation in finding.operations],
    }


def _operation(operation: Operation, began: float) -> dict[str, Any]:
    answer = operation.answer
    return {
        "session": operation.session,
        "route": operation.call.route,
        "request": f"{operation.call.method} {operation.call.url}",
        "principal": operation.call.principal,
        "key": operation.call.key,
        "body": operation.call.body,
        "asked": _brief(
            operation.call.body, ("code", "scope", "amount_minor", "credit_line_minor")
        ),
        "told": _brief(answer.body if answer else operation.error, TELLING),
        "outcome": str(operation.outcome),
        "status": operation.status,
        "answer": _shortened(answer) if answer else operation.error,
        "invoked_ms": round((operation.invoked - began) * 1000, 2),
        "completed_ms": round((operation.completed - began) * 1000, 2),
    }


def _brief(body: Any, names: tuple[str, ...]) -> str:
    """Return the members of a body that tell a reader most, on one line."""
    if not isinstance(body, dict):
        return str(body or "") if isinstance(body, str) else ""
    given = [(name.removesuffix("_minor"), body[name]) for name in names if body.get(name)]
    return ", ".join(str(value) if name in BARE else f"{name} {value}" for name, value in given)


def _shortened(answer: Answer) -> Any:
    whole = answer.text if answer.body is None else json.dumps(answer.body)
    if len(whole) > ANSWER_CHARACTERS_MAX:
        return f"{whole[:ANSWER_CHARACTERS_MAX]} … ({len(whole):,} characters)"
    return answer.text if answer.body is None else answer.body
