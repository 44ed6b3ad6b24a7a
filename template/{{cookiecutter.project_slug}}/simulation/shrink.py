"""Making a failing plan small: what is left of it is what the failure needs.

Greedy, in ever smaller bites: leave out acts and faults, then make the set-up tamer, as long as the
same thing goes wrong. Every act and fault brings its own numbers, so the rest happens as before,
or nearly; a smaller plan that fails otherwise is not taken.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import TypeVar

import msgspec

from .plan import Knobs, Plan
from .run import play

PLAYS_MAX = 400
_ANY = re.compile(r"[a-z]{3}_[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f-]{27}|\d[\d.:_-]*")

Item = TypeVar("Item")


def kind_of(violations: Sequence[str]) -> str:
    """What went wrong first, without the names and numbers of this one run."""
    return _ANY.sub("#", violations[0])[:60] if violations else ""


def shrunk(plan: Plan, tried: Callable[[Plan], None] = lambda _: None) -> Plan:
    """The smallest plan found that fails like this one; the plan itself when it does not fail."""
    wanted = kind_of(play(plan).violations)
    if not wanted:
        return plan
    plays = count(1)
    while (smaller := _smaller(plan, wanted, plays)) is not None:
        plan = smaller
        tried(plan)
    return plan


def _smaller(plan: Plan, wanted: str, plays: "count[int]") -> Plan | None:
    """The first candidate that fails alike; none when there is none, or time is up."""
    for candidate in _candidates(plan):
        if next(plays) > PLAYS_MAX:
            return None
        if kind_of(play(candidate).violations) == wanted:
            return candidate
    return None


def _candidates(plan: Plan) -> Iterator[Plan]:
    for faults in _without(plan.faults):
        yield msgspec.structs.replace(plan, faults=faults)
    for acts in _without(plan.acts):
        yield msgspec.structs.replace(plan, acts=acts)
    tame = Knobs()
    for name in Knobs.__struct_fields__:
        if getattr(plan.knobs, name) != getattr(tame, name):
            knobs = msgspec.structs.replace(plan.knobs, **{name: getattr(tame, name)})
            yield msgspec.structs.replace(plan, knobs=knobs)


def _without(items: tuple[Item, ...]) -> Iterator[tuple[Item, ...]]:
    """The items without a stretch of them: half, a quarter, … , one."""
    size = (len(items) + 1) // 2
    while size:
        for at in range(0, len(items), size):
            yield items[:at] + items[at + size :]
        size //= 2
