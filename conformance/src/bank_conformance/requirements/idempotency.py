"""IDEM: one effect and one answer under one key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from bank_conformance.bank.shapes import TERMINAL
from bank_conformance.deciders.multiplicity import Intent, miscounts
from bank_conformance.history import BAD_REQUEST, Operation, Outcome
from bank_conformance.verdict import Coverage, Decision, Finding
from bank_conformance.workloads.bench import Repeat, Repeats
from bank_conformance.workloads.repeats import RACERS, races, retries, timeouts

from .check import Check, pick

ONE_EFFECT = (
    "one command under one key has one effect, however often it is sent; a refused one none"
)
SAME_ANSWER = "every repetition is answered with the outcome of the first, refusals included"
SAID_SO = "a repeated answer carries Idempotency-Replayed: true"
CONFLICT = 409
IDENTITY = ("customer_id", "account_id", "hold_id", "transfer_id", "sequence", "version", "code")
"""The members that name what was done; the version only where the answer is no moving resource."""


def one_effect_one_answer(record: Repeats) -> Decision:
    """IDEM-1: the same command under the same key, one after the other."""
    findings = effects(record)
    for repeat in record.repeats:
        findings += answers(repeat)
        findings += _unmarked(repeat)
    refused = [repeat for repeat in record.repeats if Outcome.FAIL in outcomes(repeat)]
    done = [repeat for repeat in record.repeats if Outcome.OK in outcomes(repeat)]
    return Decision(
        tuple(findings),
        (
            Coverage("commands repeated that were done", len(done), 5),
            Coverage("repeated that were refused", len(refused), 2),
            Coverage("effects counted", len(record.effects), 5),
        ),
    )


def one_effect_among_racers(record: Repeats) -> Decision:
    """IDEM-2: the same command under the same key, all at once."""
    findings = effects(record)
    for repeat in record.repeats:
        findings += answers(repeat)
    raced = sum(_racing(repeat) for repeat in record.repeats)
    done = [repeat for repeat in record.repeats if Outcome.OK in outcomes(repeat)]
    return Decision(
        tuple(findings),
        (
            Coverage(f"races of {RACERS} with at least two in flight", raced, 12),
            Coverage("of them done", len(done), 12),
            Coverage("effects counted", len(record.effects), 12),
        ),
    )


def one_effect_after_a_timeout(record: Repeats) -> Decision:
    """IDEM-5: commands that were given up and sent again; what was given up may have happened."""
    given_up = [one for one in record.repeats if Outcome.INFO in outcomes(one)]
    found_done = [one for one in given_up if one.tries[-1].replayed]
    return Decision(
        tuple(effects(record)),
        (
            Coverage("commands given up and sent again", len(given_up), 12),
            Coverage("of them found done by then", len(found_done), 5),
            Coverage("effects counted", len(record.effects), 30),
        ),
    )


def effects(record: Repeats) -> list[Finding]:
    """Return the commands with more or fewer effects than their answers allow."""
    intents = [
        Intent(mark, outcomes(repeat), tuple(one.index for one in repeat.tries))
        for repeat in record.repeats
        for mark in repeat.marks
    ]
    what = {mark: repeat.what for repeat in record.repeats for mark in repeat.marks}
    return [
        Finding(
            ONE_EFFECT,
            f"{what.get(wrong.mark, 'unknown')}: {wrong} ({' '.join(map(str, wrong.mark))})",
            pick(record.history, wrong.intent.operations) if wrong.intent else (),
        )
        for wrong in miscounts(intents, record.effects)
    ]


def outcomes(repeat: Repeat) -> tuple[Outcome, ...]:
    """Return what the tries were answered; one that met another in flight was not decided."""
    decided = [one for one in repeat.tries if one.status != CONFLICT]
    return tuple(Outcome(outcome) for one in decided for outcome in _decided(one))


def _decided(operation: Operation) -> list[Outcome]:
    """Return the outcome of a command, or of a batch if all its commands ended alike."""
    body = operation.answer.body if operation.answer else None
    if operation.call.route != "requestTransfers" or not operation.ok or not isinstance(body, dict):
        return [operation.outcome]
    statuses = [one.get("status", 0) for one in body.get("outcomes", [])]
    if all(status >= BAD_REQUEST for status in statuses):
        return [Outcome.FAIL]
    return [Outcome.OK if all(200 <= status < 300 for status in statuses) else Outcome.INFO]  # noqa: PLR2004


def answers(repeat: Repeat) -> Iterator[Finding]:
    """Return a finding where a command was not answered alike every time, or never."""
    decided = [
        one for one in repeat.tries if one.status != CONFLICT and one.outcome != Outcome.INFO
    ]
    identities = {identity(one) for one in decided}
    if len(identities) > 1:
        told = " / ".join(sorted(_shown(identity) for identity in identities))
        text = f"{repeat.what}: {len(identities)} different answers under one key: {told}"
        yield Finding(SAME_ANSWER, text, repeat.tries)
    if not decided:
        yield Finding(SAME_ANSWER, f"{repeat.what}: no try was ever answered", repeat.tries)


def _unmarked(repeat: Repeat) -> Iterator[Finding]:
    later = [one for one in repeat.tries[1:] if one.answer and one.outcome != Outcome.INFO]
    silent = [one for one in later if not one.replayed]
    if silent:
        text = f"{repeat.what}: {len(silent)} of {len(later)} repetitions do not say what they are"
        yield Finding(SAID_SO, text, repeat.tries, warning=True)


def identity(operation: Operation) -> tuple[tuple[str, Any], ...]:
    """Return what must be the same in every repetition of an answer.

    A transfer goes on by itself, so 202 may become 201 and its state may move; its id may not
    change.
    """
    body = operation.answer.body if operation.answer else None
    members = body if isinstance(body, dict) else {}
    if operation.call.route == "requestTransfers" and operation.ok:
        return (("transfers", tuple(_batch_ids(members.get("outcomes", [])))),)
    moving = operation.call.route == "requestTransfer" and (operation.ok or _ended(members))
    named = ("transfer_id",) if moving else IDENTITY
    status = operation.status // 100 if moving else operation.status
    found = tuple((name, members[name]) for name in named if members.get(name) is not None)
    return (("status", status), *found)


def _ended(problem: dict[str, Any]) -> bool:
    return bool(problem.get("transfer_id")) or problem.get("state") in TERMINAL


def _batch_ids(outcomes: Sequence[dict[str, Any]]) -> list[str]:
    return [str((outcome.get("transfer") or {}).get("transfer_id")) for outcome in outcomes]


def _shown(identity: tuple[tuple[str, Any], ...]) -> str:
    return ", ".join(f"{name} {value}" for name, value in identity)


def _racing(repeat: Repeat) -> bool:
    """Say whether two of the tries were in flight at once."""
    racers = sorted(repeat.tries, key=lambda one: one.invoked)
    return any(b.invoked < a.completed for a, b in pairwise(racers))


CHECKS = (
    Check("IDEM-1", retries, one_effect_one_answer),
    Check("IDEM-2", races, one_effect_among_racers),
    Check("IDEM-5", timeouts, one_effect_after_a_timeout, uses=("pause", "resume")),
)
