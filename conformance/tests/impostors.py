"""Servers that are no bank, each on a free port of loopback for as long as a test needs it."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

JSON, HTML, TEXT = b"application/json", b"text/html", b"text/plain"

ANSWERS = {
    "yes to everything": (b"200 OK", JSON, b'{"ok": true}'),
    "an empty object": (b"200 OK", JSON, b"{}"),
    "nothing at all": (b"200 OK", JSON, b""),
    "null": (b"201 Created", JSON, b"null"),
    "yes in HTML": (b"200 OK", HTML, b"<h1>Welcome</h1>"),
    "half a JSON": (b"200 OK", JSON, b'{"customer_id": "cus_'),
    "no UTF-8": (b"200 OK", JSON, b'{"customer_id": "\xff\xfe\x00\xc3"}'),
    "deep JSON": (b"200 OK", JSON, b"[" * 200_000),
    "nested JSON": (b"200 OK", JSON, b"[" * 700 + b"]" * 700),
    "huge numbers": (b"200 OK", JSON, b'{"version": ' + b"9" * 10_000 + b"}"),
    "500 to everything": (b"500 Oops", TEXT, b"oops"),
    "500 in HTML": (b"500 Oops", HTML, b"<h1>Traceback</h1>"),
    "a web site": (b"404 Not Found", HTML, b"<h1>404</h1>"),
    "a redirect": (b"302 Found\r\nLocation: https://login.example.invalid/", HTML, b""),
    "401 to everything": (b"401 Unauthorized", JSON, b'{"code": "no"}'),
    "false gzip": (b"200 OK\r\nContent-Encoding: gzip", JSON, b"this is no gzip"),
    "no HTTP": (b"", b"", b"220 ready\r\n"),
    "closes at once": (b"", b"", b""),
}
"""What is answered to everything: a status, a type and a body."""


def _drip(connection: socket.socket, done: threading.Event) -> None:
    """A head, and then one byte now and then, for ever."""
    connection.sendall(b"HTTP/1.1 404 No\r\nContent-Type: text/plain\r\n\r\n")
    while not done.wait(0.2):
        connection.sendall(b".")


def _drip_the_head(connection: socket.socket, done: threading.Event) -> None:
    while not done.wait(0.2):
        connection.sendall(b"H")


def _never_end(connection: socket.socket, done: threading.Event) -> None:
    """A body without an end, as fast as it is taken."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    while not done.is_set():
        connection.sendall(b" " * 1_048_576)


def _stop_half_way(connection: socket.socket, done: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
    done.wait(0.01)


def _keep_silent(_connection: socket.socket, done: threading.Event) -> None:
    done.wait(60)


def _hang_on_writes(connection: socket.socket, done: threading.Event) -> None:
    """Whoever only asks gets an answer."""
    if connection.recv(65_536).startswith(b"GET"):
        connection.sendall(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    else:
        done.wait(60)


WAYS: dict[str, Callable[[socket.socket, threading.Event], None]] = {
    "silence": _keep_silent,
    "a drip": _drip,
    "a dripping head": _drip_the_head,
    "no end": _never_end,
    "half an answer": _stop_half_way,
    "hangs on writes": _hang_on_writes,
}
"""What is done with a connection, where an answer is not enough."""


@contextmanager
def impostor(kind: str) -> Iterator[str]:
    """Serve and yield the URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        done = threading.Event()
        thread = threading.Thread(target=_serve, args=(listener, kind, done), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        done.set()
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def _serve(listener: socket.socket, kind: str, done: threading.Event) -> None:
    """Give every connection a thread of its own."""
    while not done.is_set():
        try:
            connection, _ = listener.accept()
        except OSError:
            break
        arguments = (connection, kind, done)
        threading.Thread(target=_answer, args=arguments, daemon=True).start()


def _answer(connection: socket.socket, kind: str, done: threading.Event) -> None:
    connection.settimeout(5)
    with connection, contextlib.suppress(OSError):
        if way := WAYS.get(kind):
            way(connection, done)
            return
        status, content_type, body = ANSWERS[kind]
        connection.recv(65_536)
        if not status:
            connection.sendall(body)
            return
        head = b"HTTP/1.1 " + status + b"\r\nContent-Type: " + content_type
        length = str(len(body)).encode()
        head += b"\r\nContent-Length: " + length + b"\r\nConnection: close\r\n\r\n"
        connection.sendall(head + body)
        _part(connection)


def _part(connection: socket.socket) -> None:
    """Read what is still to come: to close on it would cut off what the other side has not read."""
    connection.shutdown(socket.SHUT_WR)
    while connection.recv(65_536):
        pass
