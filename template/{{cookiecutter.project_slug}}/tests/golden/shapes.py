"""Where the stored shapes are kept, and how today's code reads and writes them."""

from pathlib import Path
from typing import Any

import msgspec

from ourbank.bootstrap import AGGREGATES
from ourbank.eventsourcing.codec import Codec
from ourbank.eventsourcing.upcasting import Upcasting

FOLDER = Path(__file__).parent
EVENTS, SCHEMAS = FOLDER / "events", FOLDER / "schemas"
HOW_TO_WRITE = "python -m tests.golden.write"

UPCASTING = Upcasting()
"""The upcasters of the service: whatever bootstrap.py gives its codec."""
CODEC = Codec(AGGREGATES.event_types, UPCASTING)
TYPES = {event_type.__name__: event_type for event_type in AGGREGATES.event_types}


def current(event_type: str) -> str:
    """A type with its schema version, as files are named."""
    return f"{event_type}.v{UPCASTING.current_version(event_type)}"


def parsed(name: str) -> tuple[str, int]:
    """Type and version in a file's name, such as `AccountOpened.v1.minimal`."""
    event_type, version, *_ = name.split(".")
    return event_type, int(version.removeprefix("v"))


def encoded(event: object) -> bytes:
    """The bytes the service stores, and the newline that ends a text file."""
    return f"{CODEC.encode(event)[2]}\n".encode()


def decoded(name: str, data: bytes) -> Any:
    """The event in today's shape."""
    return CODEC.decode(*parsed(name), data.decode())


def schema(event_type: type) -> dict[str, Any]:
    """The JSON Schema of a type, without prose: only what the bytes hang on."""
    full = msgspec.json.schema(event_type)
    schemas = {name: _shape(one) for name, one in full["$defs"].items()}
    return {"$ref": full["$ref"], "$defs": schemas}


def _shape(one: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in one.items() if key not in {"title", "description"}}
