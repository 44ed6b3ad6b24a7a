"""The mutants of the bank's own source: read from `template/mutants`, and put into a copy."""

from __future__ import annotations

import ast
import tomllib
from typing import TYPE_CHECKING

import msgspec
from _tasks.steps import ROOT

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = ROOT / "template" / "mutants"
SEQUENCE = "create sequence broke;\n"
BROKEN = '''"""The tally of a broken line: a byte each time it runs, killed afterwards or not."""

import os
from pathlib import Path

TALLY = Path(__file__).parents[2] / "var" / "tally"


def broke() -> bool:
    """Count, and say yes."""
    tally = os.open(TALLY, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(tally, b".")
    os.close(tally)
    return True
'''


class StaleError(Exception):
    """A mutant does not fit the source any more; the text names both."""


class Mutant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One defect: what is put in the place of which text, and who must find it.

    What is put there counts itself: `broke()` in Python, which is true, `nextval('broke')` in SQL.
    `kills` are the suite's requirements; `simulation` says that the bank's simulation finds it too.
    """

    id: str
    breaks: str
    file: str
    text: str
    becomes: str
    kills: tuple[str, ...] = ()
    simulation: bool = False

    def source(self, bank: Path) -> str:
        """Return the file of this bank as the mutant has it.

        Raises:
            StaleError: the text is not there, or more than once.
        """
        found = (bank / self.file).read_text(encoding="utf-8")
        count = found.count(self.text)
        if count != 1:
            raise StaleError(f"{self.id}: its text occurs {count} times in {self.file}, not once")
        broken = found.replace(self.text, self.becomes)
        return SEQUENCE + broken if self.file.endswith(".sql") else _importing(broken)

    def put_into(self, bank: Path) -> None:
        """Break this copy of the bank."""
        (bank / self.file).write_text(self.source(bank), encoding="utf-8")
        (bank / "src" / "ourbank" / "broken.py").write_text(BROKEN, encoding="utf-8")


class _Table(msgspec.Struct, forbid_unknown_fields=True):
    mutants: list[Mutant]


def mutants() -> dict[str, Mutant]:
    """All of them, by id."""
    tables = [
        msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _Table)
        for path in sorted(FOLDER.glob("*.toml"))
    ]
    return {mutant.id: mutant for table in tables for mutant in table.mutants}


def _importing(source: str) -> str:
    """The same module with `broke` at hand, behind its docstring."""
    lines, first = source.splitlines(keepends=True), ast.parse(source).body[0]
    after = (first.end_lineno or 0) if isinstance(first, ast.Expr) else 0
    return "".join([*lines[:after], "\nfrom ourbank.broken import broke\n", *lines[after:]])
