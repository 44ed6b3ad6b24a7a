"""From a sweep to a fit: what the commands do between reading a study and writing it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_simulations.console import BadInputError

from .costs import GUESS, Costs
from .documents import Fit, FittedCost, Range, Residual
from .figures import measured_figures, offer, simulated_figures, usable, usl_points
from .fit import FittedCosts, Observed, describe, fit_costs
from .predict import interval
from .simulate import simulate
from .usl import bootstrap_usl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .documents import Measured, Setting, Sweep
    from .simulate import Simulated
    from .usl import Usl

DRAWS = 200
PEAK_MAX = 1e5
"""A peak beyond this is none; JSON knows no infinity."""


def fit_sweep(
    sweep: Sweep, *, forced: bool, draws: int = DRAWS, told: Callable[[], None] = lambda: None
) -> Fit:
    """The model's costs and the scalability law, from everything that is not held out.

    Raises:
        BadInputError: too little of the sweep can be used.
    """
    points = [each for each in usable(sweep, forced=forced) if not each.setting.held_out]
    if not points:
        raise BadInputError(
            "every measurement is invalid: the generator was measured, not the bank; sweep on a "
            "machine that has nothing else to do, or see what --keep-invalid makes of it"
        )
    observed = [_observed(each, sweep) for each in points]
    fitted = fit_costs(observed, sweep.layout, draws=draws, told=told)
    usl, usl_draws = bootstrap_usl(usl_points(points), draws, sweep.seed)
    return Fit(
        costs=_costs(fitted),
        draws=tuple(tuple(each) for each in fitted.draws),
        usl=_usl(usl, usl_draws),
        usl_draws=tuple((d.alone_per_second, d.contention, d.coherency) for d in usl_draws),
        residuals=tuple(_residuals(fitted.costs, sweep, points)),
        points=len(points),
        left_out=sum(bool(each.invalid) for each in sweep.measured) if not forced else 0,
        forced=forced,
        highest_per_second=max(each.per_second for each in sweep.measured),
    )


def _observed(point: Measured, sweep: Sweep) -> Observed:
    """A measurement as the fit takes it: only what both it and the model can tell."""
    setting = point.setting

    def figures_of(seen: Simulated) -> Mapping[str, float]:
        return simulated_figures(setting, seen)

    measured = measured_figures(point, sweep.idle_cores)
    return Observed(offer(setting, sweep), measured, figures_of)


def _costs(fitted: FittedCosts) -> dict[str, FittedCost]:
    guess, best = describe(GUESS), describe(fitted.costs)
    drawn = np.exp(np.array(fitted.draws))
    return {
        name: FittedCost(
            cost=interval(best[name], drawn[:, column].tolist()),
            guess=guess[name],
            learned=fitted.learned[name],
        )
        for column, name in enumerate(Costs.names())
    }


def _usl(best: Usl, draws: Sequence[Usl]) -> dict[str, Range]:
    def of(pick: Callable[[Usl], float]) -> Range:
        return interval(pick(best), [pick(each) for each in draws])

    return {
        "alone_per_second": of(lambda usl: usl.alone_per_second),
        "contention": of(lambda usl: usl.contention),
        "coherency": of(lambda usl: usl.coherency),
        "peak_in_flight": of(lambda usl: min(PEAK_MAX, usl.peak_in_flight)),
    }


def _residuals(costs: Costs, sweep: Sweep, points: Sequence[Measured]) -> list[Residual]:
    modelled: dict[Setting, dict[str, float]] = {}
    found = []
    for point in points:
        setting = point.setting
        if setting not in modelled:
            seen = simulate(costs, sweep.layout, offer(setting, sweep))
            modelled[setting] = simulated_figures(setting, seen)
        found += [
            Residual(setting=setting, figure=name, measured=value, modelled=modelled[setting][name])
            for name, value in measured_figures(point, sweep.idle_cores).items()
        ]
    return found
