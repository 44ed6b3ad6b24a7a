"""Hostile requests, made from the contract: each is a valid one that was spoilt in one place.

A `Spoilt` that the contract forbids must be refused. One that it allows, but that often breaks what
lies behind (a NUL in a text, say), may be refused or not; an internal error it must not be.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from functools import cache, partial
from typing import Any, NamedTuple

import msgspec

from bank_conformance.catalogue import contract_file

LONG, HUGE, DIGITS = 100_000, 10**40, 2**63
DEPTH = 100
GOOD_TIMES = {"date": "2026-01-02", "date-time": "2026-01-02T00:00:00Z"}
DECIMAL = re.compile(r"\d+\.\d+")
ODD_TEXTS = {
    "a NUL": "a\x00b",
    "a bidirectional override": "a\u202eb",
    "a character of four bytes": "a\U0001f9ffb",
    "an escape sequence": "a\x1b[31mb",
    "SQL": "a'; DROP TABLE events; --",
}
ANOTHER_TYPE: dict[str, tuple[Any, ...]] = {
    "integer": ("1", 1.5, True, [], {}, None),
    "string": (1, True, [], {}, None),
    "boolean": ("true", 1, [], None),
    "object": ("x", 1, [], None),
    "array": ("x", 1, {}, None),
}


class Spoilt(NamedTuple):
    """A value, where it goes, what is wrong with it, and whether the contract forbids it."""

    what: str
    value: Any
    forbidden: bool = True


@cache
def contract() -> dict[str, Any]:
    """Return the contract."""
    found: dict[str, Any] = msgspec.yaml.decode(contract_file("openapi.yaml").read_bytes())
    return found


def resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a schema, or what it refers to."""
    reference = schema.get("$ref")
    if reference is None:
        return schema
    found: Any = contract()
    for part in str(reference).removeprefix("#/").split("/"):
        found = found[part]
    return resolved(found)


def operation_of(route: str) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]]:
    """Return an operation of the contract and its parameters."""
    for item in contract()["paths"].values():
        for call in item.values():
            if isinstance(call, dict) and call.get("operationId") == route:
                given = [*item.get("parameters", []), *call.get("parameters", [])]
                return call, [resolved(parameter) for parameter in given]
    raise KeyError(route)


def body_schema(route: str) -> Mapping[str, Any] | None:
    """Return the schema of a route's body, None where it takes none."""
    call, _ = operation_of(route)
    body = call.get("requestBody")
    return resolved(body["content"]["application/json"]["schema"]) if body else None


