"""Mutants of QRY: lists that lose or repeat what is written while they are read."""

# ruff: noqa: ARG002, D102 - what a method does is said where the reference bank defines it
from __future__ import annotations

from collections.abc import Sequence

from bank_conformance.reference.bank import Parts
from bank_conformance.reference.pages import Pages

from .mutant import Mutant, broke


class PagesByOffset(Pages):
    """M54: the cursor says how many items to skip, however many came in since."""

    def after(self, keys: Sequence[str], cursor: str) -> int:
        broke()
        return int(cursor)

    def cursor(self, keys: Sequence[str], end: int) -> str:
        return str(end)


MUTANTS = (Mutant("M54", ("QRY-2",), "offset paging", Parts(pages=PagesByOffset)),)
