"""What the kernel needs to know of an aggregate: how to fold it. And where it keeps the folded
states.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from .codec import StateCodec
from .event import Recorded
from .log import Snapshot


@dataclass(frozen=True)
class Aggregate:
    """A kind of stream: its id prefix, the type of its state, its fold.

    `has_ended` says of a state that no command is expected any more, so it need not stay in memory.
    """

    prefix: str
    state_type: type
    evolve: Callable[[Any, Any], Any]
    events: tuple[type, ...]
    initial: Any = None
    has_ended: Callable[[Any], bool] = lambda _state: False


class Versioned(NamedTuple):
    """A folded state and the version of the stream it stands for."""

    version: int
    state: Any


class Aggregates:
    """All kinds of streams there are, by prefix."""

    def __init__(self, aggregates: Iterable[Aggregate]) -> None:
        self._by_prefix = {a.prefix: a for a in aggregates}
        self._codecs = {a.prefix: StateCodec(a.state_type) for a in self._by_prefix.values()}

    @property
    def event_types(self) -> list[type]:
        """Every event type of every aggregate."""
        return [event for a in self._by_prefix.values() for event in a.events]

    def of(self, stream_id: str) -> Aggregate:
        """The kind of a stream; LookupError for a prefix nobody registered."""
        return self._by_prefix[stream_id.partition("_")[0]]

    def initial(self, stream_id: str) -> Versioned:
        """A stream without events."""
        return Versioned(0, self.of(stream_id).initial)

    def fold(self, start: Versioned, events: Sequence[Recorded]) -> Versioned:
        """`start` and what came after it."""
        version, state = start
        for recorded in events:
            state = self.of(recorded.stream_id).evolve(state, recorded.event)
            version = recorded.version
        return Versioned(version, state)

    def snapshot(self, stream_id: str, current: Versioned) -> Snapshot:
        """The state as a snapshot."""
        codec = self._codecs[self.of(stream_id).prefix]
        return Snapshot(stream_id, current.version, codec.fingerprint, codec.encode(current.state))

    def from_snapshot(self, snapshot: Snapshot) -> Versioned | None:
        """The state in a snapshot, None when it is of another schema or cannot be read."""
        codec = self._codecs[self.of(snapshot.stream_id).prefix]
        if snapshot.fingerprint != codec.fingerprint:
            return None
        try:
            return Versioned(snapshot.version, codec.decode(snapshot.state))
        except msgspec.DecodeError:
            return None


class StateCache:
    """The folded states a partition keeps in memory: the least recently used go first."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._states: OrderedDict[str, Versioned] = OrderedDict()

    def __len__(self) -> int:
        return len(self._states)

    def get(self, stream_id: str) -> Versioned | None:
        """The state, if it is here."""
        found = self._states.get(stream_id)
        if found is not None:
            self._states.move_to_end(stream_id)
        return found

    def update(self, states: Mapping[str, Versioned]) -> None:
        """Keep these, and drop what is over the capacity."""
        for stream_id, current in states.items():
            self._states[stream_id] = current
            self._states.move_to_end(stream_id)
        while len(self._states) > self._capacity:
            self._states.popitem(last=False)

    def drop(self, streams: Iterable[str]) -> None:
        """Forget these."""
        for stream_id in streams:
            self._states.pop(stream_id, None)

    def clear(self) -> None:
        """Forget all."""
        self._states.clear()
