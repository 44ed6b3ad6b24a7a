"""PostgreSQL goes away and comes back: clear 503s, nothing acknowledged lost, no restart."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import make_url

from ourbank import embedded, schema
from ourbank.bootstrap import Addresses, running
from ourbank.config import Settings
from ourbank.console.migrating import migrate_keys
from ourbank.embedded import EmbeddedPostgres
from ourbank.http.app import create_app
from ourbank.http.tokens import Tokens
from ourbank.observability.metrics import HttpMetrics
from ourbank.secrets_store import Secrets

from .client import Api, code

PATIENCE_SECONDS = 60


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="pg-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def server(folder: Path) -> Iterator[EmbeddedPostgres]:
    """A server of this test's own: it will be stopped."""
    with embedded.start(folder / "data") as server:
        server.create_database("keys")
        yield server


@pytest.fixture
async def api(server: EmbeddedPostgres, settings: Settings) -> AsyncIterator[Api]:
    addresses = Addresses(make_url(server.url()), make_url(server.url("keys")))
    schema.migrate(addresses.events, settings.partitions)
    await migrate_keys(addresses)
    secrets = Secrets(settings.secrets_dir)
    tokens = Tokens(secrets.token_public_key, settings.auth_issuer, settings.auth_audience)
    async with running(settings, addresses, with_worker=True) as process:
        app = create_app(process.bank, tokens, HttpMetrics(CollectorRegistry()))
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://bank") as client:
            yield Api(client, secrets.token_private_key, process.bank)


async def test_an_outage_is_a_503_and_over_when_it_is_over(
    api: Api, server: EmbeddedPostgres, folder: Path
) -> None:
    source, target = await api.account(funds=1000), await api.account()
    acknowledged = 0
    for _ in range(5):
        acknowledged += 10 * ((await api.transfer(source, target, 10)).status_code == 201)

    await asyncio.to_thread(server.stop)
    assert code(await api.send("GET", "/health/ready")) == (503, "unavailable")
    assert code(await api.deposit(source, 1)) == (503, "unavailable")
    assert code(await api.send("GET", f"/v1/accounts/{source}/entries")) == (503, "unavailable")
    assert (await api.client.get("/health/live")).status_code == 200

    again = await asyncio.to_thread(embedded.start, folder / "data")
    try:
        await _until_ok(lambda: api.client.get("/health/ready"))
        await _until_ok(lambda: api.transfer(source, target, 10))
        booked, held, _ = await api.balances(target)
        assert booked >= acknowledged + 10
        assert held == 0
        total = booked + (await api.balances(source))[0]
        assert total == 1000
    finally:
        await asyncio.to_thread(again.stop)


async def _until_ok(ask: Callable[[], Awaitable[httpx.Response]]) -> None:
    for _ in range(PATIENCE_SECONDS * 10):
        if (await ask()).is_success:
            return
        await asyncio.sleep(0.1)
    raise TimeoutError
