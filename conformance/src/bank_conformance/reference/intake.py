"""Bodies as they come in: bounded in size and in time."""

from __future__ import annotations

import asyncio

from starlette.requests import Request

from .problems import RefusalError

BODY_BYTES_MAX, BODY_SECONDS_MAX = 1_000_000, 2.0


class Intake:
    """Reads bodies. The steps that a mutant breaks are methods of their own."""

    async def read(self, request: Request) -> bytes:
        """Return the body, or refuse one that is too large (413) or comes too slowly (408)."""
        try:
            async with asyncio.timeout(BODY_SECONDS_MAX):
                return await self.collect(request)
        except TimeoutError:
            raise RefusalError(408, "body-too-slow") from None

    async def collect(self, request: Request) -> bytes:
        """Take in one part after the other."""
        content = bytearray()
        async for part in request.stream():
            content += part
            if len(content) > BODY_BYTES_MAX:
                raise RefusalError(413, "body-too-large")
        return bytes(content)
