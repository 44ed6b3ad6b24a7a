"""What clients do: one file an aggregate. A new file here is found by itself.

A workload is a module with `WEIGHT`, how often it is chosen beside the others, and `act`, one thing
a client of it does. Optional are `set_up`, before anything goes wrong, `NEEDS`, the workloads that
set up before it, and `check`, at the end, which yields what is wrong in the words of this
aggregate.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from importlib import import_module
from itertools import count
from pkgutil import iter_modules
from typing import Protocol

from ..client import Operation, Session
from ..world import World


@dataclass
class Stage:
    """What clients know of: ids, and amounts that nobody used before."""

    world: World
    history: list[Operation]
    customers: list[str] = field(default_factory=list)
    accounts: list[str] = field(default_factory=list)
    transfers: list[str] = field(default_factory=list)
    holds: list[tuple[str, str]] = field(default_factory=list)
    """Account and hold."""
    erased: set[str] = field(default_factory=set)
    """Customers whose erasure was confirmed."""
    half_erased: set[str] = field(default_factory=set)
    """Customers whose erasure was not at its end when its client left."""
    seen: dict[tuple[str, str], int] = field(default_factory=dict)
    """By session and account: how far in the account's partition it has been told."""
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    def amount(self, size: int) -> int:
        """An amount of about `size` minor units that is used only once."""
        return size * 1_000 + next(self._numbers)

    def saw(self, session: Session, account_id: str, position: int) -> None:
        """A session was told of this position of the account's partition."""
        known = self.seen.get((session.name, account_id), 0)
        self.seen[session.name, account_id] = max(known, position)


class Workload(Protocol):
    """A module of this package."""

    WEIGHT: int

    async def act(self, stage: Stage, session: Session) -> None:
        """One thing a client does."""
        ...


def _found() -> dict[str, Workload]:
    """By name, in an order in which each can set up."""
    modules = {m.name: import_module(f"{__name__}.{m.name}") for m in iter_modules(__path__)}
    needs = {name: getattr(modules[name], "NEEDS", ()) for name in sorted(modules)}
    return {name: modules[name] for name in TopologicalSorter(needs).static_order()}


WORKLOADS = _found()
WEIGHTS = {name: workload.WEIGHT for name, workload in WORKLOADS.items()}


async def set_up(stage: Stage, session: Session) -> None:
    """Let every workload prepare what it needs."""
    for workload in WORKLOADS.values():
        prepare = getattr(workload, "set_up", None)
        if prepare is not None:
            await prepare(stage, session)


def checked(stage: Stage) -> Iterable[str]:
    """What the workloads find wrong at the end."""
    for workload in WORKLOADS.values():
        check = getattr(workload, "check", None)
        if check is not None:
            yield from check(stage)
