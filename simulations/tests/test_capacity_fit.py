"""A fit finds the costs of a bank whose costs are known, and predicts what it has not seen."""

from __future__ import annotations

import pytest
from bank_simulations.capacity import study as studies
from bank_simulations.capacity.costs import GUESS
from bank_simulations.capacity.documents import Study
from bank_simulations.capacity.fit import Observed, describe, fit_costs
from bank_simulations.capacity.predict import predict
from bank_simulations.capacity.simulate import Offer
from bank_simulations.capacity.size import Room, sizes
from bank_simulations.console import BadInputError
from capacity_studies import TRUE, setting, sweep_of

PLAN = (
    setting("open", 40.0),
    setting("open", 120.0),
    setting("open", 160.0, held_out=True),
    setting("open", 190.0),
    setting("closed", 1),
    setting("closed", 4),
    setting("closed", 8, held_out=True),
    setting("closed", 16),
    setting("closed", 64),
)
TOLD = ("look", "projection", "write", "row", "flush", "observer")
"""The costs that such a sweep determines; of the others it must say that it does not."""


@pytest.fixture(scope="module")
def study() -> Study:
    """Swept and fitted: the figures are the model's own."""
    sweep = sweep_of(PLAN)
    return Study(sweep=sweep, fit=studies.fit_sweep(sweep, forced=False, draws=100))


@pytest.mark.slow
def test_known_costs_are_found_again_within_their_intervals(study: Study) -> None:
    fit, true = study.require_fit(), describe(TRUE)
    inside = [n for n, each in fit.costs.items() if each.cost.low <= true[n] <= each.cost.high]
    assert len(inside) >= 7, fit.costs
    for name in TOLD:
        assert fit.costs[name].cost.value == pytest.approx(true[name], rel=0.35), name
        assert fit.costs[name].learned > 0.5, name


@pytest.mark.slow
def test_a_fitted_model_predicts_what_was_held_out(study: Study) -> None:
    found = predict(study, draws=8)
    assert [(each.setting.offered, each.figure) for each in found] == [
        (160.0, "per_second"),
        (160.0, "p99"),
        (8.0, "per_second"),
    ]
    for each in found:
        assert abs(each.error) <= 0.2, each
        assert each.predicted.low <= each.predicted.value <= each.predicted.high


@pytest.mark.slow
def test_the_fit_does_not_look_at_what_is_held_out(study: Study) -> None:
    assert not any(each.setting.held_out for each in study.require_fit().residuals)


@pytest.mark.slow
def test_larger_rates_need_more_and_are_called_simulation(study: Study) -> None:
    few = study.require_fit().model_copy(update={"draws": study.require_fit().draws[:4]})
    found = sizes(study.model_copy(update={"fit": few}), (20.0, 1_000.0, 200_000.0), Room(reads=2))
    first, second, third = found.sizes
    assert [each.simulated for each in found.sizes] == [False, True, True]
    assert first.cells.value == second.cells.value == 1
    assert second.needs["api_count"].value > first.needs["api_count"].value
    assert third.cells.value > 1
    assert third.per_second / third.cells.value <= found.cell_per_second_max.value * 1.01
    assert all(each.p99_seconds < 2.0 for each in found.sizes)


def test_too_few_settings_are_refused_with_the_cure() -> None:
    one = Observed(Offer(10, rate=10.0), {"p50": 0.05}, lambda _: {"p50": 0.05})
    with pytest.raises(BadInputError, match="sweep more"):
        fit_costs([one], sweep_of(()).layout, draws=20)


def test_invalid_measurements_are_left_out_and_said_to_be_the_generators() -> None:
    sweep = sweep_of((setting("open", 30.0),), costs=GUESS, repeats=1)
    late = sweep.measured[0].model_copy(update={"invalid": ("late",)})
    sweep = sweep.model_copy(update={"measured": (late,)})
    with pytest.raises(BadInputError, match="every measurement is invalid"):
        studies.fit_sweep(sweep, forced=False)


def test_nothing_held_out_is_nothing_to_predict() -> None:
    with pytest.raises(BadInputError, match="nothing is fitted yet"):
        predict(Study(sweep=sweep_of(())))
