"""SEC-4: what is written by hand is recorded as it ended, and who does not end it fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import anyio
import pytest
from bank_conformance.history import Answer, History
from bank_conformance.requirements.floods import SLACK_BYTES, bounded_and_serving
from bank_conformance.verdict import Verdict
from bank_conformance.workloads import raw
from bank_conformance.workloads.floods import KINDS, Flood, Floods
from builders import operation

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
PART, PARTS = b"x" * 65_536, 1_000
PROBLEM = b'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 413 No\r\nContent-Length: 12\r\n\r\n{"code":"c"}'


async def _large() -> AsyncIterator[bytes]:
    for _ in range(PARTS):
        yield PART


async def _endless() -> AsyncIterator[bytes]:
    yield b"POST / HTTP/1.1\r\n"
    await asyncio.sleep(60)


def _sent(serve: Serve, parts: AsyncIterator[bytes], seconds: float = 5.0) -> raw.Ending:
    async def main() -> raw.Ending:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            return await raw.send(f"http://127.0.0.1:{port}/", parts, seconds)

    return anyio.run(main)


async def _answers_early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(100_000)
    writer.write(PROBLEM)
    await reader.read()
    writer.close()


async def _takes_everything(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for _ in range(PARTS):
        await reader.readexactly(len(PART))
    writer.write(PROBLEM)
    writer.close()


async def _hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(10)
    writer.transport.abort()


async def _says_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


def test_an_early_answer_ends_the_sending() -> None:
    ending = _sent(_answers_early, _large())
    assert ending.answer
    assert (ending.answer.status, ending.answer.code) == (413, "c")
    assert ending.sent_bytes < len(PART) * PARTS
    assert not ending.cut


def test_what_was_taken_in_is_counted() -> None:
    ending = _sent(_takes_everything, _large())
    assert ending.answer
    assert ending.sent_bytes == len(PART) * PARTS


def test_a_connection_that_is_cut_is_told_from_one_that_stays_open() -> None:
    assert _sent(_hangs_up, _endless()).cut
    left = _sent(_says_nothing, _endless(), 0.2)
    assert not left.cut
    assert left.answer is None
    assert left.seconds >= 0.2


def test_nobody_there_is_a_cut_too() -> None:
    assert anyio.run(raw.send, "http://127.0.0.1:1", _endless(), 2.0).cut


LARGE = next(kind for kind in KINDS if kind.large)
SLOW = next(kind for kind in KINDS if not kind.large)


def _flood(
    history: History, *, status: int = 0, cut: bool = False, sent: int = 1, large: bool = False
) -> Flood:
    told = operation(history, "POST", status=status, answer={"code": "c"})
    answer = Answer(status, {}, "", None) if status else None
    return Flood(LARGE if large else SLOW, raw.Ending(answer, cut, sent, 1.0), told)


def _record(served: int = 200, control: int = 201, **flood: int | bool) -> Floods:
    history = History("floods")
    good = _flood(history, status=control)
    floods = [_flood(history, **flood)]  # type: ignore[arg-type]
    return Floods(history, 15.0, 1_000, 1e4, good, floods, [operation(history, status=served)])


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (_record(status=413, large=True), ""),
        (_record(status=503), ""),
        (_record(cut=True), ""),
        (_record(), "the bound is 15 s ([limits] slow_request_seconds)"),
        (_record(status=201), "201"),
        (_record(status=500), "500"),
        (_record(status=400, large=True, sent=SLACK_BYTES + 1_001), "it took in 16,778,217 bytes"),
        (_record(status=400, sent=SLACK_BYTES + 1_001), ""),
        (_record(status=413, served=0), "timeout"),
        (_record(status=413, served=503), "503"),
    ],
)
def test_hostile_requests_are_bounded_and_others_served(record: Floods, said: str) -> None:
    found = bounded_and_serving(record)
    assert found.verdict is (Verdict.FAIL if said else Verdict.INCONCLUSIVE)
    assert said in found.reason


def test_a_bank_that_refuses_even_the_good_request_is_not_decided() -> None:
    found = bounded_and_serving(_record(status=404, control=404))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "a good request that is sent by hand is refused" in found.reason
