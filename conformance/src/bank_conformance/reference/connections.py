"""Connections that do not wait for ever: uvicorn bounds neither how long nor how large the head of
a request may be.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

HEAD_SECONDS_MAX, HEAD_BYTES_MAX = 2.0, 1 << 20


class Impatient(AutoHTTPProtocol):  # type: ignore[misc, valid-type]  # one of two classes
    """Hangs up on who is too long about a head, or goes on with a body that was answered."""

    timer: asyncio.TimerHandle | None = None
    unread_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Expect the first head."""
        super().connection_made(transport)
        self.expect()

    def data_received(self, data: bytes) -> None:
        """Take in what came, and see whether a request is under way with it."""
        super().data_received(data)
        self.unread_bytes += len(data)
        cycle: Any = self.cycle
        if cycle is not None and not cycle.response_complete:
            self.unread_bytes = 0
            self.relax()
        elif self.unread_bytes > HEAD_BYTES_MAX:
            self.transport.abort()
        else:
            self.expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing any more."""
        self.relax()
        super().connection_lost(exc)

    def expect(self) -> None:
        """Give the other side time for a head, unless it has been given before."""
        if self.timer is None:
            self.timer = self.loop.call_later(HEAD_SECONDS_MAX, self.transport.abort)

    def relax(self) -> None:
        """Take the time back."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
