"""Reading published files: every line means one thing, and a bad one is told by file and line."""

from __future__ import annotations

import csv
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, TypeVar

from bank_simulations.console import BadInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Row = dict[str, str]
T = TypeVar("T")


def read_rows(
    path: Path, parse: Callable[[Row], T], *, delimiter: str = ",", encoding: str = "utf-8"
) -> Iterator[T]:
    """What `parse` makes of each line, by the names in the first one.

    Raises:
        BadInputError: the file cannot be read, or `parse` could not make anything of a line.
    """
    try:
        with path.open(encoding=encoding, newline="") as lines:
            reader = csv.DictReader(lines, delimiter=delimiter)
            for row in reader:
                try:
                    yield parse(row)
                except (KeyError, TypeError, AttributeError, ValueError) as error:
                    raise BadInputError(f"{path}, line {reader.line_num}: {_why(error)}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"cannot read {path}: {error}") from error


def parse_amount(text: str) -> int:
    """Minor units, exactly; a fraction of one raises ValueError."""
    try:
        minor = Decimal(text) * 100
    except InvalidOperation as error:
        raise ValueError(f"{text!r} is no amount") from error
    if not minor.is_finite() or minor != int(minor):
        raise ValueError(f"{text!r} is no amount of whole minor units")
    return int(minor)


def _why(error: Exception) -> str:
    return f"no column {error}" if isinstance(error, KeyError) else str(error)
