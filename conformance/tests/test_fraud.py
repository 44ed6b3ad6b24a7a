"""QRY-5: what is planted is a pattern exactly when the rule's words say so, and who misses it
fails.
"""

from __future__ import annotations

from itertools import combinations

import pytest
from bank_conformance.bank.past import FraudAlert, FraudInput, FraudRule
from bank_conformance.deciders.stable_latency import Look
from bank_conformance.history import History
from bank_conformance.requirements.fraud import alerts_when_due
from bank_conformance.verdict import Verdict
from bank_conformance.workloads.fraud import Plant, Planted
from bank_conformance.workloads.patterns import STEPS_MAX, Pattern, Step, patterns
from builders import operation
from hypothesis import given
from hypothesis import strategies as st

CREDITS = {"CASH_DEPOSIT", "INCOMING_PAYMENT"}


def _velocity(steps: list[Step], given: dict[str, int]) -> bool:
    return len([one for one in steps if one.code not in CREDITS]) >= given["count_min"]


def _structuring(steps: list[Step], given: dict[str, int]) -> bool:
    """Try every subset of the credits."""
    fitting = [
        one
        for one in steps
        if one.code in CREDITS and given["floor_minor"] <= one.amount < given["threshold_minor"]
    ]
    return any(
        len(some) >= given["count_min"]
        and sum(one.amount for one in some) >= given["threshold_minor"]
        and max(one.day for one in some) - min(one.day for one in some) < given["window_days"]
        for size in range(1, len(fitting) + 1)
        for some in combinations(fitting, size)
    )


def _drain(steps: list[Step], given: dict[str, int]) -> bool:
    balance = 0
    for one in steps:
        if one.code in CREDITS:
            balance += one.amount
            continue
        share = 100 * one.amount / balance
        if balance >= given["balance_min_minor"] and share >= given["share_percent"]:
            return True
        balance -= one.amount
    return False


def _test_then_large(steps: list[Step], given: dict[str, int]) -> bool:
    return any(
        small.amount <= given["small_max_minor"]
        and large.amount >= given["large_min_minor"]
        and small.payee == large.payee
        for small, large in combinations([one for one in steps if one.payee is not None], 2)
    )


def _rule(name: str, **parameters: int) -> FraudRule:
    return FraudRule(name, 1, parameters)


RULES = st.one_of(
    st.builds(lambda n: _rule("velocity-count", count_min=n, window_seconds=60), st.integers(2, 9)),
    st.builds(
        lambda n, days, floor, more: _rule(
            "structuring",
            count_min=n,
            window_days=days,
            floor_minor=floor,
            threshold_minor=floor + more,
        ),
        st.integers(2, 4),
        st.integers(1, 5),
        st.integers(100, 900),
        st.integers(20, 99),
    ),
    st.builds(
        lambda share, least: _rule("account-drain", share_percent=share, balance_min_minor=least),
        st.integers(50, 100),
        st.integers(2, 99_999),
    ),
    st.builds(
        lambda small, more: _rule(
            "test-then-large", small_max_minor=small, large_min_minor=small + more
        ),
        st.integers(1, 500),
        st.integers(2, 99_999),
    ),
)
WORDS = {
    "velocity-count": _velocity,
    "structuring": _structuring,
    "account-drain": _drain,
    "test-then-large": _test_then_large,
}


@given(RULES)
def test_a_pattern_is_due_exactly_when_the_words_of_its_rule_say_so(rule: FraudRule) -> None:
    made = patterns(rule)
    assert {one.due for one in made} == {True, False}
    for one in made:
        assert WORDS[rule.rule](list(one.steps), rule.parameters) == one.due, one.what


def test_nothing_is_planted_that_nobody_can_know_or_wait_for() -> None:
    assert patterns(_rule("of-its-own", count_min=1)) == []
    assert patterns(_rule("velocity-count")) == []
    assert patterns(_rule("velocity-count", count_min=STEPS_MAX + 2)) == []


PATTERN = Pattern("structuring", "3 credits", True, (Step("CASH_DEPOSIT", 9),) * 3)
INPUTS = [(1, 9), (2, 9), (3, 9)]


def _alert(numbers: list[tuple[int, int]], version: int = 1) -> FraudAlert:
    inputs = [FraudInput("acc_1", *one) for one in numbers]
    return FraudAlert("alr_1", "structuring", version, "acc_1", inputs)


def _planted(
    *alerts: FraudAlert,
    due: bool = True,
    looks: tuple[Look, ...] = (Look(0.1, 0.2, hit=True, operation=0),),
) -> Planted:
    history = History("fraud")
    told = operation(history, "POST")
    pattern = PATTERN if due else Pattern("structuring", "2 credits", False, PATTERN.steps[1:])
    plant = Plant(pattern, "acc_1", 0.0, list(INPUTS), [told], list(looks), list(alerts))
    return Planted(history, {"structuring": FraudRule("structuring", 1, {})}, [plant])


def _look(at: float, *, hit: bool) -> Look:
    return Look(at, at + 0.1, hit, 0)


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (_planted(_alert(INPUTS)), ""),
        (_planted(due=False), ""),
        (_planted(_alert(INPUTS), due=False), "raised 1 alerts"),
        (_planted(looks=(_look(1, hit=False), _look(4, hit=False))), "never shows"),
        (
            _planted(_alert(INPUTS), looks=(_look(2.1, hit=False), _look(2.5, hit=True))),
            "shows after 2.1 s",
        ),
        (_planted(looks=(_look(1, hit=True), _look(3, hit=False))), "is gone later"),
        (_planted(_alert(INPUTS[1:])), "entries [2, 3], expected [1, 2, 3]"),
        (_planted(_alert([(1, 8), *INPUTS[1:]])), "entries [1, 2, 3], expected [1, 2, 3]"),
        (_planted(_alert(INPUTS), _alert(INPUTS)), "2 alerts for one pattern"),
        (_planted(_alert(INPUTS, version=2)), "version 2, in force is 1"),
    ],
)
def test_an_alert_comes_in_time_with_its_inputs_and_never_without_a_pattern(
    record: Planted, said: str
) -> None:
    found = alerts_when_due(record)
    assert said in found.reason
    assert found.verdict is (Verdict.FAIL if said else Verdict.INCONCLUSIVE)


def test_an_alert_that_may_have_been_late_is_no_pass() -> None:
    looks = (_look(1.9, hit=False), _look(2.2, hit=True))
    found = alerts_when_due(_planted(_alert(INPUTS), looks=looks))
    assert not found.findings
    assert found.coverage[0].count == 0
    assert not found.coverage[0].enough
