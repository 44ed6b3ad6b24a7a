"""A bank and clients of its API, in one process and without a network."""

from collections.abc import AsyncIterator

import httpx
import pytest
from prometheus_client import CollectorRegistry

from ourbank.bootstrap import Addresses, running
from ourbank.config import Settings
from ourbank.http.app import create_app
from ourbank.http.tokens import Tokens
from ourbank.observability.metrics import HttpMetrics
from ourbank.secrets_store import Secrets

from .client import Api


@pytest.fixture
async def api(settings: Settings, addresses: Addresses) -> AsyncIterator[Api]:
    """The API of a bank that has just been opened, as staff see it."""
    secrets = Secrets(settings.secrets_dir)
    tokens = Tokens(secrets.token_public_key, settings.auth_issuer, settings.auth_audience)
    async with running(settings, addresses, with_worker=True) as process:
        app = create_app(process.bank, tokens, HttpMetrics(CollectorRegistry()))
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://bank") as client:
            yield Api(client, secrets.token_private_key, process.bank)
