"""Requests that would cost a bank more than they cost who sends them, many at once: far too large,
without end, a byte at a time, nested without measure. Beside them ordinary clients go about their
business.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import httpx
import msgspec

from bank_conformance.bank.routes import ROUTES
from bank_conformance.bank.shapes import RefusedError
from bank_conformance.history import Call, History, Operation, now
from bank_conformance.mapping.adapter import Asked
from bank_conformance.tokens import ANONYMOUS

from . import raw
from .stage import Stage, gather, staff_of

FLOOD_BYTES, PART_BYTES = 48 << 20, 64 << 10
DEPTH, DRIP_SECONDS, DRIPPED_BYTES = 100_000, 0.2, 100_000
CLIENTS, PAUSE_SECONDS, LEAD_SECONDS, ROUNDS_MIN = 3, 0.05, 0.3, 6
FUNDS_MINOR = 1_000_000
FOREVER_SECONDS = 3_600

Write = Callable[[bytes, bytes], AsyncIterator[bytes]]
"""Writes a request, given its head without the lines that announce the body, and a good body."""


class Kind(NamedTuple):
    """A hostile request, and how many are sent at once."""

    what: str
    at_once: int
    write: Write
    large: bool = False
    anonymous: bool = False


@dataclass(frozen=True, slots=True)
class Flood:
    """A hostile request and its end."""

    kind: Kind
    ending: raw.Ending
    operation: Operation


@dataclass(slots=True)
class Floods:
    """Every hostile request, and what others were told meanwhile."""

    history: History
    seconds_max: float
    """How long a bank may leave a request open that does not come to its end."""
    bytes_max: int
    """How much a bank may take in of one request."""
    request_ms: float
    """How long an ordinary call may take."""
    control: Flood
    """A good request, sent in the same way."""
    floods: list[Flood] = field(default_factory=list)
    ordinary: list[Operation] = field(default_factory=list)
    later: Operation | None = None
    """An ordinary call when all is over."""


async def floods(stage: Stage) -> Floods:
    """Send everything hostile at once, beside ordinary clients."""
    account, *others = await stage.accounts(await stage.customer(), 1 + CLIENTS, funds=FUNDS_MINOR)
    writer, limits = _Writer(stage, account), stage.limits
    control = await writer.send(Kind("a good request", 1, _good))
    bounds = (writer.seconds_max, limits.body_bytes_max, 1000 * stage.client.seconds)
    record = Floods(stage.history, *bounds, control)
    over = asyncio.Event()
    clients = [_ordinary(stage, record, one, over) for one in others]
    await gather([_flood(stage, record, writer, over), *clients])
    record.later = await stage.staff.post(account, "CASH_DEPOSIT", 1)
    return record


async def _flood(stage: Stage, record: Floods, writer: _Writer, over: asyncio.Event) -> None:
    kinds = [kind for kind in KINDS for _ in range(kind.at_once)]

    async def one(kind: Kind) -> None:
        record.floods.append(await writer.send(kind))
        stage.progress(len(record.floods), len(kinds))

    try:
        await asyncio.sleep(LEAD_SECONDS)
        await gather(one(kind) for kind in kinds)
    finally:
        over.set()


async def _ordinary(stage: Stage, record: Floods, account: str, over: asyncio.Event) -> None:
    """Deposit and read, on and on."""
    session, rounds = stage.session(f"ordinary client {account[-6:]}"), 0
    while not over.is_set() or rounds < ROUNDS_MIN:
        record.ordinary.append(await session.post(account, "CASH_DEPOSIT", 1))
        record.ordinary.append(await session.account(account))
        rounds += 1
        await asyncio.sleep(PAUSE_SECONDS)


@dataclass(slots=True)
class _Writer:
    """Sends requests to book an entry by hand, and records them like any other."""

    stage: Stage
    account: str

    @property
    def seconds_max(self) -> float:
        limits = self.stage.limits
        return limits.slow_request_seconds * limits.time_scale

    async def send(self, kind: Kind) -> Flood:
        stage, key = self.stage, self.stage.client.fresh_key()
        who = ANONYMOUS if kind.anonymous else staff_of(stage.target)
        headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
        if authorization := await stage.client.tokens.header(who):
            headers["Authorization"] = authorization
        money = {"amount_minor": 1, "currency": stage.target.currency}
        path, body = {"account_id": self.account}, money | {"code": "CASH_DEPOSIT"}
        wire = stage.target.adapter.request(Asked(ROUTES["postEntry"], path, {}, body, headers))
        if wire is None:
            raise RefusedError("an entry cannot be booked with one request to this bank")
        base = stage.target.base_url
        parts = kind.write(
            _head(base, wire.method, wire.url, wire.headers), msgspec.json.encode(wire.body)
        )
        call, invoked = Call("postEntry", wire.method, wire.url, who.label, key, kind.what), now()
        ending = await raw.send(base, parts, self.seconds_max)
        error = "" if ending.answer else _error(ending)
        told = stage.history.append("hostile client", call, invoked, ending.answer, error)
        return Flood(kind, ending, told)


def _error(ending: raw.Ending) -> str:
    ended = "cut" if ending.cut else "still open"
    return f"{ended} after {ending.seconds:.1f} s and {ending.sent_bytes:,} bytes"


def _head(base_url: str, method: str, path: str, headers: Mapping[str, str]) -> bytes:
    url = httpx.URL(base_url)
    lines = [f"{method} {url.path.rstrip('/')}{path} HTTP/1.1", f"Host: {url.netloc.decode()}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "".join(f"{line}\r\n" for line in lines).encode()


def _length(count: int) -> bytes:
    return f"Content-Length: {count}\r\n\r\n".encode()


CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"


async def _good(head: bytes, body: bytes) -> AsyncIterator[bytes]:
    yield head + _length(len(body)) + body


async def _declared(head: bytes, _body: bytes) -> AsyncIterator[bytes]:
    yield head + _length(FLOOD_BYTES)
    for _ in range(FLOOD_BYTES // PART_BYTES):
        yield b" " * PART_BYTES


async def _chunked(head: bytes, _body: bytes) -> AsyncIterator[bytes]:
    yield head + CHUNKED
    part = b"%x\r\n" % PART_BYTES + b" " * PART_BYTES + b"\r\n"
    for _ in range(FLOOD_BYTES // PART_BYTES):
        yield part
    yield b"0\r\n\r\n"


async def _large_head(head: bytes, _body: bytes) -> AsyncIterator[bytes]:
    yield head + b"X-Large: "
    for _ in range(FLOOD_BYTES // PART_BYTES):
        yield b"x" * PART_BYTES
    yield b"\r\n\r\n"


async def _nested_lists(head: bytes, _body: bytes) -> AsyncIterator[bytes]:
    yield head + _length(2 * DEPTH) + b"[" * DEPTH + b"]" * DEPTH


async def _nested_objects(head: bytes, _body: bytes) -> AsyncIterator[bytes]:
    content = b'{"a":' * DEPTH + b"1" + b"}" * DEPTH
    yield head + _length(len(content)) + content


async def _dripped(head: bytes, _body: bytes) -> AsyncIterator[bytes]:
    yield head + _length(DRIPPED_BYTES)
    async for byte in _drip(b" ", DRIPPED_BYTES):
        yield byte


async def _dripped_chunks(head: bytes, _body: bytes) -> AsyncIterator[bytes]:
    yield head + CHUNKED
    async for chunk in _drip(b"1\r\n \r\n", DRIPPED_BYTES):
        yield chunk


async def _dripped_head(head: bytes, _body: bytes) -> AsyncIterator[bytes]:
    yield head + b"X-Slow: "
    async for byte in _drip(b"x", DRIPPED_BYTES):
        yield byte


async def _drip(part: bytes, count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        await asyncio.sleep(DRIP_SECONDS)
        yield part


async def _stalled(head: bytes, _body: bytes) -> AsyncIterator[bytes]:
    yield head + _length(DRIPPED_BYTES)
    await asyncio.sleep(FOREVER_SECONDS)


async def _silent(_head: bytes, _body: bytes) -> AsyncIterator[bytes]:
    await asyncio.sleep(FOREVER_SECONDS)
    yield b""


KINDS = (
    Kind("a body of 48 MiB", 1, _declared, large=True),
    Kind("a body of 48 MiB, by nobody", 1, _declared, large=True, anonymous=True),
    Kind("a body of 48 MiB in chunks", 1, _chunked, large=True),
    Kind("a head of 48 MiB", 1, _large_head, large=True, anonymous=True),
    Kind("a body of 100,000 nested lists", 6, _nested_lists),
    Kind("a body of 100,000 nested objects", 6, _nested_objects),
    Kind("a body that comes byte by byte", 8, _dripped),
    Kind("a body that comes byte by byte, in chunks", 4, _dripped_chunks),
    Kind("a body that does not come", 4, _stalled),
    Kind("a head that comes byte by byte", 8, _dripped_head, anonymous=True),
    Kind("a connection on which nothing comes", 4, _silent, anonymous=True),
)
