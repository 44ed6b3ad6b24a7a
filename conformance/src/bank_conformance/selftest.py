"""Proof that the suite can fail: the reference bank passes, every mutant of it is caught by name.

A mutant counts as killed only if it served, its broken line ran, and every requirement named for it
said FAIL.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .catalogue import catalogue
from .history import now
from .reference.mutants import MUTANTS, Mutant
from .requirements import CHECKS
from .runner import CONTRACT, NO_LIES, Reporter, Run, run
from .serving import StartError, serving
from .verdict import Result, Verdict


@dataclass(slots=True)
class Trial:
    """What became of the reference bank, or of one mutant of it."""

    name: str
    mutant: Mutant | None
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    executions: int = 0
    seconds: float = 0.0
    error: str = ""
    by_shape: frozenset[str] = frozenset()
    """The requirements that said FAIL only because an answer was malformed: that proves nothing."""

    @property
    def killers(self) -> list[str]:
        """The requirements that said FAIL, for a reason of their own."""
        failed = (name for name, verdict in self.verdicts.items() if verdict is Verdict.FAIL)
        return [name for name in failed if name not in self.by_shape]

    @property
    def survived(self) -> list[str]:
        """The requirements that should have said FAIL, and did not."""
        due = self.mutant.kills if self.mutant else ()
        return [name for name in due if name not in self.killers]

    @property
    def passed(self) -> bool:
        """Whether the suite said of this bank what it must say."""
        if self.mutant is None:
            return not self.error and set(self.verdicts.values()) == {Verdict.PASS}
        return bool(self.executions) and not self.survived

    @property
    def outcome(self) -> str:
        """One line that says so."""
        if self.error:
            return self.error
        if self.mutant is None:
            wrong = [
                f"{name} {verdict}" for name, verdict in self.verdicts.items() if verdict != "PASS"
            ]
            return ", ".join(wrong) or "clean"
        if not self.executions:
            return "its broken line never ran"
        killers = ", ".join(self.killers)
        return f"killed by {killers}" if self.passed else f"survived {', '.join(self.survived)}"


async def try_bank(name: str, reporter: Reporter, seed: int, *, full: bool = False) -> Trial:
    """Try the reference bank (any name that is no mutant's) or a mutant of it.

    A mutant meets the requirements that are named for it, or with `full` every one that is built.
    """
    mutant = MUTANTS.get(name)
    ids = list(CHECKS) if full or mutant is None else list(mutant.kills)
    return await _try(name, mutant, ids, reporter, seed)


async def _try(
    name: str, mutant: Mutant | None, ids: Sequence[str], reporter: Reporter, seed: int
) -> Trial:
    """Serve a bank, decide the requirements `ids` of it, and stop it."""
    trial, began = Trial(name, mutant), now()
    try:
        async with serving(mutant) as bank:
            chosen = [catalogue()[one] for one in ids]
            outcome: Run = await run(bank.target, chosen, seed=seed, reporter=reporter)
    except StartError as error:
        trial.error = f"did not start: {error}"
        return trial
    trial.error = outcome.invalid
    trial.verdicts = {one.requirement_id: one.verdict for one in outcome.results}
    trial.reasons = {one.requirement_id: one.decision.reason for one in outcome.results}
    trial.by_shape = frozenset(one.requirement_id for one in outcome.results if _by_shape(one))
    trial.executions, trial.seconds = bank.executions, now() - began
    return trial


def _by_shape(result: Result) -> bool:
    findings = [one for one in result.decision.findings if not one.warning]
    return bool(findings) and all(one.expectation in {CONTRACT, NO_LIES} for one in findings)
