"""DUR-1, DUR-2, DUR-3 and IDEM-4 on records made by hand: what a kill may take, and what not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from bank_conformance.bank.shapes import ShapeError
from bank_conformance.history import Answer, Call, History, Operation, outcome_of
from bank_conformance.requirements.durability import (
    acknowledged_survives,
    nothing_unasked,
    one_effect_across_kills,
    transfers_go_on,
)
from bank_conformance.workloads.bench import Mark, Repeat
from bank_conformance.workloads.crashes import Crashes, Journey
from bank_conformance.workloads.power import Outage
from builders import TRANSFER

MARK: Mark = ("acc_1", "CRDT", 101)
OTHER: Mark = ("acc_1", "CRDT", 108)
OUTAGE = Outage(began=10.0, down=10.1, up=12.0)
LATER, EARLIER = "2026-11-23T12:00:04Z", "2026-11-23T11:59:59Z"
KILLED_AT = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


def _tried(history: History, status: int, sequence: int = 1) -> Operation:
    """A deposit that was answered with a status; 0 is no answer."""
    call = Call("postEntry", "POST", "/v1/accounts/acc_1/entries", "staff", "key", {})
    body = {"sequence": sequence} if status == 201 else {}
    told = Answer(status, {}, "", body) if status else None
    return history.append("client", call, 1.0, told)


def _record(tries: list[int], effects: list[Mark]) -> Crashes:
    """One deposit, tried before the kill and perhaps again after it."""
    history = History("crashes")
    operations = tuple(_tried(history, status) for status in tries)
    repeat = Repeat("deposit", (MARK,), operations)
    record = Crashes(history, [repeat], effects)
    if operations[0].ok:
        record.before.append(Repeat("deposit", (MARK,), operations[:1]))
    if len(operations) > 1:
        record.again.append(repeat)
    return record


LOST, SURPLUS, ONE = acknowledged_survives, nothing_unasked, one_effect_across_kills


@pytest.mark.parametrize(
    ("tries", "effects", "failing"),
    [
        ([201], [MARK], []),
        ([201], [], [LOST]),
        ([201], [MARK, MARK], [SURPLUS]),
        ([0], [], []),
        ([0], [MARK], []),
        ([0], [MARK, MARK], [SURPLUS]),
        ([422], [MARK], [SURPLUS]),
        ([201], [MARK, OTHER], [SURPLUS]),
        ([0, 201], [MARK], []),
        ([0, 201], [MARK, MARK], [ONE]),
        ([0, 201], [], [ONE]),
        ([0, 0], [MARK], []),
        ([201, 201], [MARK], []),
        ([201, 422], [MARK], [ONE]),
        ([0, 409], [MARK], []),
        ([0, 409], [MARK, MARK], []),
    ],
)
def test_what_was_sent_around_a_kill_has_the_effects_that_its_answers_allow(
    tries: list[int], effects: list[Mark], failing: list[object]
) -> None:
    record = _record(tries, effects)
    assert [one for one in (LOST, SURPLUS, ONE) if one(record).findings] == failing


@pytest.mark.parametrize(("effects", "failing"), [([], []), ([MARK], [SURPLUS])])
def test_a_transfer_that_was_accepted_and_ended_badly_moves_nothing(
    effects: list[Mark], failing: list[object]
) -> None:
    record = _record([201], effects)
    record.ended_badly.add(MARK)
    assert [one for one in (LOST, SURPLUS, ONE) if one(record).findings] == failing


def test_only_a_kill_that_cuts_something_off_is_one() -> None:
    record = _record([201], [MARK])
    record.outages += [OUTAGE] * 3
    record.cut_off += [[], [], []]
    for decide in (LOST, SURPLUS):
        assert decide(record).coverage[0].count == 0
    record.cut_off[0].append(_tried(record.history, 0))
    assert [decide(record).coverage[0].count for decide in (LOST, SURPLUS)] == [1, 1]


def test_the_last_moment_is_the_one_before_the_bank_was_gone() -> None:
    def at(completed: float, status: int) -> Operation:
        call = Call("postEntry", "POST", "/v1/accounts/acc_1/entries", "staff", "key", {})
        outcome = outcome_of("POST", status)
        told = Answer(status, {}, "", {}) if status else None
        return Operation(0, "client", call, completed - 0.01, completed, outcome, told)

    record = Crashes(History("crashes"), cut_off=[[at(10.2, 0), at(10.3, 0)], []])
    times = (9.0, 10.05, 10.15, 10.25)
    record.before = [Repeat("deposit", (MARK,), (at(one, 201),)) for one in times]
    assert acknowledged_survives(record).coverage[2].count == 1


def test_somebody_registered_just_before_a_kill_is_there_after_it() -> None:
    history = History("crashes")
    asked = _tried(history, 201)
    for status, lost in ((404, True), (201, False), (503, False), (0, False)):
        newcomers = [(asked, _tried(history, status))]
        record = Crashes(history, newcomers=newcomers)
        assert bool(acknowledged_survives(record).findings) is lost, status
    unasked = [(_tried(history, 503), _tried(history, 404))]
    assert not acknowledged_survives(Crashes(history, newcomers=unasked)).findings


def _looked(at: float, state: str, ended_at: str | None = None, status: int = 200) -> Operation:
    body = TRANSFER | {"state": state, "ended_at": ended_at}
    call = Call("getTransfer", "GET", "/v1/transfers/trf_1", "staff")
    told = Answer(status, {}, "", body if status == 200 else {})
    return Operation(0, "watch", call, at, at + 0.01, outcome_of("GET", status), told)


@pytest.mark.parametrize(
    ("looks", "fails", "under_way"),
    [
        ([_looked(12.1, "COMPLETED", "2026-11-23T12:00:01Z")], False, True),
        ([_looked(12.1, "COMPLETED", "2026-11-23T11:59:59Z")], False, False),
        (
            [_looked(13.9, "RESERVED"), _looked(14.1, "COMPLETED", "2026-11-23T12:00:04Z")],
            False,
            True,
        ),
        ([_looked(14.1, "RESERVED"), _looked(14.2, "FAILED", LATER)], True, True),
        ([_looked(16.1, "SETTLING")], True, True),
        ([_looked(14.1, "", status=503), _looked(14.2, "COMPLETED", LATER)], False, True),
        ([_looked(13.1, "RESERVED"), _looked(13.2, "COMPLETED", EARLIER)], False, True),
    ],
)
def test_a_transfer_must_not_be_open_once_the_bound_after_the_return_has_passed(
    looks: list[Operation], fails: bool, under_way: bool
) -> None:
    journey = Journey("trf_1", OUTAGE, KILLED_AT, looks)
    decision = transfers_go_on(Crashes(History("crashes"), journeys=[journey]))
    assert bool(decision.findings) is fails
    assert decision.coverage[1].count == under_way


@pytest.mark.parametrize("told", ["yesterday", "2026-11-23T12:00:04"])
def test_a_time_that_is_none_is_the_banks_fault(told: str) -> None:
    journey = Journey("trf_1", OUTAGE, KILLED_AT, [_looked(12.1, "COMPLETED", told)])
    with pytest.raises(ShapeError):
        transfers_go_on(Crashes(History("crashes"), journeys=[journey]))


def test_a_transfer_that_is_gone_was_lost() -> None:
    gone = Journey("trf_1", OUTAGE, KILLED_AT, [_looked(12.1, "", status=404)])
    record = Crashes(History("crashes"), journeys=[gone])
    assert acknowledged_survives(record).findings
    assert not transfers_go_on(record).findings


def test_without_kills_nothing_is_decided() -> None:
    nothing = Crashes(History("crashes"))
    for decide in (LOST, SURPLUS, ONE, transfers_go_on):
        assert decide(nothing).verdict == "INCONCLUSIVE"
