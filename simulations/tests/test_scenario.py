"""Scenarios: the shipped ones are sound, and a wrong one is told in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from bank_simulations.console import BadInputError
from bank_simulations.load.scenario import read_scenario, scenario_names

if TYPE_CHECKING:
    from pathlib import Path

STEP = "[[steps]]\nrate = 1\ntransfers = 1\n"


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
