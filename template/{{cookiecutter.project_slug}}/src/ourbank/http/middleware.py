"""Around every request: an id to find it by, one line in the log and one sample in the metrics.

Plain ASGI: it runs for every request, so it must not cost a task of its own.
"""

import logging
import secrets
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..observability.metrics import HttpMetrics

logger = logging.getLogger("http")


class Guard:
    """Names, logs and measures each request."""

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
            await self._app(scope, receive, observed)
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
