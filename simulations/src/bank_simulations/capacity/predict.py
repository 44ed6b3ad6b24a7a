"""Predictions at the settings that the fit has not seen, against what was measured there."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from bank_simulations.console import BadInputError

from .costs import Costs
from .documents import Predicted, Range
from .figures import P99, PER_SECOND, measured_figures, offer, simulated_figures, usable
from .simulate import simulate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .documents import Fit, Setting, Study, Sweep

SEEDS = (7, 8, 9, 10, 11)
"""Not the fit's: what was fitted to one course of chance must hold in others."""
DRAWS = 20
WITHIN = 0.20
INTERVAL = (5, 95)


def predict(
    study: Study, told: Callable[[], None] = lambda: None, draws: int = DRAWS
) -> tuple[Predicted, ...]:
    """Throughput and p99 at every held-out setting that was measured.

    Raises:
        BadInputError: nothing was held out, or nothing of it could be used.
    """
    fit, sweep = study.require_fit(), study.sweep
    points = [each for each in usable(sweep, forced=fit.forced) if each.setting.held_out]
    if not points:
        raise BadInputError("no usable measurement was held out: sweep again with --hold-out")
    found: list[Predicted] = []
    for setting in dict.fromkeys(each.setting for each in points):
        here = [each for each in points if each.setting == setting]
        measured = [measured_figures(each, sweep.idle_cores) for each in here]
        found += _at(setting, fit, sweep, measured, draws)
        told()
    return tuple(found)


def _at(
    setting: Setting, fit: Fit, sweep: Sweep, measured: Sequence[dict[str, float]], draws: int
) -> list[Predicted]:
    best = Costs(**{name: each.cost.value for name, each in fit.costs.items()})
    central = [_figures(best, setting, sweep, seed) for seed in SEEDS]
    shaken = [
        _figures(Costs.from_logs(logs), setting, sweep, SEEDS[number % len(SEEDS)])
        for number, logs in enumerate(fit.draws[:draws])
    ]
    return [
        Predicted(
            setting=setting,
            figure=name,
            predicted=interval(
                median(each[name] for each in central), [each[name] for each in shaken]
            ),
            measured=median(each[name] for each in measured),
            measured_low=min(each[name] for each in measured),
            measured_high=max(each[name] for each in measured),
        )
        for name in (PER_SECOND, P99)
        if name in central[0]
    ]


def _figures(costs: Costs, setting: Setting, sweep: Sweep, seed: int) -> dict[str, float]:
    seen = simulate(costs, sweep.layout, offer(setting, sweep), seed)
    return simulated_figures(setting, seen)


def interval(value: float, draws: Sequence[float]) -> Range:
    """The value, between the draws' 5th and 95th percentile; never outside of them."""
    low, high = np.percentile([*draws, value], INTERVAL) if draws else (value, value)
    return Range(value=value, low=min(float(low), value), high=max(float(high), value))
