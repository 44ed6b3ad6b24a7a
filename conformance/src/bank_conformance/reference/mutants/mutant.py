"""What a mutant is, and the tally of how often its broken line ran."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from io import RawIOBase
from pathlib import Path

from bank_conformance.reference.bank import Parts

RACE_SECONDS = 0.004
"""How long a broken check is older than what it lets through."""

TALLY_VARIABLE = "BANK_REFERENCE_TALLY"
"""Names the file that gets a byte each time a broken line runs; it outlives a killed process."""


def broke() -> None:
    """Count that a broken line ran."""
    if tally := _tally():
        tally.write(b".")


@cache
def _tally() -> RawIOBase | None:
    path = os.environ.get(TALLY_VARIABLE)
    return Path(path).open("ab", buffering=0) if path else None


@dataclass(frozen=True, slots=True)
class Mutant:
    """A defect, and every requirement that must find it."""

    id: str
    kills: tuple[str, ...]
    """The requirements that must fail it, each by itself."""
    summary: str
    parts: Parts
