"""Exact bounds on a probability from a count (Clopper and Pearson, 1934), one-sided.

The bounds are the p at which the observed count becomes just too unlikely. They are found by
bisection on the exact binomial tail: a dozen lines, against a dependency on scipy of a hundred
megabytes for one function. A test holds them against the closed forms and against brute force.
"""

from __future__ import annotations

from collections.abc import Callable
from math import exp, fsum, lgamma, log, log1p

BISECTIONS = 60


def upper_bound(successes: int, trials: int, confidence: float) -> float:
    """Return the largest p under which `successes` or fewer of `trials` is still credible."""
    if successes >= trials:
        return 1.0
    return _bisect(lambda p: at_most(successes, trials, p) > 1 - confidence)


def lower_bound(successes: int, trials: int, confidence: float) -> float:
    """Return the smallest p under which `successes` or more of `trials` is still credible."""
    if successes == 0:
        return 0.0
    return _bisect(lambda p: 1 - at_most(successes - 1, trials, p) < 1 - confidence)


def at_most(successes: int, trials: int, p: float) -> float:
    """Return the probability of `successes` or fewer in `trials`, for 0 < p < 1."""
    return fsum(exp(_log_probability(k, trials, p)) for k in range(successes + 1))


def _log_probability(k: int, n: int, p: float) -> float:
    choose = lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
    return choose + k * log(p) + (n - k) * log1p(-p)


def _bisect(below: Callable[[float], bool]) -> float:
    low, high = 0.0, 1.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) else (low, middle)
    return (low + high) / 2
