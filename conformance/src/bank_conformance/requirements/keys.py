"""IDEM-3 and IDEM-6: whose a key is, and for what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from bank_conformance.history import BAD_REQUEST, Operation, Outcome
from bank_conformance.verdict import Coverage, Decision, Finding
from bank_conformance.workloads.keys import Reuse, Reuses, Shared, Sharing, reuse, sharing

from .check import Check
from .idempotency import CONFLICT, effects, identity

REFUSED = "another request under a used key is refused, and has no effect"
KEPT = "the first request keeps its answer"
SAID_SO = "another request under a used key is refused with 422 idempotency-key-reused"
OWN_KEYS = "a key belongs to the principal who chose it: others may choose the same one"
NO_LEAK = "nobody is answered with what somebody else did under the same key"
BATCH = "requestTransfers"
REUSED, REUSED_STATUS = "idempotency-key-reused", 422
THINGS = ("transfer_id", "hold_id")


def other_request_refused(record: Reuses) -> Decision:
    """IDEM-3: other requests under used keys, one after the other and all at once."""
    findings = effects(record)
    for one in record.reuses:
        findings += _not_refused(one)
        findings += _unsaid(one.others)
        if identity(one.first) != identity(one.again):
            text = f"{one.what}: answered otherwise after its key was used for something else"
            findings.append(Finding(KEPT, text, (one.first, *one.others, one.again)))
    findings += [_both_done(race) for race in record.races if sum(one.ok for one in race) > 1]
    others = [other for one in record.reuses for other in one.others]
    refused = [other for other in others if was_refused(other)]
    return Decision(
        tuple(findings),
        (
            Coverage("other requests refused", len(refused), 20),
            Coverage("races of different requests", len(record.races), 3),
            Coverage("effects counted", len(record.effects), 15),
        ),
    )


def _not_refused(one: Reuse) -> Iterator[Finding]:
    """Find the others that were done.

    The contract gives each command of a batch a key of its own, made from the batch's. Whether the
    batch's key is used thereby may be read either way, so that is no more than a warning.
    """
    for other in one.others:
        if other.ok and not was_refused(other):
            derived = BATCH in {one.first.call.route, other.call.route}
            text = f"under the key of a {one.what}: {other}"
            alike = one.first.call.route == other.call.route
            yield Finding(REFUSED, text, (one.first, other), warning=derived and not alike)


def was_refused(operation: Operation) -> bool:
    """Say whether a command was refused, or every command of a batch."""
    body = operation.answer.body if operation.answer else None
    if operation.call.route == BATCH and operation.ok and isinstance(body, dict):
        return all(one.get("status", 0) >= BAD_REQUEST for one in body.get("outcomes", []))
    return operation.outcome is Outcome.FAIL


def _both_done(race: tuple[Operation, ...]) -> Finding:
    done = [one for one in race if one.ok]
    text = f"{len(done)} of {len(race)} different requests at once under one key were done"
    return Finding(REFUSED, text, race)


def _unsaid(others: tuple[Operation, ...]) -> Iterator[Finding]:
    """Warn of refusals under another code than the contract's; the refused key excuses nothing."""
    for other in others:
        told = (other.status, other.code)
        if other.outcome is Outcome.FAIL and told != (REUSED_STATUS, REUSED):
            yield Finding(SAID_SO, str(other), (other,), warning=True)


def keys_are_ones_own(record: Sharing) -> Decision:
    """IDEM-6: keys that several principals chose, and requests that were copied to the letter."""
    findings = effects(record)
    for one in record.shared:
        findings += _denied(one)
        findings += _leaked(one)
    done = [one for one in record.shared if all(operation.ok for operation in one.own)]
    return Decision(
        tuple(findings),
        (
            Coverage("keys under which several principals were served", len(done), 6),
            Coverage("requests of another copied", len(record.shared), 6),
            Coverage("effects counted", len(record.effects), 18),
        ),
    )


def _denied(one: Shared) -> Iterator[Finding]:
    for operation in one.own:
        if operation.outcome is Outcome.FAIL and operation.status != CONFLICT:
            text = f"{operation.call.principal}: {operation}, under a key that others used too"
            yield Finding(OWN_KEYS, text, one.own)


def _leaked(one: Shared) -> Iterator[Finding]:
    named = Counter(thing for operation in one.own for thing in _things(operation))
    for thing, times in named.items():
        if times > 1:
            yield Finding(NO_LEAK, f"{times} principals were answered with {thing}", one.own)
    shown = one.copied.answer.text if one.copied.answer else ""
    if one.copied.ok or any(thing in shown for thing in _things(one.own[0])):
        text = f"{one.copied.call.principal} sent the request of {one.own[0].call.principal}"
        yield Finding(NO_LEAK, f"{text} under its key: {one.copied}", (one.own[0], one.copied))


def _things(operation: Operation) -> list[str]:
    """Return the ids of what an answer says was made."""
    body = operation.answer.body if operation.answer else None
    members = body if isinstance(body, dict) else {}
    return [str(members[name]) for name in THINGS if members.get(name)]


CHECKS = (
    Check("IDEM-3", reuse, other_request_refused, needs=("keys",)),
    Check("IDEM-6", sharing, keys_are_ones_own, needs=("keys",)),
)
