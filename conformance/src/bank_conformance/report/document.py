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
from bank_conformance.baseline import Standing
from bank_conformance.catalogue import catalogue
from bank_conformance.history import Answer, Operation
from bank_conformance.redaction import Redactor
from bank_conformance.runner import Run
from bank_conformance.verdict import Exit, Finding, Result

FINDINGS_MAX, ANSWER_CHARACTERS_MAX = 50, 1_500
"""So many findings of a requirement, and so much of an answer, are written; counts are of all."""

SILENCE_CALLS_MIN = 3
"""So many calls without an answer at the end of a run are no accident."""

LEVELS_MAX = 20
"""An answer that is nested deeper is written as the text it is."""

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
        "verdict": _verdict(run),
        "exit_code": run.exit_code,
        "invalid": run.invalid,
        "seed": run.seed,
        "started_at": run.started_at.isoformat(timespec="seconds"),
        "seconds": round(run.seconds, 1),
        "calls": sum(len(history) for history in run.histories),
        "counts": dict(Counter(str(run.baseline.shown(result)[0]) for result in run.results)),
        "baseline": str(run.baseline.file) if run.baseline.file else None,
        "capabilities": _capabilities(run),
        "notes": [*(offer.notes if offer else ()), *_silence(run)],
        "requirements": [_requirement(run, result) for result in run.results],
    }
    redacted: dict[str, Any] = Redactor.of(run.tokens, run.histories).copy(found)
    return redacted


def decided(run: Run, result: Result) -> dict[str, Any]:
    """Return one requirement of the document, redacted, as soon as it was decided."""
    redacted: dict[str, Any] = Redactor.of(run.tokens, run.histories).copy(
        _requirement(run, result)
    )
    return redacted


def _verdict(run: Run) -> str:
    """Return the verdict in words; what was accepted as a known failure stays visible."""
    known = sum(run.baseline.standing(one) is Standing.KNOWN for one in run.results)
    but = f" but for {known} known failure{'s' if known > 1 else ''}" if known else ""
    return VERDICT_WORDS[run.exit_code] + (but if run.exit_code == Exit.CONFORMANT else "")


def _silence(run: Run) -> list[str]:
    """Say when the bank stopped answering, if nothing was answered up to the end of the run."""
    calls = sorted((one for history in run.histories for one in history), key=_completed)
    answered = [number for number, one in enumerate(calls) if one.answer]
    unanswered = calls[answered[-1] + 1 :] if answered else []
    if len(unanswered) < SILENCE_CALLS_MIN:
        return []
    after = unanswered[0].completed - calls[0].invoked
    return [f"the bank stopped answering {after:.0f} s into the run ({unanswered[-1].error})"]


def _completed(operation: Operation) -> float:
    return operation.completed


def _capabilities(run: Run) -> dict[str, bool]:
    if run.offer is None:
        return {}
    offered = run.offer.capabilities
    return {name: bool(getattr(offered, name)) for name in offered.__struct_fields__}


def _requirement(run: Run, result: Result) -> dict[str, Any]:
    requirement, decision = catalogue()[result.requirement_id], result.decision
    label, reason = run.baseline.shown(result)
    standing = run.baseline.standing(result)
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
        "label": str(label),
        "standing": str(standing) if standing else None,
        "reason": reason,
        "note": decision.note,
        "seconds": round(result.seconds, 2),
        "coverage": coverage,
        "findings_count": len(decision.findings),
        "findings": [_finding(one) for one in decision.telling[:FINDINGS_MAX]],
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
        "sent": [str(one) for one in operation.sent],
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
    if answer.body is not None and _deep(answer.body, LEVELS_MAX):
        return whole
    return answer.text if answer.body is None else answer.body


def _deep(value: Any, levels: int) -> bool:
    """Say whether `value` is nested deeper than so many levels."""
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_deep(one, levels - 1) for one in inner)
