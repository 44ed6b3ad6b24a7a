"""Between event objects and stored text: JSON by msgspec, one encode per event."""

import hashlib
from collections.abc import Iterable
from typing import Any

import msgspec

from .event import Recorded
from .upcasting import Upcasting


class UnknownEventTypeError(LookupError):
    """The log holds a type this code does not know: it was written by a newer release."""


class Codec:
    """Encodes today's shape, decodes every shape there ever was.

    `event_types` are dataclasses; the class name is the stored type.
    """

    def __init__(self, event_types: Iterable[type], upcasting: Upcasting | None = None) -> None:
        self._upcasting = upcasting or Upcasting()
        self._types = {t.__name__: t for t in event_types}
        self._decoders: dict[str, msgspec.json.Decoder[Any]] = {
            name: msgspec.json.Decoder(t) for name, t in self._types.items()
        }
        self._versions = {name: self._upcasting.current_version(name) for name in self._types}
        self._encode = msgspec.json.Encoder().encode

    def encode(self, event: object) -> tuple[str, int, str]:
        """Type name, schema version and JSON of an event; no line break is in it."""
        name = type(event).__name__
        return name, self._versions[name], self._encode(event).decode()

    def decode(self, event_type: str, schema_version: int, data: str) -> Any:
        """The event in today's shape; UnknownEventTypeError when this release does not know it."""
        decoder = self._decoders.get(event_type)
        if decoder is None or schema_version > self._versions[event_type]:
            msg = f"{event_type} version {schema_version} is from a newer release"
            raise UnknownEventTypeError(msg)
        if schema_version == self._versions[event_type]:
            return decoder.decode(data)
        members = self._upcasting.upcast(event_type, schema_version, msgspec.json.decode(data))
        return msgspec.convert(members, self._types[event_type])

    def decoded(self, recorded: Recorded) -> Recorded:
        """The same record with its event decoded, in place."""
        recorded.event = self.decode(recorded.type, recorded.schema_version, recorded.data)
        return recorded


class StateCodec:
    """Encodes folded states for snapshots, with a fingerprint of the state's schema.

    A snapshot whose fingerprint differs was written by other code: it is ignored and the stream
    folded anew.
    """

    def __init__(self, state_type: type) -> None:
        schema = msgspec.json.encode(msgspec.json.schema(state_type), order="deterministic")
        self.fingerprint = hashlib.blake2b(schema, digest_size=16).digest()
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(state_type)

    def encode(self, state: object) -> bytes:
        """The bytes of a state."""
        return msgspec.json.encode(state)

    def decode(self, data: bytes) -> Any:
        """The state; msgspec.DecodeError when the bytes are not one."""
        return self._decoder.decode(data)
