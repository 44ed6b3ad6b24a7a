"""Running a process of the bank until it is told to stop."""

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer
import uvicorn
import uvloop
from fastapi import FastAPI
from prometheus_client import CollectorRegistry, start_http_server

from ..bootstrap import Addresses, running
from ..config import ConfigError, Settings
from ..http.app import create_app
from ..http.connections import BoundedConnection
from ..http.tokens import Tokens
from ..observability.metrics import HttpMetrics
from ..secrets_store import Secrets

SHUTDOWN_SECONDS_MAX = 15
BACKLOG = 2048


class _Server(uvicorn.Server):
    """Leaves signals to us: uvicorn would raise them again before the bank has finished its
    work.
    """

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def serve(settings: Settings, addresses: Addresses, *, with_worker: bool) -> None:
    """The API, with the workers in the same process or without."""
    listener = _listen(settings)
    uvloop.run(_serve(settings, addresses, listener, with_worker=with_worker))


def work(settings: Settings, addresses: Addresses) -> None:
    """The workers alone."""
    uvloop.run(_work(settings, addresses))


async def _serve(
    settings: Settings, addresses: Addresses, listener: socket.socket, *, with_worker: bool
) -> None:
    tokens = Tokens(
        Secrets(settings.secrets_dir).token_public_key,
        settings.auth_issuer,
        settings.auth_audience,
    )
    async with running(settings, addresses, with_worker=with_worker) as process:
        _publish_metrics(settings, process.registry)
        app = create_app(process.bank, tokens, HttpMetrics(process.registry))
        server = _Server(_config(app))
        _on_stop(lambda: setattr(server, "should_exit", True))
        host, port = listener.getsockname()[:2]
        typer.echo(f"serving on http://{host}:{port} (the API page is at /docs)")
        await server.serve(sockets=[listener])


async def _work(settings: Settings, addresses: Addresses) -> None:
    stop = asyncio.Event()
    async with running(settings, addresses, with_worker=True) as process:
        _publish_metrics(settings, process.registry)
        _on_stop(stop.set)
        typer.echo("working")
        await stop.wait()


def _config(app: FastAPI) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=BoundedConnection,
        log_config=None,
        access_log=False,
        proxy_headers=False,  # nothing here asks who the client is, but for its token
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=SHUTDOWN_SECONDS_MAX,
    )


def _listen(settings: Settings) -> socket.socket:
    try:
        return socket.create_server((settings.http_host, settings.http_port), backlog=BACKLOG)
    except OSError as error:
        where = f"{settings.http_host}:{settings.http_port}"
        raise ConfigError(
            f"cannot listen on {where} ({error.strerror}): choose another --port or --host"
        ) from None


def _publish_metrics(settings: Settings, registry: CollectorRegistry) -> None:
    if settings.metrics_port:
        start_http_server(settings.metrics_port, settings.http_host, registry)


def _on_stop(stop: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
