"""What comes before a request, bounded: uvicorn waits for ever for the head of one, and takes in as
much of it as comes.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES_MAX = 1 << 16
HEAD_SECONDS_MAX = 10.0
REST_SECONDS_MAX = 10.0
REST_BYTES_MAX = 1 << 20
"""What is taken in of a body whose request is answered already."""


class BoundedConnection(HttpToolsProtocol):
    """Hangs up on a head that grows too large or comes too slowly, and on a body that still has not
    ended when its request was answered long ago.
    """

    _timer: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _in_head = True
    _in_body = False
    _rest_bytes: int | None = None
    """Of a body that goes on after the answer; None where none does."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first head."""
        super().connection_made(transport)
        self._hang_up_in(HEAD_SECONDS_MAX)

    def data_received(self, data: bytes) -> None:
        """Take in a part of a head or of a body."""
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._rest_bytes is not None:
            self._rest_bytes += len(data)
            if self._rest_bytes > REST_BYTES_MAX:
                self.flow.pause_reading()  # so the answer can still be read
        if self._in_head:  # most heads come whole: a timer for each would cost more than they do
            self._hang_up_in(HEAD_SECONDS_MAX)
            if self._head_bytes > HEAD_BYTES_MAX:
                self.transport.abort()

    def on_message_begin(self) -> None:
        """Begin a head."""
        super().on_message_begin()
        self._in_head = True

    def on_headers_complete(self) -> None:
        """Take the body as it comes: how long that may take is for who reads it to say."""
        self._in_head, self._in_body, self._head_bytes = False, True, 0
        self._let_be()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End a body; nobody has to begin another head soon, but once it is begun."""
        self._in_body, self._rest_bytes = False, None
        self._let_be()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Let some of the rest of a body come in, which nobody reads: who hangs up at once takes
        the answer from those who are still sending.
        """
        super().on_response_complete()
        if self._in_body:
            self._rest_bytes = 0
            self._hang_up_in(REST_SECONDS_MAX)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._let_be()
        super().connection_lost(exc)

    def _hang_up_in(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(seconds, self.transport.abort)

    def _let_be(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
