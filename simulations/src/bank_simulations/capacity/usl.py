"""The Universal Scalability Law (Gunther, 1993): how throughput grows with the number in flight.

X(N) = a N / (1 + s (N - 1) + k N (N - 1)): `a` for one alone, `s` for what is done one at a time,
`k` for what each must settle with each other. With s = k = 0 it is a line, with k = 0 it levels
out at a / s, and with k > 0 it falls again beyond its peak.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import least_squares  # type: ignore[import-untyped]

from bank_simulations.console import BadInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

LEVELS_MIN = 4


@dataclass(frozen=True, slots=True)
class Usl:
    """One curve: transfers per second for one in flight, contention and coherency (no units)."""

    alone_per_second: float
    contention: float
    coherency: float

    def per_second(self, in_flight: float) -> float:
        """Throughput with so many in flight."""
        others = in_flight - 1
        slowed = 1 + self.contention * others + self.coherency * in_flight * others
        return self.alone_per_second * in_flight / slowed

    @property
    def peak_in_flight(self) -> float:
        """Beyond this more in flight finish less; infinite where the curve only levels out."""
        if self.coherency <= 0:
            return math.inf
        return math.sqrt(max(0.0, 1 - self.contention) / self.coherency)


def fit_usl(measured: Sequence[tuple[float, float]]) -> Usl:
    """The curve nearest to (in flight, per second) in relative terms.

    Raises:
        BadInputError: there are fewer than four levels, one more than the curve has parameters.
    """
    if len({level for level, _ in measured}) < LEVELS_MIN:
        raise BadInputError(
            f"the scalability law needs {LEVELS_MIN} closed-loop levels: sweep more --levels"
        )
    levels, rates = np.array(measured).T

    def misfit(logs: NDArray[np.float64]) -> NDArray[np.float64]:
        others = levels - 1
        alone, contention, coherency = np.exp(logs)
        slowed = 1 + contention * others + coherency * levels * others
        found: NDArray[np.float64] = np.log(alone * levels / slowed / rates)
        return found

    start = np.log([float(np.max(rates / levels)), 0.05, 1e-5])
    bounds = (np.log([1e-6, 1e-9, 1e-12]), np.log([1e9, 1.0, 1.0]))
    found = least_squares(misfit, np.clip(start, *bounds), bounds=bounds)
    return Usl(*(float(each) for each in np.exp(found.x)))


def bootstrap_usl(
    measured: Sequence[tuple[float, float]], draws: int, seed: int
) -> tuple[Usl, list[Usl]]:
    """The curve, and as many others as `draws`, each fitted to resampled deviations from it."""
    best = fit_usl(measured)
    dice = np.random.default_rng(seed)
    off = np.array([rate / best.per_second(level) for level, rate in measured])
    degrees = max(1, len(measured) - 3)
    logs = np.log(off) * math.sqrt(len(measured) / degrees)

    def again() -> Usl:
        factors = np.exp(dice.choice(logs, len(logs)))
        levels = [level for level, _ in measured]
        return fit_usl(
            [(at, best.per_second(at) * by) for at, by in zip(levels, factors, strict=True)]
        )

    return best, [again() for _ in range(draws)]
