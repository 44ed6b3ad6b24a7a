"""Servers that are no bank, each on a free port of loopback for as long as a test needs it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

ANSWERS = {
    "yes to everything": (b"200 OK", b"application/json", b'{"ok": true}'),
    "yes in HTML": (b"200 OK", b"text/html", b"<h1>Welcome</h1>"),
    "500 to everything": (b"500 Oops", b"text/plain", b"oops"),
    "a web site": (b"404 Not Found", b"text/html", b"<h1>404</h1>"),
    "401 to everything": (b"401 Unauthorized", b"application/json", b'{"code": "no"}'),
    "no HTTP": (b"", b"", b"220 ready\r\n"),
    "silence": (b"", b"", b""),
}


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
    """Answer one connection after the other, closing each; keep silent ones open."""
    kept = []
    while not done.is_set():
        try:
            connection, _ = listener.accept()
        except OSError:
            break
        kept.append(connection)
        if kind != "silence":
            _answer(connection, kind)
    for connection in kept:
        connection.close()


def _answer(connection: socket.socket, kind: str) -> None:
    status, content_type, body = ANSWERS[kind]
    connection.settimeout(5)
    with connection:
        connection.recv(65_536)
        if not status:
            connection.sendall(body)
            return
        head = b"HTTP/1.1 " + status + b"\r\nContent-Type: " + content_type
        length = str(len(body)).encode()
        head += b"\r\nContent-Length: " + length + b"\r\nConnection: close\r\n\r\n"
        connection.sendall(head + body)
