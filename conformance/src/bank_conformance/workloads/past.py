"""What the workloads about the past share: patience, and moments between moments."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from bank_conformance.bank.session import Session
from bank_conformance.bank.shapes import instant
from bank_conformance.history import Operation, now

from .stage import Stage

PAUSE_SECONDS = 0.05
TICK = timedelta(microseconds=1)
NOT_YET = frozenset({"not-yet-consistent", "period-open"})
"""Refusals that time heals: the read model is behind, or a clock has not ticked since."""


async def ask(
    stage: Stage, session: Session, route: str, path: Mapping[str, str], query: Mapping[str, Any]
) -> Operation:
    """Ask a question about the past, again while the bank is not ready to answer it."""
    deadline = now() + stage.limits.settle_seconds * stage.limits.time_scale
    while True:
        answer = await session.call(route, path, query=query)
        if answer.code not in NOT_YET or now() > deadline:
            return answer
        await stage.wait(PAUSE_SECONDS)


def told(at: datetime) -> str:
    """Return a time as the contract writes it."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def between(earlier: str, later: str) -> str:
    """Return the time in the middle of two."""
    return told(instant(earlier) + (instant(later) - instant(earlier)) / 2)
