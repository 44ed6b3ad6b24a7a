"""What makes a pattern of each fraud rule that the contract names, and what only resembles one.

Everything is computed from the parameters that a bank publishes: a pattern that just reaches them
is due to be found, one that misses them by one, or is spread a day too far, must not be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from bank_conformance.bank.past import FraudRule

STEPS_MAX = 60
"""A pattern of more bookings than this is not planted."""

PLENTY = 10


@dataclass(frozen=True, slots=True)
class Step:
    """One booking: an entry, or a transfer to one of the payees."""

    code: str
    amount: int
    day: int = 0
    """The value date of an entry, in days after the first."""
    payee: int | None = None
    counts: bool = True
    """Whether it belongs to the pattern, and not to what comes before."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """Bookings on one account, and whether a rule must find them."""

    rule: str
    what: str
    due: bool
    steps: tuple[Step, ...]


def patterns(rule: FraudRule) -> list[Pattern]:
    """Return what can be planted for a rule: nothing for one that the contract does not name, or
    whose parameters are not all published.
    """
    made = _MAKERS.get(rule.rule)
    try:
        found = [Pattern(rule.rule, *one) for one in made(rule.parameters)] if made else []
    except KeyError:
        return []
    return [
        one
        for one in found
        if len(one.steps) <= STEPS_MAX and any(step.counts for step in one.steps)
    ]


Made = Iterator[tuple[str, bool, tuple[Step, ...]]]


def _velocity(given: Mapping[str, int]) -> Made:
    count = given["count_min"]
    funds = Step("CASH_DEPOSIT", PLENTY * PLENTY * count, counts=False)
    debits = [Step("CASH_WITHDRAWAL", 1 + number) for number in range(count)]
    credits_ = [Step("CASH_DEPOSIT", 1 + number) for number in range(count)]
    yield f"{count} debits", True, (funds, *debits)
    yield f"{count - 1} debits", False, (funds, *debits[1:])
    yield f"{count} credits", False, (funds, *credits_)


def _structuring(given: Mapping[str, int]) -> Made:
    count, days = given["count_min"], given["window_days"]
    floor, threshold = given["floor_minor"], given["threshold_minor"]
    below = [Step("CASH_DEPOSIT", threshold - 1 - number) for number in range(count)]
    least = (Step("INCOMING_PAYMENT", floor),) * max(count, -(-threshold // floor))
    within = tuple(replace(one, day=number % days) for number, one in enumerate(below))
    spread = tuple(replace(one, day=number * days) for number, one in enumerate(below))
    late = (*below[:-1], replace(below[-1], day=days))
    yield f"{count} credits in {days} days", True, within
    yield f"{len(least)} credits of the least amount", True, least
    yield f"{count - 1} credits", False, tuple(below[1:])
    yield f"{count} credits, the last a day too late", False, late
    yield f"{count} credits, each {days} days after the other", False, spread
    yield f"{count} credits, one too small", False, (*below[1:], Step("CASH_DEPOSIT", floor - 1))


def _drain(given: Mapping[str, int]) -> Made:
    share, least = given["share_percent"], given["balance_min_minor"]
    balance = PLENTY * max(least, PLENTY)
    amount = -(-balance * share // 100)
    funds = Step("CASH_DEPOSIT", balance, counts=False)
    yield f"{share} % of the balance", True, (funds, Step("CASH_WITHDRAWAL", amount))
    yield f"less than {share} %", False, (funds, Step("CASH_WITHDRAWAL", amount - 1))
    if least > 1:
        small = Step("CASH_DEPOSIT", least - 1), Step("CASH_WITHDRAWAL", least - 1)
        yield "all of a small balance", False, small


def _test_then_large(given: Mapping[str, int]) -> Made:
    small, large = given["small_max_minor"], given["large_min_minor"]
    funds = Step("CASH_DEPOSIT", PLENTY * (small + large), counts=False)
    test, much = Step("TRANSFER_OUT", small, payee=0), Step("TRANSFER_OUT", large, payee=0)
    yield "a test and then much, to one payee", True, (funds, test, much)
    yield "a test, and much to another", False, (funds, test, replace(much, payee=1))
    yield "a test, and less than much", False, (funds, test, replace(much, amount=large - 1))
    yield "much, and then a test", False, (funds, much, test)


_MAKERS: dict[str, Callable[[Mapping[str, int]], Made]] = {
    "velocity-count": _velocity,
    "structuring": _structuring,
    "account-drain": _drain,
    "test-then-large": _test_then_large,
}
