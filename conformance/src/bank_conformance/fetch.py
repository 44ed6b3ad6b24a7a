"""One request, bounded in time and in size: a server may drip for ever, and may never stop."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from .history import Answer, parse_json

ANSWER_BYTES_MAX = 32 * 1024 * 1024
GRACE_SECONDS = 1.0
"""What the whole may take beyond the limit that httpx holds every single read to."""


async def fetch(
    http: httpx.AsyncClient, method: str, url: str, seconds: float, **parts: Any
) -> Answer:
    """Send a request and read its answer, text that is no UTF-8 included.

    Raises:
        HTTPError: there is none, it takes too long, or it is larger than any answer of a bank.
    """
    try:
        async with asyncio.timeout(seconds + GRACE_SECONDS):
            async with http.stream(method, url, timeout=seconds, **parts) as response:
                content = await _content(response)
    except TimeoutError:
        raise httpx.ReadTimeout("the answer dripped, and did not end") from None
    text = content.decode(response.encoding or "utf-8", errors="replace")
    return Answer(response.status_code, dict(response.headers), text, parse_json(text))


async def _content(response: httpx.Response) -> bytes:
    chunks, size = list[bytes](), 0
    async for chunk in response.aiter_bytes():
        chunks.append(chunk)
        size += len(chunk)
        if size > ANSWER_BYTES_MAX:
            limit = f"{ANSWER_BYTES_MAX // 1024 // 1024} MiB"
            raise httpx.ReadError(f"the answer is larger than {limit}")
    return b"".join(chunks)
