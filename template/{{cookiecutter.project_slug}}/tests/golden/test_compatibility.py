"""A change of a stored shape is refused when old bytes would not decode, or would mean another
thing.
"""

from dataclasses import field, make_dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import pytest

from tests.golden.compatibility import incompatibilities
from tests.golden.shapes import schema

Colour = StrEnum("Colour", {"RED": "RED", "BLUE": "BLUE"})
More = StrEnum("More", {"RED": "RED", "BLUE": "BLUE", "GREEN": "GREEN"})
Fewer = StrEnum("Fewer", {"RED": "RED"})
MUST = object()


def shape(**members: Any) -> dict[str, Any]:
    """The schema of an event with these fields: a type, or a type and a default."""
    parts = [
        (name, *member) if isinstance(member, tuple) else (name, member, MUST)
        for name, member in members.items()
    ]
    fields = [
        (name, kind) if default is MUST else (name, kind, field(default=default))
        for name, kind, default in parts
    ]
    return schema(make_dataclass("Happened", fields, frozen=True))


OLD = shape(amount=int, colour=Colour, at=datetime, note=(str | None, None))


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (
            shape(colour=Colour, at=datetime, note=(str | None, None)),
            "field amount was removed or renamed",
        ),
        (
            shape(sum=int, colour=Colour, at=datetime, note=(str | None, None)),
            "field amount was removed or renamed; field sum is required and was not",
        ),
        (
            shape(amount=str, colour=Colour, at=datetime, note=(str | None, None)),
            "field amount can no longer be integer",
        ),
        (
            shape(amount=int, colour=Fewer, at=datetime, note=(str | None, None)),
            "field colour can no longer be the value BLUE",
        ),
        (
            shape(amount=int, colour=Colour, at=date, note=(str | None, None)),
            "field at can no longer be string",
        ),
        (
            shape(amount=int, colour=Colour, at=datetime, note=(str, "")),
            "field note can no longer be null; field note has another default",
        ),
        (
            shape(amount=int, colour=Colour, at=datetime, note=str | None),
            "field note is required and was not",
        ),
        (
            shape(amount=int, colour=Colour, at=datetime, more=int, note=(str | None, None)),
            "field more is required and was not",
        ),
        (
            shape(amount=int, colour=Colour, at=datetime, note=(str | None, "none")),
            "field note has another default",
        ),
    ],
)
def test_refused(new: dict[str, Any], said: str) -> None:
    assert "; ".join(incompatibilities(OLD, new)) == said


@pytest.mark.parametrize(
    "new",
    [
        OLD,
        shape(
            note=(str | None, None), at=(datetime, None), colour=(Colour, "RED"), amount=(int, 0)
        ),
        shape(
            amount=int,
            colour=Colour,
            at=datetime,
            note=(str | None, None),
            more=(int | None, None),
        ),
        shape(amount=int, colour=More, at=datetime, note=(str | None, None)),
        shape(amount=int | None, colour=Colour, at=datetime, note=(str | int | None, None)),
    ],
    ids=["nothing", "order, optional", "another optional field", "enumeration", "wider"],
)
def test_accepted(new: dict[str, Any]) -> None:
    assert incompatibilities(OLD, new) == []
