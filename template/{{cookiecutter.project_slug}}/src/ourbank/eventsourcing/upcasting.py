"""How old shapes become new ones.

Every event type has a schema version, 1 unless said otherwise. When a shape changes in a way old
bytes do not decode into, raise the version and register a pure function from the JSON members of
the version before; chains run one step at a time. Old events are never rewritten.
tests/golden/events/ holds every shape ever released.
"""

from collections.abc import Callable, Mapping
from typing import Any

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
"""From the members of version n to those of version n + 1."""


class Upcasting:
    """The chains: for each event type, the upcaster away from each old version."""

    def __init__(self, upcasters: Mapping[tuple[str, int], Upcaster] | None = None) -> None:
        self._upcasters = dict(upcasters or {})

    def current_version(self, event_type: str) -> int:
        """One above the highest version there is an upcaster from."""
        return 1 + max((v for t, v in self._upcasters if t == event_type), default=0)

    def upcast(self, event_type: str, version: int, members: dict[str, Any]) -> dict[str, Any]:
        """Bring `members` from `version` to the current one; a gap in the chain is a
        LookupError.
        """
        for step in range(version, self.current_version(event_type)):
            members = self._upcasters[event_type, step](members)
        return members
