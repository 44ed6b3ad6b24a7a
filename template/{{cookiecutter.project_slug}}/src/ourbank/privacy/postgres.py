"""The vault in PostgreSQL: its own database, with its own role and its own backups.

One table, one row a subject. Whoever numbers an erasure or wraps keys again holds one advisory lock
alone; whoever creates keys shares it. So erasure numbers follow commits, and no key is ever wrapped
under an epoch that a rotation is about to destroy.
"""

import os
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, TextClause, text
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    NotSupportedError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from .kek import EpochDestroyedError, KeyEncryption, Wrapped
from .sealing import DataKey, Entropy
from .vault import (
    SubjectRecord,
    SubjectUnknownError,
    Tombstone,
    VaultUnavailableError,
    associated_data,
    buried,
    refusal,
)

_SCHEMA = (
    """
    create table if not exists subject_keys (
      subject        text        primary key collate "C",
      key_id         text,
      epoch          int,
      wrapped        bytea,
      requested_at   timestamptz,
      held_until     date,
      erasure_number bigint      unique,
      erasure_id     text,
      erased_at      timestamptz,
      receipt        text,
      -- a key or a tombstone, never both and never neither
      check ((wrapped is null) = (erased_at is not null)),
      check ((wrapped is null) = (epoch is null)),
      check ((erased_at is null) = (erasure_number is null)),
      check ((erased_at is null) = (erasure_id is null)),
      check (receipt is null or erased_at is not null)
    )""",
    """create index if not exists subject_keys_epoch on subject_keys (epoch)
        where epoch is not null""",
    """create index if not exists subject_keys_unfinished on subject_keys (requested_at, subject)
        where requested_at is not null and receipt is null""",
)
_LOCK = 0x6B657973  # "keys", among the advisory locks of this database
_ALONE = text("select pg_advisory_xact_lock(:lock)")
_SHARED = text("select pg_advisory_xact_lock_shared(:lock)")

_CREATE = text("""
    insert into subject_keys (subject, key_id, epoch, wrapped)
    select * from unnest(cast(:subjects as text[]), cast(:key_ids as text[]),
                         cast(:epochs as int[]), cast(:wrapped as bytea[])) as n(subject, a, b, c)
     order by subject
    on conflict (subject) do nothing
    returning subject
""")
_LOAD = text("""
    select subject, key_id, epoch, wrapped from subject_keys
     where subject = any(cast(:subjects as text[])) and wrapped is not null
""")
_RECORDS = """
    select subject, requested_at, held_until, erasure_number, erasure_id, erased_at, key_id, receipt
      from subject_keys
"""
_FIND = text(f"{_RECORDS} where subject = any(cast(:subjects as text[])) order by subject")
_LEDGER = text(f"{_RECORDS} where erasure_number > :after order by erasure_number limit :limit")
_HEAD = text("select coalesce(max(erasure_number), 0) from subject_keys")
_REQUEST = text("""
    update subject_keys
       set requested_at = coalesce(requested_at, :at), held_until = :held_until
     where subject = :subject
""")
_DESTROY = text("""
    insert into subject_keys as k
           (subject, key_id, requested_at, erasure_number, erasure_id, erased_at)
    values (:subject, :key_id, :at, :number, :erasure_id, :at)
    on conflict (subject) do update
       set epoch = null, wrapped = null,
           requested_at = coalesce(k.requested_at, excluded.requested_at),
           erasure_number = excluded.erasure_number, erasure_id = excluded.erasure_id,
           erased_at = excluded.erased_at
     where k.erased_at is null and k.held_until is null
""")
_FINISH = text("""
    update subject_keys set receipt = coalesce(receipt, :receipt), held_until = null
     where subject = :subject and erased_at is not null
""")
_UNFINISHED = text("""
    select subject from subject_keys
     where requested_at is not null and receipt is null
       and (erased_at is not null or held_until is null or held_until <= :today)
     order by requested_at, subject limit :limit
""")
_OLD = text("""
    select subject, key_id, epoch, wrapped from subject_keys
     where epoch < :before order by epoch limit :limit
""")
_REWRAP = text("""
    update subject_keys as k set epoch = n.epoch, wrapped = n.wrapped
      from unnest(cast(:subjects as text[]), cast(:epochs as int[]),
                  cast(:wrapped as bytea[])) as n(subject, epoch, wrapped)
     where k.subject = n.subject
""")


async def create_schema(engine: AsyncEngine) -> None:
    """Create the table unless it is there."""
    async with _begun(engine, _ALONE) as connection:
        for statement in _SCHEMA:
            await connection.execute(text(statement))


