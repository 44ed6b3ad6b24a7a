"""The mutants: each breaks one thing in the reference bank, in a few lines; one file a family.

A mutant overrides one step of one part and calls `broke()` on the broken line, so that one whose
line never ran is not taken for one that was caught.
"""

from __future__ import annotations

from . import (
    consistency,
    durability,
    erasures,
    idempotency,
    ordering,
    queries,
    security,
    shredding,
    storage,
    tampering,
)
from .mutant import Mutant, broke

__all__ = ["MUTANTS", "Mutant", "broke"]

_FAMILIES = (
    ordering,
    consistency,
    idempotency,
    durability,
    shredding,
    erasures,
    storage,
    tampering,
    queries,
    security,
)

MUTANTS: dict[str, Mutant] = {
    mutant.id: mutant
    for mutant in sorted(
        (mutant for family in _FAMILIES for mutant in family.MUTANTS), key=lambda mutant: mutant.id
    )
}
"""By id."""
