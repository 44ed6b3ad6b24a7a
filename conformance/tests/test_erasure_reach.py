"""SHR-9, 12 and 15 on records made by hand: what passes, what fails, and what is no verdict."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from bank_conformance.history import Operation
from bank_conformance.requirements.erasure_reach import (
    gone_everywhere,
    held_then_erased,
    readable_until_erased,
)
from bank_conformance.verdict import Verdict
from bank_conformance.workloads.legal_holds import Held, LegalHolds, Try
from bank_conformance.workloads.parties import Party
from bank_conformance.workloads.replicas import Gone, Replicas
from bank_conformance.workloads.rotation import Rotation, Turn
from people import (
    GONE,
    HELD,
    HISTORY,
    NOT_YET,
    customer,
    erasure,
    showing,
    showing_all_of,
    somebody,
)

SUBJECT, OTHER = somebody("subject"), somebody("other party", later="written-later-16180339887")
NOTHING = showing("nothing")


# SHR-9


def _at(seconds: float, *texts: str) -> Operation:
    return replace(showing(*texts), invoked=seconds, completed=seconds)


CLEAN = [_at(6.0 + number, "nothing") for number in range(20)]


LATE = "late-1234567890"


def _replicas(views: list[Operation], **members: Any) -> Replicas:
    before, shown = showing_all_of(SUBJECT), [*views, *CLEAN]
    gone = Gone(SUBJECT, "trf_1", GONE, 0.0, 5.0, before, shown, {"deposit": LATE})
    record = Replicas(HISTORY, 1, ["first address", "replica 1"], [gone])
    return replace(record, **members)


OWN = SUBJECT.narratives["own narrative"]

REPLICAS: dict[str, tuple[Replicas, Verdict, str]] = {
    "good": (_replicas([]), Verdict.PASS, "0 ms until nothing showed"),
    "in time": (_replicas([_at(4.0, OWN)]), Verdict.PASS, "4,000 ms until nothing showed"),
    "too late": (_replicas([_at(5.1, OWN)]), Verdict.FAIL, "the own narrative"),
    "a late command": (_replicas([_at(9.0, LATE)]), Verdict.FAIL, "the deposit"),
    "no replicas": (_replicas([], given=0, gone=[]), Verdict.SKIP, "names no replicas"),
    "none serves": (
        _replicas([], addresses=["first address"], gone=[]),
        Verdict.SKIP,
        "none of the 1 replicas",
    ),
    "not ended": (
        _replicas([], gone=[replace(_replicas([]).gone[0], erasure=NOT_YET)]),
        Verdict.INCONCLUSIVE,
        "REQUESTED",
    ),
    "never readable": (
        _replicas([], gone=[replace(_replicas([]).gone[0], control=[NOTHING])]),
        Verdict.INCONCLUSIVE,
        "readable before",
    ),
    "not watched": (
        _replicas([], gone=[replace(_replicas([]).gone[0], views=CLEAN[:3])]),
        Verdict.INCONCLUSIVE,
        "answers after the published time",
    ),
}


@pytest.mark.parametrize("name", REPLICAS)
def test_an_erasure_reaches_every_address(name: str) -> None:
    record, verdict, said = REPLICAS[name]
    decision = gone_everywhere(record)
    assert decision.verdict is verdict, decision.reason
    assert said in decision.reason


# SHR-12

UNTIL = "2027-01-01"
WAITING = erasure("ON_LEGAL_HOLD", until=UNTIL)
THERE = customer("ACTIVE", personal={"name": "x"})


def _try(way: str, **members: Any) -> Try:
    return replace(Try(way, WAITING, WAITING, THERE), **members)


TRIES = [_try(way) for way in ("asked for", "again", "under its key")] + [_try("alone", asked=None)]


def _held(**members: Any) -> Held:
    held = Held(SUBJECT, UNTIL, "lifted", TRIES, showing("done"))
    held.waited, held.views = [erasure("ON_LEGAL_HOLD", until=UNTIL), erasure()], [NOTHING]
    return replace(held, **members)


def _holds(*held: Held, **members: Any) -> LegalHolds:
    control = showing_all_of(SUBJECT) + showing_all_of(OTHER)
    record = LegalHolds(HISTORY, 60.0, list(held), OTHER, showing_all_of(OTHER), control)
    return replace(record, **members)


def _spoilt(**members: Any) -> Held:
    return _held(tries=[*TRIES[:3], _try("left alone", **members)])


HOLDS: dict[str, tuple[LegalHolds, Verdict, str]] = {
    "good": (_holds(_held()), Verdict.PASS, "4 ways to an erasure that was held"),
    "erased at once": (
        _holds(_spoilt(asked=erasure(), erasure=erasure(), customer=customer())),
        Verdict.FAIL,
        "left alone, an erasure on hold is answered with ERASED",
    ),
    "erased behind the back": (
        _holds(_spoilt(asked=None, erasure=erasure())),
        Verdict.FAIL,
        "left alone: the erasure is ERASED until None",
    ),
    "says that it waits, and has erased": (
        _holds(_spoilt(customer=customer("ACTIVE"))),
        Verdict.FAIL,
        "left alone: the personal data is gone",
    ),
    "another date": (
        _holds(_spoilt(erasure=erasure("ON_LEGAL_HOLD", until="2026-12-31"))),
        Verdict.FAIL,
        "is ON_LEGAL_HOLD until 2026-12-31",
    ),
    "kept by the bank itself": (
        _holds(_spoilt(erasure=erasure("ON_LEGAL_HOLD", until="2030-01-01"))),
        Verdict.SKIP,
        "by itself until 2030-01-01",
    ),
    "forgotten": (_holds(_spoilt(erasure=erasure("NONE"))), Verdict.FAIL, "the erasure is NONE"),
    "refused while held": (_holds(_spoilt(asked=showing(status=409))), Verdict.PASS, ""),
    "not served": (
        _holds(_held(served=showing("no", status=409))),
        Verdict.FAIL,
        "not served any more",
    ),
    "never carried out": (
        _holds(_held(waited=[erasure("REQUESTED")])),
        Verdict.FAIL,
        "60 s after the hold was lifted, the erasure is not carried out",
    ),
    "carried out in name": (_holds(_held(views=[showing(OWN)])), Verdict.FAIL, "the own narrative"),
    "over by its date": (
        _holds(_held(), _held(ending="over by its date")),
        Verdict.PASS,
        "1 over by their date",
    ),
    "the bystander went too": (
        _holds(_held(), bystander_views=[NOTHING]),
        Verdict.FAIL,
        "a bystander whose hold was lifted lost 4 of 4 texts",
    ),
    "too few ways": (_holds(_held(tries=TRIES[:2])), Verdict.INCONCLUSIVE, "2 ways"),
    "nothing readable before": (
        _holds(_held(), control=[NOTHING]),
        Verdict.INCONCLUSIVE,
        "readable before",
    ),
}


@pytest.mark.parametrize("name", HOLDS)
def test_a_hold_holds_and_its_end_destroys(name: str) -> None:
    record, verdict, said = HOLDS[name]
    decision = held_then_erased(record)
    assert decision.verdict is verdict, decision.reason
    assert said in decision.reason


# SHR-15


def _turn(after: str, views: list[Operation], others: list[Operation] | None = None) -> Turn:
    shown = showing_all_of(OTHER) if others is None else others
    return Turn(after, SUBJECT.canaries, views, OTHER.canaries, shown)


def _without(whose: Party, name: str) -> list[Operation]:
    return [showing(text) for one, text in whose.canaries.items() if one != name]


KEPT = [_turn(f"step {number}", showing_all_of(SUBJECT)) for number in range(4)]
ERASED = [_turn(name, [NOTHING]) for name in ("the erasure", "a rotation")]

ROTATIONS: dict[str, tuple[Rotation, Verdict, str]] = {
    "good": (Rotation(HISTORY, KEPT, GONE, ERASED), Verdict.PASS, "4 looks before"),
    "old data is lost": (
        Rotation(HISTORY, [*KEPT, _turn("step 5", _without(SUBJECT, "name"))], GONE, ERASED),
        Verdict.FAIL,
        "after step 5: the name is not readable",
    ),
    "an old version is left": (
        Rotation(HISTORY, KEPT, GONE, [*ERASED, _turn("the erasure", [showing(OWN)])]),
        Verdict.FAIL,
        "after the erasure: the own narrative",
    ),
    "the other's went too": (
        Rotation(HISTORY, KEPT, GONE, [_turn("the erasure", [NOTHING], _without(OTHER, "later"))]),
        Verdict.FAIL,
        "after the erasure, at the other party: the later is not readable",
    ),
    "nothing readable before": (
        Rotation(HISTORY, [_turn("first", [NOTHING]), *KEPT], GONE, ERASED),
        Verdict.INCONCLUSIVE,
        "readable before",
    ),
    "held": (Rotation(HISTORY, KEPT, HELD, ERASED), Verdict.SKIP, "legal hold"),
    "too few looks": (Rotation(HISTORY, KEPT, GONE, ERASED[:1]), Verdict.INCONCLUSIVE, "after it"),
}


@pytest.mark.parametrize("name", ROTATIONS)
def test_rotations_take_nothing_and_erasures_take_all(name: str) -> None:
    record, verdict, said = ROTATIONS[name]
    decision = readable_until_erased(record)
    assert decision.verdict is verdict, decision.reason
    assert said in decision.reason