def sample(schema: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
    """Return a valid value; members named in `given` are taken from there."""
    schema = resolved(schema)
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            required = schema.get("required", [])
            return {
                name: given[name] if name in given else sample(member, given)
                for name, member in schema["properties"].items()
                if name in required
            }
        case "array":
            return [sample(schema["items"], given)]
        case "integer":
            return max(1, schema.get("minimum", 1))
        case "boolean":
            return True
    if schema.get("format", "") in GOOD_TIMES:
        return GOOD_TIMES[schema["format"]]
    return "n@example.com" if "@" in schema.get("pattern", "") else "x" * schema.get("minLength", 1)


def spoilt(schema: Mapping[str, Any]) -> Iterator[Spoilt]:
    """Return wrong values for one place of a body."""
    schema = resolved(schema)
    kind = schema.get("type") or "string"
    for value in ANOTHER_TYPE.get(kind if isinstance(kind, str) else "string", ()):
        yield Spoilt(f"{json.dumps(value)} for a {kind}", value)
    if "enum" in schema:
        yield Spoilt("a word that is not listed", "NOPE")
    elif kind == "integer":
        yield from _numbers(schema)
    elif kind == "string":
        yield from _texts(schema)
    elif kind == "array":
        yield Spoilt("an empty list", [], bool(schema.get("minItems")))


def _numbers(schema: Mapping[str, Any]) -> Iterator[Spoilt]:
    if "minimum" in schema:
        yield Spoilt("one less than the least", schema["minimum"] - 1)
        yield Spoilt("a huge negative number", -HUGE)
    if "maximum" in schema:
        yield Spoilt("one more than the most", schema["maximum"] + 1)
        yield Spoilt("one more than 63 bits", DIGITS)
        yield Spoilt("a number of 41 digits", HUGE)


def _texts(schema: Mapping[str, Any]) -> Iterator[Spoilt]:
    yield from _odd_texts(schema)
    yield Spoilt("an empty text", "", not fits("", schema))
    yield Spoilt("a text of 100,000", "x" * LONG, not fits("x" * LONG, schema))


def _odd_texts(schema: Mapping[str, Any]) -> Iterator[Spoilt]:
    texts = {"a text of another form": "not-of-this-form", "a day that is none": "2026-02-30"}
    if "maxLength" in schema:
        texts["a text one too long"] = "x" * (schema["maxLength"] + 1)
    for what, text in (texts | ODD_TEXTS).items():
        yield Spoilt(what, text, not fits(text, schema))


def fits(text: str, schema: Mapping[str, Any]) -> bool:
    """Say whether the contract allows a text in this place."""
    long_enough = schema.get("minLength", 0) <= len(text) <= schema.get("maxLength", len(text))
    formed = re.search(schema.get("pattern", ""), text) is not None
    read = _FORMATS.get(schema.get("format", ""))
    try:
        return long_enough and formed and (read is None or read(text) is not None)
    except ValueError:
        return False


_FORMATS: dict[str, Callable[[str], object]] = {
    "date": date.fromisoformat,
    "date-time": datetime.fromisoformat,
}


def places(
    schema: Mapping[str, Any], given: Mapping[str, Any], path: str = ""
) -> Iterator[tuple[str, Any, bool]]:
    """Return whole bodies that are spoilt in one place: where and how, the body, if forbidden."""
    schema = resolved(schema)
    whole = sample(schema, given)
    if schema.get("type") == "array":
        for where, item, forbidden in places(schema["items"], given, f"{path}/0"):
            yield where, [item], forbidden
        return
    if schema.get("type") != "object":
        return
    required = schema.get("required", [])
    for name, member in schema["properties"].items():
        where = f"{path}/{name}"
        for one in spoilt(member):
            yield f"{where}: {one.what}", whole | {name: one.value}, one.forbidden
        if name in required:
            rest = {other: value for other, value in whole.items() if other != name}
            yield f"{where}: missing", rest, True
        for inner, value, forbidden in places(member, given, where):
            yield inner, whole | {name: value}, forbidden
    yield f"{path}/: an unknown member", whole | {"surprise": 1}, True


def raw_bodies() -> dict[str, Callable[[bytes], bytes]]:
    """Return what makes bodies that no encoder would write out of valid ones; all are forbidden."""
    return {
        "no body": lambda _valid: b"",
        "not closed": lambda valid: valid[:-1],
        "something behind the end": lambda valid: valid + b" x",
        "no UTF-8": lambda valid: valid[:-1] + b', "x": "\xff\xfe"}',
        "an infinite number": partial(_with_number, number=b"1e999"),
        "NaN": partial(_with_number, number=b"NaN"),
        "a list": lambda valid: b"[" + valid + b"]",
        "half of a surrogate pair": lambda valid: valid[:-1] + b', "narrative": "\\ud800"}',
        "a member twice": _twice,
        "nested a hundred deep": lambda _valid: b"[" * DEPTH + b"]" * DEPTH,
    }


def _with_number(valid: bytes, number: bytes) -> bytes:
    """Replace the first amount, or add one that does not belong there."""
    members = json.loads(valid)
    name = next((name for name, value in members.items() if _is_number(value)), "amount_minor")
    return json.dumps(members | {name: 0}).encode().replace(b": 0", b": " + number, 1)


def _is_number(value: Any) -> bool:
    """Say whether a member is an amount: a number, or the text of a decimal one."""
    return type(value) is int or (isinstance(value, str) and DECIMAL.fullmatch(value) is not None)


def _twice(valid: bytes) -> bytes:
    """Say the first member again: readers differ in which of the two they believe."""
    members = json.loads(valid) or {"a": 1}
    again = json.dumps(dict([next(iter(members.items()))])).encode()
    return again[:-1] + b", " + json.dumps(members).encode()[1:]


def good_query(route: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a valid query; parameters named in `given` are taken from there."""
    found: dict[str, Any] = {}
    for parameter in _required(route):
        name, schema = parameter["name"], resolved(parameter["schema"])
        value = given[name] if name in given else sample(schema, given)
        several = schema.get("type") == "array" and not isinstance(value, list)
        found[name] = [value] if several else value
    return found


def _required(route: str) -> list[Mapping[str, Any]]:
    _, parameters = operation_of(route)
    return [one for one in parameters if one["in"] == "query" and one.get("required")]


def queries(route: str) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Return queries that are spoilt in one parameter: what, the query, if forbidden."""
    _, parameters = operation_of(route)
    for parameter in (one for one in parameters if one["in"] == "query"):
        schema, name = resolved(parameter["schema"]), parameter["name"]
        for one in _queried(schema):
            yield f"{name}: {one.what}", {name: str(one.value)}, one.forbidden
    for parameter in _required(route):
        yield f"{parameter['name']}: missing", {parameter["name"]: None}, True
    yield "an unknown parameter", {"surprise": "1"}, True


def _queried(schema: Mapping[str, Any]) -> Iterator[Spoilt]:
    if schema.get("type") == "integer":
        yield from (Spoilt(json.dumps(text), text) for text in ("abc", "1.5", ""))
        yield from _numbers(schema)
        yield Spoilt("a number of 41 digits", HUGE, forbidden="maximum" in schema)
    elif schema.get("type") == "array":
        yield from _queried(resolved(schema["items"]))
    elif "enum" in schema:
        yield Spoilt("a word that is not listed", "NOPE")
    else:
        yield from _odd_texts(schema)
