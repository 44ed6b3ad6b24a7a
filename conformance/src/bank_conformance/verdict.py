"""Verdicts, and the findings they rest on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .history import Operation


class Verdict(StrEnum):
    """What became of a requirement. Only PASS says that it holds."""

    PASS = "PASS"  # noqa: S105  no password
    WARN = "WARN"
    FAIL = "FAIL"
    SKIP = "SKIP"
    INCONCLUSIVE = "INCONCLUSIVE"
    DISABLED = "DISABLED"


class Exit:
    """The exit codes of a run."""

    CONFORMANT, NOT_CONFORMANT, USAGE, INCONCLUSIVE, INVALID = range(5)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that contradicts a requirement, with the calls that show it."""

    expectation: str
    evidence: str
    operations: tuple[Operation, ...] = ()
    warning: bool = False


@dataclass(frozen=True, slots=True)
class Coverage:
    """How often the workload met what a requirement is about, and how often is enough."""

    what: str
    count: int
    minimum: int = 0

    @property
    def enough(self) -> bool:
        """Whether the count carries a verdict."""
        return self.count >= self.minimum

    def __str__(self) -> str:
        """Put the count, and what was needed where it is missed, on one line."""
        return f"{self.count:,} {self.what}" + ("" if self.enough else f" (of {self.minimum:,})")


@dataclass(frozen=True, slots=True)
class Samples:
    """Measured values and their bound, in milliseconds, to be drawn in the report."""

    what: str
    values_ms: tuple[float, ...]
    bound_ms: float


@dataclass(frozen=True, slots=True)
class Decision:
    """What a decider found in a record."""

    findings: tuple[Finding, ...] = ()
    coverage: tuple[Coverage, ...] = ()
    note: str = ""
    skip: str = ""
    """Why the requirement cannot be decided on this bank at all; empty when it can."""
    doubt: str = ""
    """Why what was seen carries no verdict; empty when it does."""
    samples: Samples | None = None

    @property
    def verdict(self) -> Verdict:
        """The verdict: a contradiction first, then missing coverage, never a PASS by default."""
        if any(not finding.warning for finding in self.findings):
            return Verdict.FAIL
        if self.skip:
            return Verdict.SKIP
        if self.doubt or not all(item.enough for item in self.coverage):
            return Verdict.INCONCLUSIVE
        return Verdict.WARN if self.findings else Verdict.PASS

    @property
    def telling(self) -> list[Finding]:
        """The findings as a reader wants them: failures first, those with the shortest history."""
        return sorted(
            self.findings, key=lambda one: (one.warning, not one.operations, len(one.operations))
        )

    @property
    def reason(self) -> str:
        """One line that says why."""
        failing = [finding for finding in self.telling if not finding.warning]
        if failing:
            more = f" (and {len(failing) - 1} more)" if len(failing) > 1 else ""
            return failing[0].evidence + more
        missed = [str(item) for item in self.coverage if not item.enough]
        warned = [finding.evidence for finding in self.findings]
        covered = ", ".join(str(item) for item in self.coverage)
        doubt = self.doubt or ("too little seen: " + ", ".join(missed) if missed else "")
        return self.skip or doubt or "; ".join(warned) or self.note or covered


@dataclass(frozen=True, slots=True)
class Result:
    """The verdict on one requirement, and everything that a reader needs to check it."""

    requirement_id: str
    decision: Decision
    seconds: float

    @property
    def verdict(self) -> Verdict:
        """The verdict."""
        return self.decision.verdict


def exit_code(verdicts: list[Verdict]) -> int:
    """Return the exit code of a run: a FAIL decides; nothing decided is inconclusive."""
    if Verdict.FAIL in verdicts:
        return Exit.NOT_CONFORMANT
    decided = any(verdict in {Verdict.PASS, Verdict.WARN} for verdict in verdicts)
    if Verdict.INCONCLUSIVE in verdicts or not decided:
        return Exit.INCONCLUSIVE
    return Exit.CONFORMANT
