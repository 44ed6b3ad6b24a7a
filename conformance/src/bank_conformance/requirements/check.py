"""What joins a requirement, a workload and a decider."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from bank_conformance.history import History, Operation
from bank_conformance.target import Capabilities
from bank_conformance.verdict import Decision
from bank_conformance.workloads.stage import Stage


@dataclass(frozen=True, slots=True)
class Check:
    """One requirement: the workload that records, and the pure function that decides the record.

    Requirements that name the same workload share one run of it. `needs` names the capabilities
    without which the requirement cannot be decided.
    """

    requirement_id: str
    workload: Callable[[Stage], Awaitable[Any]]
    decide: Callable[[Any], Decision]
    needs: tuple[str, ...] = ()

    def missing(self, capabilities: Capabilities) -> list[str]:
        """Return the capabilities that are needed and not there."""
        return [name for name in self.needs if not getattr(capabilities, name)]


def pick(history: History, indexes: Iterable[int]) -> tuple[Operation, ...]:
    """Return the operations recorded under `indexes`."""
    return tuple(history[index] for index in indexes)
