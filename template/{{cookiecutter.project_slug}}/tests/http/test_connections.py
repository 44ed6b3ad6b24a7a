"""What a connection may cost before there is a request, and after its answer: on a socket, since
none of it is the application's to see.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from ourbank.http import connections
from ourbank.http.connections import BoundedConnection

SOON, TOO_LONG = 0.2, 10.0
GET = b"GET / HTTP/1.1\r\nHost: bank\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: bank\r\nContent-Length: %d\r\n\r\n"


async def says_yes(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Answers without a look at the body."""
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"3")]}
    )
    await send({"type": "http.response.body", "body": b"yes"})


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """Where a server with little patience listens."""
    monkeypatch.setattr(connections, "HEAD_SECONDS_MAX", SOON)
    monkeypatch.setattr(connections, "REST_SECONDS_MAX", SOON)
    config = uvicorn.Config(
        says_yes,
        http=BoundedConnection,
        log_config=None,
        lifespan="off",
        port=0,
        timeout_keep_alive=1,
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  uvicorn has no event for it
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await serving


async def answers(port: int, *parts: bytes, pause: float = 0.0) -> bytes:
    """What comes back until the server hangs up, when this is sent with pauses in between."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    sending = asyncio.create_task(send(writer, parts, pause))
    found = b""
    with suppress(ConnectionError):
        async with asyncio.timeout(TOO_LONG):
            while more := await reader.read(100):
                found += more
    await sending
    writer.close()
    return found


async def send(writer: asyncio.StreamWriter, parts: tuple[bytes, ...], pause: float) -> None:
    """Write part by part, as long as the server listens."""
    with suppress(ConnectionError):
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)


async def test_a_connection_on_which_nothing_comes_is_cut(port: int) -> None:
    assert await answers(port) == b""


async def test_a_head_that_comes_byte_by_byte_is_cut(port: int) -> None:
    slowly = [GET[n : n + 1] for n in range(len(GET))]
    assert await answers(port, *slowly, pause=SOON / 5) == b""


async def test_so_is_the_second_one_of_a_connection(port: int) -> None:
    slowly = [GET[n : n + 1] for n in range(len(GET))]
    assert (await answers(port, GET, *slowly, pause=SOON / 5)).count(b"yes") == 1


async def test_a_head_that_grows_too_large_is_cut(port: int) -> None:
    endless = [b"GET / HTTP/1.1\r\nX: ", *[b"x" * 10_000] * 20, b"\r\n\r\n"]
    assert await answers(port, *endless) == b""


async def test_a_large_body_is_no_large_head(port: int) -> None:
    body = b"x" * (2 * connections.HEAD_BYTES_MAX)
    found = await answers(port, POST % len(body) + body, GET, pause=SOON / 10)
    assert found.count(b"yes") == 2


async def test_a_body_that_goes_on_after_its_answer_is_cut(port: int) -> None:
    slowly = [b"x"] * 100
    assert (await answers(port, POST % 100, *slowly, pause=SOON / 5)).count(b"yes") == 1


async def test_little_is_taken_in_of_a_body_that_goes_on_after_its_answer(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fits into the sockets' buffers, and not forty times as much."""
    monkeypatch.setattr(connections, "REST_SECONDS_MAX", TOO_LONG)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(POST % (1 << 30))
    assert (await reader.read(100)).startswith(b"HTTP/1.1 200")
    taken, piece = 0, bytes(1 << 20)
    with suppress(TimeoutError):
        while taken < 400 << 20:
            writer.write(piece)
            async with asyncio.timeout(1):
                await writer.drain()
            taken += len(piece)
    writer.transport.abort()
    assert taken < 40 << 20


async def test_a_slow_body_is_left_to_those_who_read_it(port: int) -> None:
    """The application answered: what is left may take as long as the rest of a body."""
    halves = [b"x"] * 3
    assert (await answers(port, POST % 3, *halves, GET, pause=SOON / 5)).count(b"yes") == 2
