"""Given what was recorded, then these are the rows: how a read model reads as a test."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from ourbank.eventsourcing.event import Recorded
from ourbank.eventsourcing.projection import Key, ReadModel

from tests.domain.samples import at


def recorded_at(version: int) -> datetime:
    """When the log took an event: one a minute, from eight on."""
    return at(version)


def recorded(stream: str, events: Iterable[Any], after_version: int = 0) -> list[Recorded]:
    """The events as they stand in the log."""
    return [
        Recorded(
            partition=0,
            position=version,
            stream_id=stream,
            version=version,
            type=type(event).__name__,
            schema_version=1,
            recorded_at=recorded_at(version),
            meta="{}",
            data="",
            event=event,
        )
        for version, event in enumerate(events, after_version + 1)
    ]


def rows(model: ReadModel, history: Sequence[Recorded]) -> Mapping[Key, Any]:
    """The rows after all of it, as the engine folds them."""
    kept: dict[Key, Any] = {}
    for one in history:
        if type(one.event) not in model.event_types:
            continue
        for key in model.keys(one):
            before = None if model.insert_only else kept.get(key)
            kept[key] = model.evolve(before, one, key)
    return {key: row for key, row in kept.items() if row is not None}
