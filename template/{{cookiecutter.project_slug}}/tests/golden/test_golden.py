"""What was stored once can be read for ever, and means what it meant."""

from collections.abc import Mapping
from dataclasses import MISSING, fields

import msgspec
import pytest

from tests.golden.compatibility import incompatibilities
from tests.golden.examples import EXAMPLES
from tests.golden.shapes import (
    EVENTS,
    HOW_TO_WRITE,
    SCHEMAS,
    TYPES,
    current,
    decoded,
    encoded,
    parsed,
    schema,
)

FILES = {path.stem: path for path in sorted(EVENTS.glob("*.json"))}
each_type = pytest.mark.parametrize("name", TYPES)
each_file = pytest.mark.parametrize("name", FILES)


@each_type
def test_every_event_type_has_a_golden_file_of_its_current_version(name: str) -> None:
    assert current(name) in FILES, (
        f"no golden file of {current(name)}: add it to tests/golden/examples.py and run "
        f"`{HOW_TO_WRITE}`"
    )


@each_type
def test_the_example_sets_every_field_and_the_minimal_one_only_what_it_must(name: str) -> None:
    optional = {f.name: f.default for f in fields(TYPES[name]) if f.default is not MISSING}
    full = EXAMPLES[current(name)]
    unset = [field for field, default in optional.items() if getattr(full, field) == default]
    assert not unset, f"set {unset} in a new example of {current(name)}, and run `{HOW_TO_WRITE}`"
    if optional:
        minimal = EXAMPLES[f"{current(name)}.minimal"]
        assert {field: getattr(minimal, field) for field in optional} == optional


@each_file
def test_every_golden_file_decodes_to_what_it_always_meant(name: str) -> None:
    event = decoded(name, FILES[name].read_bytes())
    assert event == EXAMPLES[name]
    assert type(event) is TYPES[parsed(name)[0]]


@each_file
def test_what_has_todays_shape_is_encoded_to_the_very_same_bytes(name: str) -> None:
    event_type, version = parsed(name)
    data = FILES[name].read_bytes()
    members: Mapping[str, object] = msgspec.json.decode(data)
    same_version = current(event_type) == f"{event_type}.v{version}"
    if same_version and set(members) == {f.name for f in fields(TYPES[event_type])}:
        assert encoded(EXAMPLES[name]) == data


@each_type
def test_the_newest_example_has_todays_shape(name: str) -> None:
    members: Mapping[str, object] = msgspec.json.decode(FILES[current(name)].read_bytes())
    assert list(members) == [f.name for f in fields(TYPES[name])]


def test_files_and_examples_are_the_same_set() -> None:
    assert set(FILES) == set(EXAMPLES)


def test_no_golden_file_is_of_a_type_that_is_gone() -> None:
    assert {parsed(name)[0] for name in FILES} == set(TYPES)


@each_type
def test_a_changed_shape_is_compatible_or_has_an_upcaster(name: str) -> None:
    path = SCHEMAS / f"{current(name)}.json"
    assert path.exists(), f"the shape of {current(name)} is not recorded: run `{HOW_TO_WRITE}`"
    recorded, today = msgspec.json.decode(path.read_bytes()), schema(TYPES[name])
    broken = incompatibilities(recorded, today)
    assert not broken, (
        f"{current(name)} has stored events that today's {name} does not fit: {'; '.join(broken)}. "
        f"Undo it, or register an upcaster from this version (eventsourcing/upcasting.py), add an "
        f"example of the next one to tests/golden/examples.py, and run `{HOW_TO_WRITE}`"
    )
    assert recorded == today, f"a compatible change: record it with `{HOW_TO_WRITE}`"
