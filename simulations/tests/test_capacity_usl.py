"""The scalability law against curves that are known."""

from __future__ import annotations

import math
import random

import pytest
from bank_simulations.capacity.usl import Usl, bootstrap_usl, fit_usl
from bank_simulations.console import BadInputError
from hypothesis import given
from hypothesis import strategies as st

LEVELS = (1, 2, 4, 8, 16, 32, 64, 128)
TRUE = Usl(alone_per_second=20.0, contention=0.05, coherency=0.0004)


def test_throughput_by_hand() -> None:
    assert Usl(10.0, 0.0, 0.0).per_second(7) == 70.0
    assert Usl(10.0, 0.5, 0.0).per_second(3) == 15.0
    assert Usl(10.0, 0.1, 0.01).per_second(5) == pytest.approx(50 / 1.6)


def test_the_peak_by_hand() -> None:
    assert Usl(10.0, 0.19, 0.01).peak_in_flight == pytest.approx(9.0)
    assert Usl(10.0, 0.19, 0.0).peak_in_flight == math.inf


@given(
    alone=st.floats(1, 1_000),
    contention=st.floats(0.01, 0.3),
    coherency=st.floats(1e-5, 1e-2),
)
def test_a_curve_without_noise_is_found_again(
    alone: float, contention: float, coherency: float
) -> None:
    true = Usl(alone, contention, coherency)
    found = fit_usl([(level, true.per_second(level)) for level in LEVELS])
    for level in (3, 24, 100):
        assert found.per_second(level) == pytest.approx(true.per_second(level), rel=0.01)


def test_the_bootstrap_covers_the_truth_and_is_repeatable() -> None:
    """Nine intervals of ten should hold it; of 30 noisy sweeps fewer than 21 would be a defect."""
    dice = random.Random(2)  # noqa: S311
    inside = 0
    for _ in range(30):
        noisy = [(n, TRUE.per_second(n) * dice.lognormvariate(0, 0.05)) for n in LEVELS * 3]
        _, draws = bootstrap_usl(noisy, 100, seed=1)
        shares = sorted(draw.per_second(48) for draw in draws)
        inside += shares[5] <= TRUE.per_second(48) <= shares[94]
    assert inside >= 21
    assert bootstrap_usl(noisy, 10, seed=1) == bootstrap_usl(noisy, 10, seed=1)


def test_too_few_levels_are_refused_with_the_cure() -> None:
    with pytest.raises(BadInputError, match="--levels"):
        fit_usl([(1, 10.0), (2, 18.0), (4, 30.0)])
