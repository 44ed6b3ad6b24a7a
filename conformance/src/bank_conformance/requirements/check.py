"""What joins a requirement, a workload and a decider."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from bank_conformance.history import History, Operation
from bank_conformance.hooks import Hooks
from bank_conformance.target import Capabilities
from bank_conformance.verdict import Decision
from bank_conformance.workloads.stage import Stage

DISTURBING, RESTORING = 1, 2
"""The turns of those that stop the bank, and of those that put it back in time."""


@dataclass(frozen=True, slots=True)
class Check:
    """One requirement: the workload that records, and the pure function that decides the record.

    Requirements that name the same workload share one run of it. `needs` names the capabilities
    and `hooks` the hooks without which the requirement cannot be decided; `uses` names the hooks
    that the workload uses where they are there.
    """

    requirement_id: str
    workload: Callable[[Stage], Awaitable[Any]]
    decide: Callable[[Any], Decision]
    needs: tuple[str, ...] = ()
    hooks: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()

    def missing(self, capabilities: Capabilities, hooks: Hooks) -> str:
        """Say what is needed and not there, empty when all is."""
        lacking = [name for name in self.needs if not getattr(capabilities, name)]
        if lacking:
            return f"the bank does not offer: {', '.join(lacking)}"
        lacking = [name for name in self.hooks if name not in hooks.names]
        return f"the target file gives no hook: {', '.join(lacking)}" if lacking else ""

    @property
    def turn(self) -> int:
        """When it is decided: first what disturbs nobody, then what stops the bank, and at the end
        what puts it back in time, since nothing may rely afterwards on what was there before.
        """
        touched = {*self.hooks, *self.uses}
        if touched & {"restore", "clock"}:
            return RESTORING
        return DISTURBING if touched else 0


def pick(history: History, indexes: Iterable[int]) -> tuple[Operation, ...]:
    """Return the operations recorded under `indexes`."""
    return tuple(history[index] for index in indexes)
