"""Add what is missing to the golden files: `python -m tests.golden.write`.

An event's file is never overwritten: it stands for bytes that are in somebody's log. A schema is
brought up to date only where the change is compatible.
"""

from pathlib import Path

import msgspec

from .compatibility import incompatibilities
from .examples import EXAMPLES
from .shapes import EVENTS, SCHEMAS, TYPES, current, encoded, parsed, schema


def main() -> None:
    """Write, and say what was written."""
    written = [*_events(), *_schemas()]
    for path in written:
        print(f"wrote {path.parent.name}/{path.name}")  # noqa: T201
    print(f"{len(written)} files written")  # noqa: T201


def _events() -> list[Path]:
    missing = {EVENTS / f"{name}.json": event for name, event in EXAMPLES.items()}
    missing = {path: event for path, event in missing.items() if not path.exists()}
    for path, event in missing.items():
        event_type, _ = parsed(path.name)
        if not path.name.startswith(f"{current(event_type)}."):
            raise SystemExit(f"{path.name} is an old version: it can only come from an old release")
        path.write_bytes(encoded(event))
    return list(missing)


def _schemas() -> list[Path]:
    written = []
    for name, event_type in TYPES.items():
        path, today = SCHEMAS / f"{current(name)}.json", schema(event_type)
        recorded = msgspec.json.decode(path.read_bytes()) if path.exists() else None
        if recorded == today or (recorded and incompatibilities(recorded, today)):
            continue
        path.write_bytes(msgspec.json.format(msgspec.json.encode(today), indent=2) + b"\n")
        written.append(path)
    return written


if __name__ == "__main__":
    main()
