"""SHR: an erasure that is cut short is carried on to its end, and done once."""

from __future__ import annotations

from collections.abc import Iterator

from bank_conformance.history import Operation
from bank_conformance.verdict import Coverage, Decision, Finding
from bank_conformance.workloads.kill_sweep import (
    KILLS,
    KillSweep,
    Look,
    Victim,
    kill_sweep,
    readable,
    state_of,
)

from .check import Check

WHOLE = "an erasure is either not begun, or carried on to its end: gone, and said to be gone"
KEPT = "what was acknowledged as erased stays so through a kill"
ONCE = "an erasure that is asked for again is the same one"
RECORDED = "the log has one event of each erasure"
ERASED = "PersonalDataErased"


def erasures_survive_kills(record: KillSweep) -> Decision:
    """SHR-10: every customer is either readable and not erased, or erased and unreadable."""
    findings = [
        finding
        for victim in record.victims
        for finding in (*_states(victim), *_repeats(victim), *_recorded(record, victim))
    ]
    cut = [victim for victim in record.victims if victim.cut]
    held = sum(_held(victim) for victim in record.victims)
    if held and not findings:
        return Decision(skip=f"{held} of {len(record.victims)} erasures are on legal hold")
    begun = sum(state_of(victim.looks[0]) != "NONE" for victim in cut)
    return Decision(
        tuple(findings),
        (
            Coverage("kills", len(record.outages), KILLS),
            Coverage("erasures cut short by them", len(cut), KILLS),
            Coverage("of these begun before the kill", begun),
            Coverage("erasures in all", len(record.victims)),
        ),
    )


def _held(victim: Victim) -> bool:
    return any(state_of(look) == "ON_LEGAL_HOLD" for look in victim.looks)


def _states(victim: Victim) -> Iterator[Finding]:
    """Judge the state at rest before anything was asked for again, and the state at the end."""
    rest, end = victim.looks[-1], victim.end
    acknowledged = _state_told(victim.asked) == "ERASED"
    if acknowledged and (state_of(rest) != "ERASED" or readable(rest)):
        yield Finding(KEPT, f"acknowledged before a kill: {_put(rest)}", _calls(victim, rest))
    elif wrong := _wrong(rest):
        yield Finding(WHOLE, f"after a kill: {wrong}", _calls(victim, rest))
    if end is not None and (state_of(end) != "ERASED" or readable(end)):
        yield Finding(ONCE, f"asked for again after a kill: {_put(end)}", _calls(victim, end))


def _wrong(look: Look) -> str:
    """Say what does not fit, empty where all does."""
    state = state_of(look)
    if not look.customer.ok or not state:
        return f"{look.customer}, {look.erasure}"
    if state == "REQUESTED":
        return f"{_put(look)}, and nobody carries it on"
    return _put(look) if (state == "ERASED") == readable(look) else ""


def _put(look: Look) -> str:
    shown = "readable" if readable(look) else "unreadable"
    return f"the customer is {shown} and the erasure {state_of(look) or 'without a state'}"


def _repeats(victim: Victim) -> Iterator[Finding]:
    """The same key and new keys lead to one erasure, with one time and one receipt."""
    asked = [one for one in (victim.again, victim.anew) if one is not None]
    for one in asked:
        if not one.ok:
            yield Finding(ONCE, f"asked for again after a kill: {one}", (victim.asked, one))
    done = [one for one in (victim.asked, *asked) if one.ok and _state_told(one) == "ERASED"]
    for name in ("erased_at", "receipt"):
        told = {str(_told(one).get(name)) for one in done}
        if len(told) > 1:
            text = f"one erasure has {len(told)} values of {name}"
            yield Finding(ONCE, text, tuple(done))


def _recorded(record: KillSweep, victim: Victim) -> Iterator[Finding]:
    if record.events is None:
        return
    of_them = [one for one in record.events if one.stream_id == victim.customer_id]
    count = sum(one.type == ERASED for one in of_them)
    if count != (state_of(victim.end or victim.looks[-1]) == "ERASED"):
        text = f"{count} events {ERASED} in the stream {victim.customer_id}"
        yield Finding(RECORDED, text, (victim.asked, victim.looks[-1].erasure))


def _state_told(operation: Operation) -> str:
    return str(_told(operation).get("state", ""))


def _told(operation: Operation) -> dict[str, object]:
    body = operation.answer.body if operation.ok and operation.answer else None
    return body if isinstance(body, dict) else {}


def _calls(victim: Victim, look: Look) -> tuple[Operation, ...]:
    return (victim.asked, look.customer, look.erasure)


CHECKS = (
    Check(
        "SHR-10",
        kill_sweep,
        erasures_survive_kills,
        needs=("erasure",),
        hooks=("kill", "start"),
    ),
)
