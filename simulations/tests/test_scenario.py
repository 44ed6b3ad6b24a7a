"""Scenarios: the shipped ones are sound, and a wrong one is told in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from bank_simulations.console import BadInputError
from bank_simulations.load.command import with_fault
from bank_simulations.load.scenario import read_scenario, scenario_names

if TYPE_CHECKING:
    from pathlib import Path

STEP = "[[steps]]\nrate = 1\ntransfers = 1\n"
READ = '[[reads]]\nkind = "balance"\nper_transfer = 1\n'
EVENT = 'title = "x"\n[[events]]\nat_seconds = 1\n'


@pytest.mark.parametrize("name", scenario_names())
def test_a_shipped_scenario_can_be_read(name: str) -> None:
    assert read_scenario(name).steps


def test_the_promise_itself_ships() -> None:
    steady = read_scenario("steady")
    assert (steady.claim.bound_seconds, steady.claim.share, steady.claim.confidence) == (
        2.0,
        0.999,
        0.95,
    )
    assert [(step.rate_of_capacity, step.transfers) for step in steady.steps] == [(0.5, 3000)]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "title"),
        ("title = ", "Invalid value"),
        ('title = "x"\n', "steps"),
        ('title = "x"\nspeed = 3\n' + STEP, "speed"),
        ('title = "x"\nseed = "one"\n' + STEP, "seed"),
        ('title = "x"\n[[steps]]\nrate = 0\ntransfers = 1\n', "rate"),
        ('title = "x"\n[[steps]]\nrate = 1\nrate_of_capacity = 0.5\nseconds = 1\n', "either rate"),
        ('title = "x"\n[[steps]]\nrate = 1\n', "either transfers"),
        ('title = "x"\n[accounts]\ncount = 1\n' + STEP, "count"),
        ('title = "x"\n[accounts]\nhot_share = 0.5\n' + STEP, "hot_count"),
        ('title = "x"\n[claim]\nshare = 1.0\n' + STEP, "share"),
        ('title = "x"\n[claim]\nsteps = ["calm"]\n' + STEP, "there is no step 'calm'"),
        ('title = "x"\n' + STEP + STEP, "two have the same name"),
        ('title = "x"\n[[reads]]\nkind = "fees"\nper_transfer = 1\n' + STEP, "reads.0.kind"),
        ('title = "x"\n' + READ + READ + STEP, "two are of the same kind"),
        ('title = "x"\n[[events]]\nat_seconds = 1\n' + STEP, "one of fault, hook and command"),
        (EVENT + 'fault = "a"\nend = "b"\n' + STEP, "end goes with command"),
        (EVENT + 'command = "a"\nend = "b"\n' + STEP, "go together"),
        (EVENT + 'hook = "rebuild"\nlasts_seconds = 2\n' + STEP, "a hook ends by itself"),
    ],
)
def test_a_wrong_scenario_is_told_in_one_line(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    with pytest.raises(BadInputError, match=told) as error:
        read_scenario(str(path))
    assert "\n" not in str(error.value)


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(BadInputError, match="steady"):
        read_scenario("staedy")


def test_the_ramp_claims_only_what_is_below_the_capacity() -> None:
    ramp = read_scenario("ramp")
    claimed = [step for step in ramp.steps if step.name in ramp.claim.steps]
    assert claimed
    assert all(step.rate_of_capacity and step.rate_of_capacity < 0.9 for step in claimed)
    assert max(step.rate_of_capacity or 0.0 for step in ramp.steps) > 1.0


def test_another_fault_can_take_the_place_of_the_shipped_one() -> None:
    scenario = with_fault(read_scenario("fault"), "kill-database")
    assert [event.fault for event in scenario.events] == ["kill-database"]
    assert scenario.title.endswith(": kill-database")
    with pytest.raises(BadInputError, match="take fault"):
        with_fault(read_scenario("rebuild"), "kill-database")