class PostgresKeyVault:
    """The vault port on PostgreSQL; make the engine with `hide_parameters=True`."""

    def __init__(
        self, engine: AsyncEngine, encryption: KeyEncryption, entropy: Entropy = os.urandom
    ) -> None:
        self._engine = engine
        self._reading = engine.execution_options(isolation_level="AUTOCOMMIT")  # one round trip
        self._encryption = encryption
        self._entropy = entropy

    async def create(self, subjects: Collection[str]) -> dict[str, DataKey]:
        """See the port; the keys are wrapped inside the lock, which a rotation waits for."""
        keys = {subject: DataKey.generate(subject, self._entropy) for subject in subjects}
        async with _begun(self._engine, _SHARED) as connection:
            rows = await self._wrapped(list(keys.values()))
            created = set((await connection.execute(_CREATE, rows)).scalars())
            refused = sorted(keys.keys() - created)
            if refused:
                raise refusal(await _find(connection, refused))
        return keys

    async def load(self, subjects: Collection[str]) -> dict[str, DataKey]:
        """See the port; a rotation may end between the query and the unwrapping, once."""
        try:
            return await self._load(subjects)
        except EpochDestroyedError:
            return await self._load(subjects)

    async def _load(self, subjects: Collection[str]) -> dict[str, DataKey]:
        async with _begun(self._reading) as connection:
            rows = (await connection.execute(_LOAD, {"subjects": list(subjects)})).all()
        return {key.subject: key for key in await self._unwrapped(rows)}

    async def find(self, subject: str) -> SubjectRecord | None:
        """See the port."""
        async with _begun(self._reading) as connection:
            return next(iter(await _find(connection, [subject])), None)

    async def request_erasure(
        self, subject: str, at: datetime, held_until: date | None
    ) -> SubjectRecord:
        """See the port."""
        arguments = {"subject": subject, "at": at, "held_until": held_until}
        async with _begun(self._engine) as connection:
            await connection.execute(_REQUEST, arguments)
            return await _found(connection, subject)

    async def destroy(
        self, subject: str, erasure_id: str, at: datetime, key_id: str | None = None
    ) -> Tombstone:
        """See the port."""
        async with _begun(self._engine, _ALONE) as connection:
            number = (await connection.execute(_HEAD)).scalar_one() + 1
            arguments = {"subject": subject, "erasure_id": erasure_id, "at": at, "key_id": key_id}
            await connection.execute(_DESTROY, {**arguments, "number": number})
            return buried(await _found(connection, subject))

    async def finish_erasure(self, subject: str, receipt: str) -> Tombstone:
        """See the port."""
        async with _begun(self._engine) as connection:
            await connection.execute(_FINISH, {"subject": subject, "receipt": receipt})
            return buried(await _found(connection, subject))

    async def unfinished(self, today: date, limit: int) -> list[str]:
        """See the port."""
        async with _begun(self._reading) as connection:
            rows = await connection.execute(_UNFINISHED, {"today": today, "limit": limit})
            return list(rows.scalars())

    async def ledger(self, after: int, limit: int) -> list[Tombstone]:
        """See the port."""
        async with _begun(self._reading) as connection:
            rows = await connection.execute(_LEDGER, {"after": after, "limit": limit})
            return [buried(_record(row)) for row in rows]

    async def ledger_head(self) -> int:
        """See the port."""
        async with _begun(self._reading) as connection:
            head: int = (await connection.execute(_HEAD)).scalar_one()
            return head

    async def rewrap(self, before: int, limit: int) -> int:
        """See the port; having the lock alone, it sees what every earlier `create` wrote."""
        async with _begun(self._engine, _ALONE) as connection:
            rows = (await connection.execute(_OLD, {"before": before, "limit": limit})).all()
            arguments = await self._wrapped(await self._unwrapped(rows))
            await connection.execute(_REWRAP, arguments)
        return len(rows)

    async def _wrapped(self, keys: Sequence[DataKey]) -> dict[str, list[Any]]:
        """The keys as the arrays of a statement."""
        wrapped = await self._encryption.wrap(
            [(key.material, associated_data(key.subject, key.key_id)) for key in keys]
        )
        return {
            "subjects": [key.subject for key in keys],
            "key_ids": [key.key_id for key in keys],
            "epochs": [one.epoch for one in wrapped],
            "wrapped": [one.ciphertext for one in wrapped],
        }

    async def _unwrapped(self, rows: Sequence[Row[Any]]) -> list[DataKey]:
        materials = await self._encryption.unwrap(
            [
                (Wrapped(row.epoch, row.wrapped), associated_data(row.subject, row.key_id))
                for row in rows
            ]
        )
        return [DataKey(row.subject, row.key_id, m) for row, m in zip(rows, materials, strict=True)]


@asynccontextmanager
async def _begun(
    engine: AsyncEngine, lock: TextClause | None = None
) -> AsyncIterator[AsyncConnection]:
    """A transaction, under the lock if one is given; a lost server is a VaultUnavailableError."""
    try:
        async with engine.begin() as connection:
            if lock is not None:
                await connection.execute(lock, {"lock": _LOCK})
            yield connection
    except (DataError, IntegrityError, NotSupportedError, ProgrammingError):
        raise  # a fault of ours
    except (DBAPIError, PoolTimeoutError, OSError, TimeoutError) as error:
        raise VaultUnavailableError(type(error).__name__) from error


async def _find(connection: AsyncConnection, subjects: Sequence[str]) -> list[SubjectRecord]:
    rows = await connection.execute(_FIND, {"subjects": list(subjects)})
    return [_record(row) for row in rows]


async def _found(connection: AsyncConnection, subject: str) -> SubjectRecord:
    for record in await _find(connection, [subject]):
        return record
    raise SubjectUnknownError(subject)


def _record(row: Row[Any]) -> SubjectRecord:
    tombstone = None
    if row.erased_at is not None:
        tombstone = Tombstone(
            row.erasure_number,
            row.subject,
            row.erasure_id,
            row.erased_at,
            row.key_id,
            row.receipt,
        )
    return SubjectRecord(row.subject, row.requested_at, row.held_until, tombstone)
