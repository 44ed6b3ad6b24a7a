"""Who asks, under which key, and what must not have changed: what comes with every command."""

from collections.abc import Mapping
from dataclasses import field

import msgspec

from ..domain.rejection import Rejection
from ..domain.value import value
from ..eventsourcing.partition import KEY_REUSED


@value
class Request:
    """`actor` is an opaque id. `key` and `fingerprint` make the command idempotent; `if_version`
    guards it.
    """

    actor: str
    key: str | None = None
    fingerprint: str = ""
    if_version: int | None = None
    trace_id: str = ""
    meta: str = field(init=False)
    """What is recorded beside the events."""

    def __post_init__(self) -> None:
        meta = msgspec.json.encode({"actor": self.actor, "trace_id": self.trace_id})
        object.__setattr__(self, "meta", meta.decode())


class RejectedError(Exception):
    """Carries a rejection to the edge, with the version of the aggregate that decided, and how far
    the log had come where something was recorded all the same.
    """

    def __init__(
        self,
        rejection: Rejection,
        version: int | None = None,
        transfer_id: str | None = None,
        *,
        positions: Mapping[int, int] | None = None,
        replayed: bool = False,
    ) -> None:
        super().__init__(rejection.code)
        self.rejection = rejection
        # of a key that was used for another request no aggregate decided
        self.version = None if rejection.code == KEY_REUSED else version
        self.transfer_id = transfer_id
        self.positions = positions or {}
        self.replayed = replayed
