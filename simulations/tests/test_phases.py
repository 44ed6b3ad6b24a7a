"""Before, during and after: each transfer is where it was touched, and recovery is timed."""

from __future__ import annotations

import pytest
from bank_simulations.load.events import Mark
from bank_simulations.load.measurement import Fate, Point
from bank_simulations.load.phases import BASELINE, FAULT, RECOVERY, phase_of, recoveries
from hypothesis import given
from hypothesis import strategies as st

KILL = Mark(10.0, "kill", 12.0)


@pytest.mark.parametrize(
    ("due", "ended", "phase"),
    [
        (0.0, 9.9, BASELINE),
        (9.0, 10.0, FAULT),  # under way when it began
        (9.9, 15.0, FAULT),  # from before it to after it
        (11.0, 11.1, FAULT),
        (12.0, 12.1, FAULT),
        (12.1, 30.0, RECOVERY),
    ],
)
def test_a_transfer_is_in_the_phase_that_touched_it(due: float, ended: float, phase: str) -> None:
    assert phase_of(due, ended, [KILL]) == phase


@given(st.floats(0, 50), st.floats(0, 50), st.lists(st.floats(0, 50), min_size=2, max_size=6))
def test_every_transfer_is_in_exactly_one_phase(
    due: float, took: float, times: list[float]
) -> None:
    pairs = zip(sorted(times)[::2], sorted(times)[1::2], strict=False)
    marks = [Mark(begin, "x", end) for begin, end in pairs]
    moments = [due + took * step / 50 for step in range(51)]
    touched = any(mark.at_seconds <= at <= mark.until_seconds for mark in marks for at in moments)
    found = phase_of(due, due + took, marks)
    assert found in {BASELINE, FAULT, RECOVERY}
    if touched:
        assert found == FAULT
    if found == BASELINE:
        assert due + took < marks[0].at_seconds


def points(*stretches: tuple[float, float, float]) -> list[Point]:
    """Ten transfers a second from one moment to another, each taking so long."""
    return [
        Point("steady", at / 10, 0.0, took, Fate.IN_TIME)
        for begin, end, took in stretches
        for at in range(int(begin * 10), int(end * 10))
    ]


def test_recovery_is_timed_from_the_end_of_the_event_to_the_first_good_slots_in_a_row() -> None:
    seen = points((0, 10, 0.05), (10, 15, 3.0), (15, 16, 0.05), (16, 17, 1.0), (17, 25, 0.05))
    (recovery,) = recoveries([KILL], seen, baseline_p99_seconds=0.06)
    assert recovery.seconds == 5.0  # at 15 there are only two good slots


def test_a_fault_that_nobody_felt_has_recovered_at_once() -> None:
    (recovery,) = recoveries([KILL], points((0, 20, 0.05)), baseline_p99_seconds=0.06)
    assert recovery.seconds == 0.0


def test_what_did_not_recover_before_the_next_event_says_so() -> None:
    marks = [KILL, Mark(20.0, "again", 21.0)]
    seen = points((0, 10, 0.05), (10, 22, 3.0), (22, 30, 0.05))
    first, second = recoveries(marks, seen, baseline_p99_seconds=0.06)
    assert first.seconds is None
    assert second.seconds == 1.0


def test_one_slow_transfer_in_ten_is_chance_and_two_are_not() -> None:
    slow = {13.0: 1, 14.0: 2}
    seen = [
        Point("steady", at + number / 100, 0.0, 0.05 + (number < count), Fate.IN_TIME)
        for at, count in [(12.0 + half / 2, slow.get(12.0 + half / 2, 0)) for half in range(12)]
        for number in range(10)
    ]
    (recovery,) = recoveries([Mark(10.0, "x", 12.0)], seen, baseline_p99_seconds=0.06)
    assert recovery.seconds == 0.0
    (late,) = recoveries([Mark(10.0, "x", 13.1)], seen, baseline_p99_seconds=0.06)
    assert late.seconds == pytest.approx(1.4)
