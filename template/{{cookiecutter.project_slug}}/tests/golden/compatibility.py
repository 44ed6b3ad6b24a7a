"""Whether bytes of an older shape still decode into a newer one, and mean the same."""

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]


def incompatibilities(old: Schema, new: Schema) -> list[str]:
    """What in `new` breaks or changes what was stored as `old`; both as shapes.schema makes them.

    Compatible are: another optional field, a field that becomes optional, one that may hold more.
    """
    return list(_changes(_root(old), _root(new), old, new))


def _changes(was: Schema, now: Schema, old: Schema, new: Schema) -> Iterator[str]:
    for name, property_ in was["properties"].items():
        if name not in now["properties"]:
            yield f"field {name} was removed or renamed"
            continue
        yield from _field(name, _kinds(property_, old), _kinds(now["properties"][name], new))
        if "default" in property_ and property_["default"] != now["properties"][name].get(
            "default", property_["default"]
        ):
            yield f"field {name} has another default"
    before = set(was.get("required", ()))
    for name in now.get("required", ()):
        if name not in before:
            yield f"field {name} is required and was not"


def _field(name: str, was: frozenset[str], now: frozenset[str]) -> Iterator[str]:
    if lost := sorted(was - now):
        yield f"field {name} can no longer be {', '.join(lost)}"


def _kinds(property_: Schema, schema: Schema) -> frozenset[str]:
    """What a field may hold, one word each: types, formats, members of an enumeration."""
    if "$ref" in property_:
        return _kinds(_definition(property_["$ref"], schema), schema)
    if "anyOf" in property_:
        return frozenset().union(*(_kinds(one, schema) for one in property_["anyOf"]))
    if "enum" in property_:
        return frozenset(f"the value {value}" for value in property_["enum"])
    return frozenset({property_.get("format", property_.get("type", "anything"))})


def _root(schema: Schema) -> Schema:
    return _definition(schema["$ref"], schema)


def _definition(reference: str, schema: Schema) -> Schema:
    found: Schema = schema["$defs"][reference.rpartition("/")[2]]
    return found
