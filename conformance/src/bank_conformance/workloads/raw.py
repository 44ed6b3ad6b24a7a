"""Requests written to a socket by hand: as large, as slow or as broken as no client makes them."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

import httpx

from bank_conformance.history import Answer, now, parse_json

HEAD_END = b"\r\n\r\n"
TEXT_BYTES_MAX = 65_536
CONTINUES = 200
"""Statuses below are interim: the answer is still to come."""


@dataclass(slots=True)
class Ending:
    """How a request ended: with an answer, with the connection cut, or not in time."""

    answer: Answer | None = None
    cut: bool = False
    sent_bytes: int = 0
    """What the bank took in until then, and what the network holds."""
    seconds: float = 0.0


async def send(base_url: str, parts: AsyncIterator[bytes], seconds: float) -> Ending:
    """Write `parts` to the bank until it answers, hangs up, or `seconds` have passed."""
    ending, began = Ending(), now()
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            try:
                await _converse(base_url, parts, ending)
            except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                ending.cut = True
    ending.seconds = now() - began
    return ending


async def _converse(base_url: str, parts: AsyncIterator[bytes], ending: Ending) -> None:
    url = httpx.URL(base_url)
    secure = ssl.create_default_context() if url.scheme == "https" else None
    port = url.port or (443 if secure else 80)
    reader, writer = await asyncio.open_connection(url.host, port, ssl=secure)
    pump = asyncio.create_task(_pump(writer, parts, ending))
    try:
        ending.answer = await _answer(reader)
    finally:
        pump.cancel()
        await asyncio.wait([pump])
        writer.transport.abort()


async def _pump(writer: asyncio.StreamWriter, parts: AsyncIterator[bytes], ending: Ending) -> None:
    """Write everything; a connection that is cut meanwhile is noticed by who reads the answer."""
    with suppress(OSError):
        async for part in parts:
            writer.write(part)
            await writer.drain()
            ending.sent_bytes += len(part)


async def _answer(reader: asyncio.StreamReader) -> Answer:
    while True:
        head = (await reader.readuntil(HEAD_END)).decode("latin-1").split("\r\n")
        status = int(head[0].split(" ")[1])
        if status >= CONTINUES:
            break
    pairs = (line.partition(":") for line in head[1:] if line)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    length = headers.get("content-length", "0")
    size = min(int(length), TEXT_BYTES_MAX) if length.isdecimal() else 0
    text = (await reader.readexactly(size)).decode(errors="replace")
    return Answer(status, headers, text, parse_json(text))
