"""Templates: how a member of one shape is made from the members of another.

    "{amount}"                     the member, whatever it is; left out where there is none
    "{owner.name}"                 a member of a member; a number picks from a list
    "{@path.account_id}"           from elsewhere: @path, @query, @request, @key, @index, @null
    "{amount_minor|decimal}"       through a filter: decimal, minor, date, or a table of [words]
    "{first} {last}"               a text
    {first = ["{nick}", "{name}"]} the first that is there
    {sum = ["{a|minor}", "{b}"]}   the sum of numbers; left out where one is missing
    {a = …, b = …}                 an object of what is there
    "ACTIVE", 1, true              always this

What a filter cannot read is passed on as it is: a request that was spoilt on purpose must reach the
bank as spoilt as it was. Where it would be right in the bank's own shape, as the text "1" is for an
amount where amounts are texts, it cannot be expressed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal, InvalidOperation
from functools import cache
from typing import Any, NamedTuple

from .adapter import MappingError

MISSING: Any = object()
ELSEWHERE = ("path", "query", "request", "key", "index", "null")
FILTERS = ("decimal", "minor", "date")
SPECIAL = ("first", "sum")
_SLOT = re.compile(r"\{([^{}|]+)(?:\|([^{}|]+))?\}")
_NUMBER = re.compile(r"\s*[-+]?\d+(\.\d*)?\s*")
DATE_CHARACTERS = 10
_EXACT = Context(prec=200)
"""Amounts that were made absurd on purpose are not rounded on their way."""


class UnexpressedError(Exception):
    """What is wrong in the contract's shape would be right in the bank's."""


class Slot(NamedTuple):
    """A place to be filled: the path to a value, and the filter it goes through."""

    path: tuple[str, ...]
    filter: str


@dataclass(frozen=True, slots=True)
class Scope:
    """What a template may name."""

    own: Any
    elsewhere: Mapping[str, Any] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    decimals: int = 2

    def value(self, slot: Slot) -> Any:
        """Return what fills a place, MISSING if there is nothing."""
        first, *rest = slot.path
        if first.startswith("@"):
            found = self.elsewhere.get(first[1:], MISSING)
        else:
            found, rest = self.own, [first, *rest]
        for name in rest:
            found = _member(found, name)
        return found if found is MISSING or not slot.filter else self._filtered(found, slot.filter)

    def _filtered(self, value: Any, name: str) -> Any:
        if name in self.words:
            return self.words[name].get(str(value), value)
        return _FILTERS[name](value, self.decimals)


def _member(value: Any, name: str) -> Any:
    if isinstance(value, Mapping):
        return value.get(name, MISSING)
    if isinstance(value, list) and name.isdigit() and int(name) < len(value):
        return value[int(name)]
    return MISSING


def _decimal(value: Any, decimals: int) -> Any:
    """Return minor units as a decimal text.

    Raises:
        UnexpressedError: it is a number all the same, and would be right where decimals are.
    """
    if type(value) is not int:
        if isinstance(value, float) or (isinstance(value, str) and _NUMBER.fullmatch(value)):
            raise UnexpressedError
        return value
    whole, part = divmod(abs(value), 10**decimals)
    text = f"{whole}.{part:0{decimals}d}" if decimals else f"{whole}"
    return f"-{text}" if value < 0 else text


def _minor(value: Any, decimals: int) -> Any:
    """Return a decimal as minor units, if it is a whole number of them."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return value
    try:
        scaled = Decimal(str(value)).scaleb(decimals, _EXACT)
    except InvalidOperation:
        return value
    return int(scaled) if scaled.is_finite() and scaled == scaled.to_integral_value() else value


def _date(value: Any, _decimals: int) -> Any:
    """Return the day of a time."""
    return value[:DATE_CHARACTERS] if isinstance(value, str) else value


_FILTERS: dict[str, Callable[[Any, int], Any]] = {
    "decimal": _decimal,
    "minor": _minor,
    "date": _date,
}


def fill(template: Any, scope: Scope) -> Any:
    """Return the value of a template, MISSING if nothing of what it names is there."""
    match template:
        case str():
            return _fill_text(template, scope)
        case {"first": list(options), **others} if not others:
            return next((v for o in options if (v := fill(o, scope)) is not MISSING), MISSING)
        case {"sum": list(terms), **others} if not others:
            return _sum([fill(term, scope) for term in terms])
        case Mapping():
            return _fill_object(template, scope)
        case list():
            return [value for item in template if (value := fill(item, scope)) is not MISSING]
    return template


def _fill_object(template: Mapping[str, Any], scope: Scope) -> Any:
    """Return the members that are there; none at all where there is nothing to make it of."""
    filled = {name: fill(value, scope) for name, value in template.items()}
    given = {name: value for name, value in filled.items() if value is not MISSING}
    return given if given or not template else MISSING


def _fill_text(template: str, scope: Scope) -> Any:
    parts = parse(template)
    if len(parts) == 1:
        return scope.value(parts[0]) if isinstance(parts[0], Slot) else parts[0]
    values = [scope.value(part) if isinstance(part, Slot) else part for part in parts]
    return MISSING if MISSING in values else "".join(map(str, values))


def _sum(terms: list[Any]) -> Any:
    return sum(terms) if all(type(term) is int for term in terms) else MISSING


@cache
def parse(template: str) -> tuple[str | Slot, ...]:
    """Take a template apart.

    Raises:
        MappingError: a brace does not belong to a place such as {name}.
    """
    parts: list[str | Slot] = []
    end = 0
    for match in _SLOT.finditer(template):
        parts += [template[end : match.start()], Slot(tuple(match[1].split(".")), match[2] or "")]
        end = match.end()
    parts.append(template[end:])
    texts = [part for part in parts if isinstance(part, str)]
    if any("{" in text or "}" in text for text in texts):
        raise MappingError(f"{template!r} is no template: write a place as {{name}}")
    return tuple(part for part in parts if part) or ("",)


def slots(template: Any) -> Iterator[Slot]:
    """Return every place in a template.

    Raises:
        MappingError: a text in it is no template.
    """
    if isinstance(template, str):
        yield from (part for part in parse(template) if isinstance(part, Slot))
    elif isinstance(template, Mapping):
        for value in template.values():
            yield from slots(value)
    elif isinstance(template, list):
        for value in template:
            yield from slots(value)


def check(template: Any, words: Mapping[str, Any], where: str) -> None:
    """Check a template before it is needed.

    Raises:
        MappingError: it names a filter or a source that does not exist.
    """
    try:
        found = list(slots(template))
    except MappingError as error:
        raise MappingError(f"{where}: {error}") from None
    for slot in found:
        if slot.filter and slot.filter not in FILTERS and slot.filter not in words:
            known = ", ".join((*FILTERS, *words))
            raise MappingError(
                f"{where}: no filter {slot.filter!r}: there are {known}; add [words.{slot.filter}]"
            )
        if slot.path[0].startswith("@") and slot.path[0][1:] not in ELSEWHERE:
            known = ", ".join(f"@{name}" for name in ELSEWHERE)
            raise MappingError(f"{where}: no source {slot.path[0]!r}: there are {known}")
