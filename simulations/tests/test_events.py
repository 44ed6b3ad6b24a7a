"""Events: what was begun is ended, whatever happens to the run, and what failed says so."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import gevent
import pytest
from bank_simulations.console import BadInputError
from bank_simulations.load.clock import RunClock
from bank_simulations.load.events import (
    Event,
    Happenings,
    carry_out,
    interrupted_here,
    require_in_time,
    resolve,
)
from bank_simulations.load.scenario import Happening


def test_what_was_begun_is_ended_at_once_when_the_run_is_over(tmp_path: Path) -> None:
    begin, end = f"touch {tmp_path}/begun", f"touch {tmp_path}/ended"
    happenings = Happenings([Event(0.0, begin, "pause", end, 3600.0)], RunClock())
    happenings.start()
    while not (tmp_path / "begun").exists():
        gevent.sleep(0.01)
    (mark,) = happenings.finish()
    assert (tmp_path / "ended").exists()
    assert mark.label == "pause"
    assert 0.0 <= mark.at_seconds <= mark.until_seconds < 60.0


def test_an_interruption_does_not_come_in_the_middle_of_an_event() -> None:
    went_on: list[bool] = []

    def interrupt() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        went_on.append(True)

    with interrupted_here():
        event = gevent.spawn(interrupt)
        with pytest.raises(KeyboardInterrupt):
            gevent.sleep(60.0)
    assert went_on == [True]
    assert event.successful()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_event_lasts_as_long_as_it_is_to() -> None:
    clock = RunClock()
    happenings = Happenings([Event(0.1, "true", "pause", "true", 0.4)], clock)
    happenings.start()
    while clock.now() < 0.6:
        gevent.sleep(0.05)
    (mark,) = happenings.finish()
    assert mark.at_seconds >= 0.1
    assert mark.until_seconds >= 0.5


def test_what_was_not_begun_when_the_run_is_over_never_begins(tmp_path: Path) -> None:
    happenings = Happenings([Event(3600.0, f"touch {tmp_path}/begun")], RunClock())
    happenings.start()
    gevent.sleep(0.01)
    assert list(happenings.finish()) == []
    assert not (tmp_path / "begun").exists()


@pytest.mark.parametrize(
    ("command", "end", "label"),
    [
        ("true", "true", "x"),
        ("exit 3", "true", "x (exit code 3)"),
        ("true", "exit 4", "x (exit code 4)"),
        ("exit 3", "exit 4", "x (exit code 4)"),
    ],
)
def test_a_command_that_failed_is_told(command: str, end: str, label: str) -> None:
    happenings = Happenings([Event(0.0, command, "x", end, 0.01)], RunClock())
    happenings.start()
    gevent.sleep(0.05)
    (mark,) = happenings.finish()
    assert (mark.label, mark.failed) == (label, "(" in label)


def test_a_command_that_hangs_is_ended_with_all_it_started(tmp_path: Path) -> None:
    hang = f"(sleep 2; touch {tmp_path}/late) & sleep 60"
    assert carry_out(hang, Event(0.0, hang, seconds_max=0.2)) == "ended after 0.2 s"
    gevent.sleep(2.2)
    assert not (tmp_path / "late").exists()


def test_a_command_may_leave_something_in_the_background() -> None:
    assert carry_out("sleep 5 &", Event(0.0, "", seconds_max=2.0)) is None


def test_an_event_must_be_over_before_the_last_transfer_is_due() -> None:
    lasting = Event(8.0, "true", "pause", "true", 3.0)
    require_in_time([lasting], 11.0)
    with pytest.raises(BadInputError, match=r"pause is over at 11 s, .* due at 10\.5 s"):
        require_in_time([lasting], 10.5)


def test_a_command_needs_no_target_file() -> None:
    (event,) = resolve(
        [Happening(at_seconds=1.0, command="true", end="false", lasts_seconds=2.0)], None
    )
    assert (event.command, event.end, event.over_at_seconds) == ("true", "false", 3.0)
