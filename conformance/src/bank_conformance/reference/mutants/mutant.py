"""What a mutant is, and the count of how often its broken line ran."""

from __future__ import annotations

from dataclasses import dataclass

from bank_conformance.reference.bank import Parts

RACE_SECONDS = 0.004
"""How long a broken check is older than what it lets through."""

_runs = 0


def broke() -> None:
    """Count that a broken line ran."""
    global _runs  # noqa: PLW0603  one mutant lives in one process
    _runs += 1


def executions() -> int:
    """Return how often the broken line ran."""
    return _runs


@dataclass(frozen=True, slots=True)
class Mutant:
    """A defect, and every requirement that must find it."""

    id: str
    kills: tuple[str, ...]
    """The requirements that must fail it, each by itself."""
    summary: str
    parts: Parts
