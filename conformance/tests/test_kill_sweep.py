"""SHR-10 on records made by hand: what passes, what fails, and what is no verdict."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from bank_conformance.bank.shapes import FeedEvent
from bank_conformance.history import Operation
from bank_conformance.requirements.kill_sweep import erasures_survive_kills
from bank_conformance.verdict import Verdict
from bank_conformance.workloads.kill_sweep import (
    KILLS,
    LANES,
    VICTIMS,
    Aim,
    KillSweep,
    Look,
    Victim,
    under_way,
)
from bank_conformance.workloads.power import Outage
from builders import operation
from people import HISTORY, customer, erasure, saying

PERSONAL = {"name": "somebody"}
AT = {"erased_at": "2026-11-23T10:00:00Z", "receipt": "a.b.c"}
READABLE, EMPTY = customer("ACTIVE", personal=PERSONAL), customer("ERASED")

UNTOUCHED = Look(READABLE, erasure("NONE"))
ASKED = Look(READABLE, erasure("REQUESTED"))
DONE = Look(EMPTY, erasure(**AT))
LOST = Look(customer("ACTIVE"), erasure("NONE"))
SAID_ONLY = Look(READABLE, erasure(**AT))
HELD = Look(READABLE, erasure("ON_LEGAL_HOLD"))
BROKEN = Look(saying({}, "getCustomer", 500), erasure("NONE"))


def _asked(state: str = "ERASED", status: int = 200, **members: Any) -> Operation:
    answer = {"customer_id": "cus_1", "state": state} | AT | members
    return operation(HISTORY, "POST", status=status, answer=answer, route="erasePersonalData")


CUT = _asked(status=0)
NEVER_SENT = replace(CUT, error="ConnectError: All connection attempts failed")


def _victim(asked: Operation, *looks: Look, **members: Any) -> Victim:
    victim = Victim("cus_1", "key", asked, list(looks), _asked(), _asked(), DONE)
    return replace(victim, **members)


def _event(kind: str = "PersonalDataErased") -> FeedEvent:
    return FeedEvent(0, 1, "cus_1", 2, kind, 1, "then", {}, [])


def _sweep(
    *victims: Victim, events: list[FeedEvent] | None = None, kills: int = KILLS
) -> KillSweep:
    usual = [replace(_victim(CUT, DONE), customer_id=f"cus_{one}") for one in range(10, 14)]
    feed = [_event()] if events is None else events
    feed += [replace_stream(_event(), one.customer_id) for one in usual]
    return KillSweep(HISTORY, [*usual, *victims], [Outage(0.0, 0.1, 1.0)] * kills, feed)


def replace_stream(event: FeedEvent, stream_id: str) -> FeedEvent:
    """Return the same event of another stream."""
    members = {name: getattr(event, name) for name in event.__struct_fields__}
    return FeedEvent(**(members | {"stream_id": stream_id}))


ANSWERED = _asked()

SWEEPS: dict[str, tuple[KillSweep, Verdict, str]] = {
    "never begun": (_sweep(_victim(CUT, UNTOUCHED)), Verdict.PASS, "5 erasures cut short"),
    "carried on": (_sweep(_victim(CUT, ASKED, DONE)), Verdict.PASS, "5 of these begun"),
    "answered": (_sweep(_victim(ANSWERED, DONE)), Verdict.PASS, "4 kills"),
    "gone, and not said to be": (
        _sweep(_victim(CUT, LOST, LOST)),
        Verdict.FAIL,
        "after a kill: the customer is unreadable and the erasure NONE",
    ),
    "said to be gone": (
        _sweep(_victim(CUT, SAID_ONLY)),
        Verdict.FAIL,
        "after a kill: the customer is readable and the erasure ERASED",
    ),
    "acknowledged and undone": (
        _sweep(_victim(ANSWERED, UNTOUCHED)),
        Verdict.FAIL,
        "acknowledged before a kill: the customer is readable and the erasure NONE",
    ),
    "nobody carries it on": (_sweep(_victim(CUT, ASKED, ASKED)), Verdict.FAIL, "nobody carries it"),
    "cannot be read any more": (_sweep(_victim(CUT, BROKEN)), Verdict.FAIL, "500"),
    "refused when asked again": (
        _sweep(_victim(CUT, DONE, again=_asked(status=409))),
        Verdict.FAIL,
        "asked for again after a kill",
    ),
    "does not end when asked again": (
        _sweep(_victim(CUT, UNTOUCHED, end=ASKED), events=[_event("Other")]),
        Verdict.FAIL,
        "asked for again after a kill: the customer is readable and the erasure REQUESTED",
    ),
    "another time": (
        _sweep(_victim(ANSWERED, DONE, anew=_asked(erased_at="later"))),
        Verdict.FAIL,
        "one erasure has 2 values of erased_at",
    ),
    "another receipt": (
        _sweep(_victim(CUT, DONE, anew=_asked(receipt="d.e.f"))),
        Verdict.FAIL,
        "one erasure has 2 values of receipt",
    ),
    "twice in the log": (
        _sweep(_victim(CUT, DONE), events=[_event(), _event()]),
        Verdict.FAIL,
        "2 events PersonalDataErased",
    ),
    "not in the log": (
        _sweep(_victim(CUT, DONE), events=[_event("Other")]),
        Verdict.FAIL,
        "0 events PersonalDataErased",
    ),
    "no kill hit": (
        replace(_sweep(), victims=[_victim(NEVER_SENT, UNTOUCHED)]),
        Verdict.INCONCLUSIVE,
        "0 erasures cut short",
    ),
    "too few kills": (_sweep(kills=1, events=[]), Verdict.INCONCLUSIVE, "1 kills"),
    "on hold": (
        _sweep(_victim(CUT, HELD, end=None, again=None, anew=None), events=[]),
        Verdict.SKIP,
        "1 of 5 erasures are on legal hold",
    ),
}


@pytest.mark.parametrize("name", SWEEPS)
def test_erasures_survive_kills(name: str) -> None:
    record, verdict, said = SWEEPS[name]
    decision = erasures_survive_kills(record)
    assert decision.verdict is verdict, decision.reason
    assert said in decision.reason


@pytest.mark.parametrize("look", [ASKED, LOST, SAID_ONLY])
def test_what_may_still_come_right_is_looked_at_again(look: Look) -> None:
    assert under_way(look)


@pytest.mark.parametrize("look", [UNTOUCHED, DONE, HELD])
def test_what_is_at_rest_is_not(look: Look) -> None:
    assert not under_way(look)


def test_a_quick_kill_waits_until_half_are_erased() -> None:
    assert Aim(0.010, 0.0).head_start == VICTIMS / 2


def test_a_slow_kill_is_called_before_the_first_is_erased() -> None:
    aim = Aim(0.010, 1.0)
    assert -aim.head_start * aim.pace_seconds == pytest.approx(1.0 - VICTIMS / LANES / 2 * 0.010)
