"""What is appended, and what comes back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple


class EventData(NamedTuple):
    """An event about to be appended: encoded, with its place in its stream."""

    stream_id: str
    version: int
    type: str
    schema_version: int
    meta: str
    data: str


@dataclass(slots=True)
class Recorded:
    """An event as it stands in the log. `event` is its decoded form in today's shape."""

    partition: int
    position: int
    stream_id: str
    version: int
    type: str
    schema_version: int
    recorded_at: datetime
    meta: str
    data: str
    event: Any = None
