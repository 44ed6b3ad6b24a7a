"""Fitting the model's costs to a sweep.

Least squares between measured and simulated figures, in logarithms, each weighed by its spread. The
guess takes part with its doubt, so that a cost which the sweep says nothing about stays what it was
and keeps its whole doubt: `learned` tells which ones these are. Every simulation runs on the same
seed, so that two sets of costs differ by the costs alone.

The intervals are a bootstrap: measurements are drawn again with replacement, what the model says of
a setting is shaken by as much as other seeds change it, and the guess by its doubt. Each draw is
solved with the derivatives found at the optimum.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import least_squares  # type: ignore[import-untyped]

from bank_simulations.console import BadInputError

from .costs import DOUBT, GUESS, Costs
from .figures import spread
from .simulate import simulate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from .costs import Layout
    from .simulate import Offer, Simulated

    Vector = NDArray[np.float64]

STEP = 0.2
"""Of a logarithm, for derivatives: a simulation is not smooth on a smaller scale."""
STAGES = ((2, 10), (1, 4))
"""First with half of the transfers, for so many rounds, then with all of them for a few more."""
SEED = 1
CHANCES = 4
"""Other seeds by which is told how much of a figure is the simulation's own chance."""
DOUBTS_MAX = 3.0
OBSERVATIONS_MIN = 4
MODEL_ROUNDS_MAX = sum(rounds for _, rounds in STAGES) * (1 + len(Costs.names()))
"""How often the model is run over all settings, at most."""


@dataclass(frozen=True)
class Observed:
    """One measurement: what was offered, and its figures; `figures_of` takes a simulation's."""

    offer: Offer
    figures: Mapping[str, float]
    figures_of: Callable[[Simulated], Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class FittedCosts:
    """The best costs, how much was learned of each (0 to 1), and bootstrap draws of logarithms."""

    costs: Costs
    learned: dict[str, float]
    draws: list[list[float]]


@dataclass
class _Problem:
    """Residuals and their derivatives; costs as doubts off the guess. Of the transfers only one in
    `thinned` is simulated.
    """

    observed: Sequence[Observed]
    layout: Layout
    told: Callable[[], None]
    thinned: int = 1
    _known: dict[bytes, Vector] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._guess = np.array(GUESS.logs())
        self._doubt = np.array([DOUBT[name] for name in Costs.names()])

    def logs(self, off: Vector) -> Vector:
        """Costs as logarithms."""
        found: Vector = self._guess + off * self._doubt
        return found

    def residuals(self, off: Vector) -> Vector:
        """Of all figures of all measurements in order, then of the guess."""
        if (known := self._known.get(off.tobytes())) is not None:
            return known
        self._known[off.tobytes()] = found = self.residuals_by(off, SEED)
        self.told()
        return found

    def residuals_by(self, off: Vector, seed: int) -> Vector:
        """The same by another course of chance."""
        costs = Costs.from_logs(self.logs(off).tolist())
        offers = {each.offer for each in self.observed}
        runs = {offer: simulate(costs, self.layout, self._thin(offer), seed) for offer in offers}
        found = [
            math.log(modelled[name] / measured) / spread(name)
            for each in self.observed
            for modelled in (each.figures_of(runs[each.offer]),)
            for name, measured in each.figures.items()
        ]
        return np.array([*found, *off])

    def _thin(self, offer: Offer) -> Offer:
        return replace(offer, transfers=offer.transfers // self.thinned)

    def derivatives(self, off: Vector) -> Vector:
        """One column for each cost."""
        here = self.residuals(off)
        steps = np.where(off < 0, STEP, -STEP) / self._doubt  # towards the guess: never out of it
        columns = [
            (self.residuals(off + step * axis) - here) / step
            for step, axis in zip(steps, np.eye(len(off)), strict=True)
        ]
        return np.column_stack(columns)


def fit_costs(
    observed: Sequence[Observed],
    layout: Layout,
    *,
    draws: int,
    seed: int = 1,
    told: Callable[[], None] = lambda: None,
) -> FittedCosts:
    """The costs with which the model comes nearest; `told` is called after each round of the model.

    Raises:
        BadInputError: there are too few measurements.
    """
    if len({each.offer for each in observed}) < OBSERVATIONS_MIN:
        raise BadInputError(f"a fit needs at least {OBSERVATIONS_MIN} settings: sweep more of them")
    best: Vector = np.zeros(len(Costs.names()))
    for thinned, rounds in STAGES:
        problem = _Problem(observed, layout, told, thinned)
        best = _optimum(problem, best, rounds)
    shaken = _bootstrap(problem, observed, best, draws, seed)
    doubts = np.std(shaken, axis=0)
    return FittedCosts(
        costs=Costs.from_logs(problem.logs(best).tolist()),
        learned={
            name: float(max(0.0, 1 - doubt))
            for name, doubt in zip(Costs.names(), doubts, strict=True)
        },
        draws=[problem.logs(each).tolist() for each in shaken],
    )


def _optimum(problem: _Problem, start: Vector, rounds: int) -> Vector:
    """The least squares, with what is far off counting less than its square."""
    found: Vector = least_squares(
        problem.residuals,
        start,
        jac=problem.derivatives,
        bounds=(-DOUBTS_MAX, DOUBTS_MAX),
        loss="soft_l1",
        max_nfev=rounds,
        xtol=1e-3,
        ftol=1e-3,
    ).x
    return found


def _bootstrap(
    problem: _Problem, observed: Sequence[Observed], best: Vector, draws: int, seed: int
) -> Vector:
    """Draws of costs as doubts off the guess, one a row."""
    dice = np.random.default_rng(seed)
    residuals, slopes = problem.residuals(best), problem.derivatives(best)
    lengths = [len(each.figures) for each in observed]
    guessed, count = len(best), len(observed)
    seeds = range(SEED + 1, SEED + 1 + CHANCES)
    others = [problem.residuals_by(best, other) for other in seeds]
    chance = np.std([residuals, *others], axis=0, ddof=1)
    offers = list(dict.fromkeys(each.offer for each in observed))
    place = np.repeat([offers.index(each.offer) for each in observed], lengths)
    centre = np.linalg.lstsq(slopes.T @ slopes, -(slopes.T @ residuals), rcond=None)[0]
    rows = []
    for _ in range(draws):
        times = np.bincount(dice.integers(count, size=count), minlength=count)
        weights = np.concatenate([np.repeat(times, lengths), np.ones(guessed)])
        off = residuals.copy()
        off[:-guessed] += chance[:-guessed] * dice.standard_normal(len(offers))[place]
        off[-guessed:] += dice.standard_normal(guessed)
        weighted = slopes * weights[:, None]
        here = np.linalg.lstsq(weighted.T @ slopes, -(weighted.T @ off), rcond=None)[0]
        rows.append(np.clip(best + here - centre, -DOUBTS_MAX, DOUBTS_MAX))
    return np.array(rows)


def describe(costs: Costs) -> dict[str, float]:
    """Costs by name."""
    return asdict(costs)
