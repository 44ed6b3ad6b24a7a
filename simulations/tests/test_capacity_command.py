"""`bank-simulations capacity` as it is used: a study that grows from command to command."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from bank_simulations.capacity.costs import GUESS, Costs
from bank_simulations.capacity.documents import (
    Fit,
    FittedCost,
    Predicted,
    Range,
    Residual,
    Study,
    read_study,
    write_study,
)
from bank_simulations.capacity.fit import describe
from bank_simulations.capacity.sweep import Wanted
from bank_simulations.report.capacity_page import charts, render
from bank_simulations.stub.faults import Faults
from bank_simulations.stub.process import serve
from capacity_studies import setting, sweep_of

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import RunCommand

PLAN = (setting("open", 60.0), setting("open", 90.0, held_out=True), setting("closed", 4))


def range_of(value: float) -> Range:
    return Range(value=value, low=value * 0.9, high=value * 1.1)


def fitted(**changes: object) -> Study:
    """A study whose fit was not computed: what is printed and drawn does not depend on that."""
    costs = {
        name: FittedCost(cost=range_of(value), guess=value, learned=0.2 if name == "fold" else 0.9)
        for name, value in describe(GUESS).items()
    }
    law = {"alone_per_second": 30.0, "contention": 0.1, "coherency": 0.001, "peak_in_flight": 30.0}
    held = setting("open", 90.0, held_out=True)
    fit = Fit(
        costs=costs,
        draws=tuple(tuple(x + step for x in GUESS.logs()) for step in (-0.1, 0.1)),
        usl={name: range_of(value) for name, value in law.items()},
        usl_draws=((28.0, 0.1, 0.001), (32.0, 0.1, 0.001)),
        residuals=(Residual(setting=PLAN[0], figure="p99", measured=0.1, modelled=0.12),),
        points=4,
        left_out=1,
        forced=False,
        highest_per_second=120.0,
    )
    predictions = (
        Predicted(
            setting=held,
            figure="p99",
            predicted=range_of(0.15),
            measured=0.1,
            measured_low=0.09,
            measured_high=0.11,
        ),
    )
    study = Study(sweep=sweep_of(PLAN, repeats=1), fit=fit, predictions=predictions)
    return study.model_copy(update=changes)


@pytest.fixture
def study_file(tmp_path: Path) -> Path:
    path = tmp_path / "study.json"
    write_study(path, fitted())
    return path


def test_a_study_is_read_as_it_was_written(study_file: Path) -> None:
    assert read_study(study_file) == fitted()


def test_sizes_are_added_and_reported(run_command: RunCommand, study_file: Path) -> None:
    sized = run_command("capacity", "size", str(study_file), "--rate", "50", "--rate", "5000")
    assert sized.code == 0, sized.err
    assert "5,000" in sized.out
    assert "SIMULATION" in sized.out
    sizing = read_study(study_file).sizing
    assert sizing is not None
    assert [each.simulated for each in sizing.sizes] == [False, True]
    page, tables = study_file.with_name("page.html"), study_file.with_name("tables.md")
    options = ("--html", str(page), "--markdown", str(tables))
    assert run_command("capacity", "report", str(study_file), *options).code == 0
    assert re.search(r"^\| 5,000 SIMULATION \| \d", tables.read_text(), re.MULTILINE)
    assert "One cell ends at about" in tables.read_text()
    assert "5,000 SIMULATION" in page.read_text()


def test_a_miss_is_printed_as_a_miss_and_nothing_is_fetched() -> None:
    page = render(fitted())
    assert "MISS" in page
    assert "The model missed some" in page
    assert "rests on the guess" in page
    assert not re.search(r"(src|href)=|https?://|url\(", page)


def test_what_holds_is_said_to_hold() -> None:
    good = fitted().predictions[0].model_copy(update={"measured": 0.14})
    page = render(fitted(predictions=(good,)))
    assert "The model holds where it was not fitted." in page
    assert "MISS" not in page


def test_a_fit_to_invalid_measurements_says_so() -> None:
    fit = fitted().require_fit().model_copy(update={"forced": True})
    assert "Invalid measurements were used." in render(fitted(fit=fit))


def test_every_measurement_is_drawn() -> None:
    drawn = charts(fitted())
    assert drawn["latency"].svg().count("<circle") == 4  # p50 and p99 of both rates
    assert drawn["law"].svg().count("<circle") == 1
    assert 'class="band' in drawn["law"].svg()


@pytest.mark.parametrize(
    ("arguments", "cure"),
    [
        (("fit", "missing.json"), "cannot read"),
        (("report", "STUDY"), "--html"),
        (("size", "STUDY", "--rate", "0"), "--rate"),
        (("sweep", "x.json", "--process", "cache=1"), "api=4711"),
        (("sweep", "missing/x.json"), "cannot write"),
        (("sweep", "x.json", "--url", "http://127.0.0.1:9"), "is the bank up"),
    ],
)
def test_bad_input_ends_in_one_line_with_the_cure(
    run_command: RunCommand, study_file: Path, arguments: tuple[str, ...], cure: str
) -> None:
    given = [str(study_file) if each == "STUDY" else each for each in arguments]
    ended = run_command("capacity", *given)
    assert ended.code in {2, 4}
    assert cure in ended.err
    assert len(ended.err.strip().splitlines()) == 1


def test_another_file_is_no_study(run_command: RunCommand, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text(json.dumps({"name": "steady"}))
    assert "is no capacity study" in run_command("capacity", "fit", str(other)).err


def test_an_unfitted_study_is_told_to_be_fitted(run_command: RunCommand, tmp_path: Path) -> None:
    path = tmp_path / "study.json"
    write_study(path, fitted(fit=None, predictions=()))
    for command in ("predict", "size"):
        assert "capacity fit" in run_command("capacity", command, str(path)).err


def test_the_plan_says_what_is_held_out_before_anything_is_measured() -> None:
    plan = Wanted(levels=(1, 2), levels_held_out=(4,)).settings(capacity=100.0)
    held = {(each.kind, each.offered) for each in plan if each.held_out}
    assert held == {("open", 40.0), ("open", 70.0), ("closed", 4.0)}
    named = Wanted(rates=(10.0, 20.0), rates_held_out=(20.0,)).settings(capacity=100.0)
    assert [(each.offered, each.held_out) for each in named if each.kind == "open"] == [
        (10.0, False),
        (20.0, True),
    ]


@pytest.mark.slow
def test_a_sweep_measures_every_setting_of_its_plan(
    run_command: RunCommand, tmp_path: Path
) -> None:
    path = tmp_path / "study.json"
    options = ("--rate", "20", "--hold-out", "30", "--level", "1", "--level", "3")
    short = ("--repeats", "2", "--seconds", "1", "--level-seconds", "1", "--accounts", "10")
    with serve(Faults()) as url:
        ended = run_command("capacity", "sweep", str(path), "--url", url, *options, *short)
    assert ended.code == 0, ended.err
    sweep = read_study(path).sweep
    assert len(sweep.measured) == 2 * len(sweep.plan) == 8
    assert {(each.setting, each.repeat) for each in sweep.measured} == {
        (each, repeat) for each in sweep.plan for repeat in (1, 2)
    }
    for each in sweep.measured:
        assert each.transfers > 0
        assert each.visible.p50 <= each.visible.p99 <= each.visible.p99_9
        assert each.cpu_seconds["observer"] > 0


def test_costs_of_a_study_are_those_of_the_model() -> None:
    assert set(fitted().require_fit().costs) == set(Costs.names())
