"""Around every request: an id to find it by, limits on what it may cost, one line in the log and
one sample in the metrics.

Plain ASGI: it runs for every request, so it must not cost a task of its own.
"""

import asyncio
import logging
import secrets
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..observability.metrics import HttpMetrics
from .problems import ProblemError

BODY_BYTES_MAX = 1 << 20
BODY_SECONDS_MAX = 10.0

logger = logging.getLogger("http")


class Guard:
    """Names, bounds, logs and measures each request."""

    def __init__(self, app: ASGIApp, metrics: HttpMetrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; everything but HTTP passes through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["trace_id"] = secrets.token_hex(8)
        started = time.perf_counter()
        status = 500

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, _bounded(receive), observed)
        finally:
            self._note(scope, status, time.perf_counter() - started)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        """By route template: ids never get into logs or metrics, nor do queries."""
        route = getattr(scope.get("route"), "path", "unknown")
        self._metrics.answered(scope["method"], route, status, seconds)
        level = logging.ERROR if status >= 500 else logging.DEBUG  # noqa: PLR2004
        if logger.isEnabledFor(level):
            logger.log(
                level,
                "%s %s %s in %.1f ms, trace %s",
                scope["method"],
                route,
                status,
                seconds * 1e3,
                scope["trace_id"],
            )


def _bounded(receive: Receive) -> Receive:
    """Gives up on a body that grows too large or comes too slowly."""
    received = 0
    deadline = asyncio.get_running_loop().time() + BODY_SECONDS_MAX
    done = False

    async def bounded() -> Message:
        nonlocal received, done
        if done:
            return await receive()
        try:
            async with asyncio.timeout_at(deadline):
                message = await receive()
        except TimeoutError:
            raise ProblemError(408, "body-too-slow", "the body took too long to arrive") from None
        received += len(message.get("body", b""))
        done = not message.get("more_body", False)
        if received > BODY_BYTES_MAX:
            detail = f"the body is larger than {BODY_BYTES_MAX} bytes"
            raise ProblemError(413, "body-too-large", detail)
        return message

    return bounded
