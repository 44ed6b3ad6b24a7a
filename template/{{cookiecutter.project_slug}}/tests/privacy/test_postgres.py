"""What only the vault in PostgreSQL can get wrong."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import URL, event, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from ourbank.privacy.kek import (
    EpochDestroyedError,
    LocalKeyEncryption,
    MemoryEpochs,
    UnwrapError,
    Wrapped,
)
from ourbank.privacy.keyring import KeyRing
from ourbank.privacy.postgres import (
    PostgresKeyVault,
    create_schema,
)
from ourbank.privacy.rotation import rotate
from ourbank.privacy.vault import VaultUnavailableError

pytestmark = pytest.mark.postgres
T0 = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def stored(keys_engine: AsyncEngine, encryption: LocalKeyEncryption) -> PostgresKeyVault:
    return PostgresKeyVault(keys_engine, encryption)


async def _sql(engine: AsyncEngine, statement: str) -> Sequence[Any]:
    async with engine.begin() as connection:
        done = await connection.execute(text(statement))
        return done.all() if done.returns_rows else []


async def test_creating_the_schema_again_and_at_once_is_harmless(keys_engine: AsyncEngine) -> None:
    await _sql(keys_engine, "drop table subject_keys")
    await asyncio.gather(*(create_schema(keys_engine) for _ in range(4)))
    assert await _sql(keys_engine, "select * from subject_keys") == []


async def test_no_key_is_stored_unwrapped(
    keys_engine: AsyncEngine, stored: PostgresKeyVault
) -> None:
    key = (await stored.create(["cus_a"]))["cus_a"]
    ((row,),) = await _sql(keys_engine, "select subject_keys::text from subject_keys")
    assert key.key_id in row
    assert key.material.hex() not in row


async def test_a_destroyed_key_leaves_the_row_in_one_step(
    keys_engine: AsyncEngine, stored: PostgresKeyVault
) -> None:
    await stored.create(["cus_a"])
    await stored.destroy("cus_a", "ers_1", T0)
    ((epoch, wrapped),) = await _sql(keys_engine, "select epoch, wrapped from subject_keys")
    assert (epoch, wrapped) == (None, None)
    with pytest.raises(IntegrityError):  # neither key nor tombstone: the table does not have it
        await _sql(keys_engine, "update subject_keys set erased_at = null")
    with pytest.raises(IntegrityError):  # both: nor that
        await _sql(keys_engine, "update subject_keys set epoch = 1, wrapped = 'x'")


async def test_a_wrapped_key_opens_in_its_own_row_only(
    keys_engine: AsyncEngine, stored: PostgresKeyVault
) -> None:
    await stored.create(["cus_a", "cus_b"])
    await _sql(
        keys_engine,
        "update subject_keys k set wrapped = o.wrapped from subject_keys o"
        " where k.subject <> o.subject",
    )
    with pytest.raises(UnwrapError):
        await stored.load(["cus_a"])


async def test_a_wrapped_key_opens_in_its_own_epoch_only(
    keys_engine: AsyncEngine, stored: PostgresKeyVault, encryption: LocalKeyEncryption
) -> None:
    await stored.create(["cus_a"])
    await encryption.open_epoch()
    await _sql(keys_engine, "update subject_keys set epoch = 2")
    with pytest.raises(UnwrapError):
        await stored.load(["cus_a"])


async def test_keys_restored_from_before_a_rotation_are_refused(
    keys_engine: AsyncEngine, stored: PostgresKeyVault, encryption: LocalKeyEncryption
) -> None:
    await stored.create(["cus_gone", "cus_here"])
    await _sql(keys_engine, "create temp table backup as table subject_keys")
    await stored.destroy("cus_gone", "ers_1", T0)
    await rotate(stored, encryption)

    await _sql(keys_engine, "truncate subject_keys")
    await _sql(keys_engine, "insert into subject_keys table backup")
    with pytest.raises(EpochDestroyedError, match="restore a newer backup"):
        await stored.load(["cus_gone"])
    with pytest.raises(EpochDestroyedError):
        await rotate(stored, encryption)


class _RotatedMeanwhile(LocalKeyEncryption):
    """As if a rotation had ended between the query and the unwrapping, so many times."""

    times = 1

    async def unwrap(self, keys: Sequence[tuple[Wrapped, bytes]]) -> list[bytes]:
        if self.times:
            self.times -= 1
            raise EpochDestroyedError(keys[0][0].epoch)
        return await super().unwrap(keys)


async def test_a_load_that_a_rotation_overtakes_asks_again(keys_engine: AsyncEngine) -> None:
    vault = PostgresKeyVault(keys_engine, _RotatedMeanwhile(MemoryEpochs()))
    created = await vault.create(["cus_a"])
    assert await vault.load(["cus_a"]) == created


async def test_look_ups_at_the_same_time_are_one_query(
    keys_engine: AsyncEngine, stored: PostgresKeyVault
) -> None:
    subjects = [f"cus_{n}" for n in range(50)]
    created = await stored.create(subjects)
    ring = KeyRing(stored, lambda: 0.0)
    await ring.refresh()
    statements: list[str] = []
    event.listen(
        keys_engine.sync_engine,
        "before_cursor_execute",
        lambda *arguments: statements.append(arguments[2]),
    )
    loaded = await asyncio.gather(*(ring.load([subject]) for subject in subjects))
    assert {subject: key for one in loaded for subject, key in one.items()} == created
    assert len(statements) == 1


async def test_a_server_that_is_away_is_named_as_such(keys_url: URL) -> None:
    engine = create_async_engine(keys_url.update_query_dict({"host": "/nowhere"}))
    vault = PostgresKeyVault(engine, LocalKeyEncryption(MemoryEpochs()))
    with pytest.raises(VaultUnavailableError):
        await vault.load(["cus_a"])
    with pytest.raises(VaultUnavailableError):
        await vault.create(["cus_a"])
    await engine.dispose()


async def test_psycopg_serves_as_well(keys_url: URL) -> None:
    engine = create_async_engine(keys_url.set(drivername="postgresql+psycopg"))
    vault = PostgresKeyVault(engine, LocalKeyEncryption(MemoryEpochs()))
    created = await vault.create(["cus_a", "cus_b"])
    await vault.destroy("cus_b", "ers_1", T0)
    assert await vault.load(["cus_a", "cus_b"]) == {"cus_a": created["cus_a"]}
    assert [stone.erased_at for stone in await vault.ledger(0, 10)] == [T0]
    await engine.dispose()
