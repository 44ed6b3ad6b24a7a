"""A key vault of each kind."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from ourbank.privacy.kek import LocalKeyEncryption, MemoryEpochs
from ourbank.privacy.memory import MemoryKeyVault
from ourbank.privacy.postgres import (
    PostgresKeyVault,
    create_schema,
)
from ourbank.privacy.vault import KeyVault


@pytest.fixture
async def keys_engine(keys_url: URL) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(keys_url, hide_parameters=True)
    await create_schema(engine)  # a test may have dropped it
    yield engine
    await engine.dispose()


@pytest.fixture
def encryption() -> LocalKeyEncryption:
    return LocalKeyEncryption(MemoryEpochs())


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
def vault(request: pytest.FixtureRequest, encryption: LocalKeyEncryption) -> KeyVault:
    if request.param == "memory":
        return MemoryKeyVault(encryption)
    return PostgresKeyVault(request.getfixturevalue("keys_engine"), encryption)
