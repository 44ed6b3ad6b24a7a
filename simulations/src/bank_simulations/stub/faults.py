"""What can be wrong with the stub, on purpose: each fault is what one test must notice."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Faults:
    """The stub's known faults; all are off by default.

    Attributes:
        visible_after_seconds: an entry enters the read model this much after it was booked.
        stall_at_seconds: counted from the first transfer asked for.
        stall_for_seconds: how long every request waits then.
        lost_share: share of transfers that are booked and then answered with 503.
        flapping_share: share of history reads that a replica answers which never got anything.
        silent_share: share of transfers answered with 201 but never booked.
        refused_share: share of transfers refused although there is money.
        forgotten_share: share of postings answered with 201 but never booked.
        dangling_share: share of transfers whose money stays held although they completed.
        deaf_to_keys: an idempotency key is ignored, so that every retry books again.
    """

    visible_after_seconds: float = 0.0
    stall_at_seconds: float = 0.0
    stall_for_seconds: float = 0.0
    lost_share: float = 0.0
    flapping_share: float = 0.0
    silent_share: float = 0.0
    refused_share: float = 0.0
    forgotten_share: float = 0.0
    dangling_share: float = 0.0
    deaf_to_keys: bool = False


class Dice:
    """Decides when a fault strikes: shares by a seed of their own, the stall by the clock."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._random = random.Random(1)  # noqa: S311 - no secret
        self._stall_at: float | None = None

    def strikes(self, share: float) -> bool:
        """True in this share of the calls."""
        return share > 0 and self._random.random() < share

    def arm(self) -> None:
        """Start the clock of the stall, at the first call."""
        if self._stall_at is None and self._faults.stall_for_seconds > 0:
            self._stall_at = time.monotonic() + self._faults.stall_at_seconds

    def stall_seconds(self) -> float:
        """How long a request that comes now has to wait."""
        if self._stall_at is None:
            return 0.0
        since = time.monotonic() - self._stall_at
        return self._faults.stall_for_seconds - since if since >= 0 else 0.0
