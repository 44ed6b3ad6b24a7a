"""The vault in memory, for tests and simulations: the same answers, wrapped keys included."""

import os
from asyncio import Lock
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from .kek import KeyEncryption, LocalKeyEncryption, MemoryEpochs, Wrapped
from .sealing import DataKey, Entropy
from .vault import (
    SubjectRecord,
    SubjectUnknownError,
    Tombstone,
    associated_data,
    buried,
    refusal,
)


@dataclass(slots=True)
class _Row:
    record: SubjectRecord
    key_id: str | None = None
    wrapped: Wrapped | None = field(default=None, repr=False)


class MemoryKeyVault:
    """The vault port in memory. One lock makes every verb a transaction, whatever it awaits."""

    def __init__(
        self, encryption: KeyEncryption | None = None, entropy: Entropy = os.urandom
    ) -> None:
        self._encryption = encryption or LocalKeyEncryption(MemoryEpochs(entropy(32)), entropy)
        self._entropy = entropy
        self._rows: dict[str, _Row] = {}
        self._ledger: list[str] = []
        self._lock = Lock()

    def has_key(self, subject: str) -> bool:
        """Whether there is a key for the subject, wrapped or not: what a simulation checks."""
        return subject in self._rows and self._rows[subject].wrapped is not None

    async def create(self, subjects: Collection[str]) -> dict[str, DataKey]:
        """See the port."""
        async with self._lock:
            known = [self._rows[s].record for s in sorted(subjects) if s in self._rows]
            if known:
                raise refusal(known)
            keys = {
                subject: DataKey.generate(subject, self._entropy) for subject in sorted(subjects)
            }
            await self._store(list(keys.values()))
        return keys

    async def load(self, subjects: Collection[str]) -> dict[str, DataKey]:
        """See the port."""
        async with self._lock:
            keys = await self._keys([self._rows[s] for s in subjects if s in self._rows])
        return {key.subject: key for key in keys}

    async def find(self, subject: str) -> SubjectRecord | None:
        """See the port."""
        return self._rows[subject].record if subject in self._rows else None

    async def request_erasure(
        self, subject: str, at: datetime, held_until: date | None
    ) -> SubjectRecord:
        """See the port."""
        async with self._lock:
            row = self._row(subject)
            requested_at = row.record.requested_at or at
            row.record = replace(row.record, requested_at=requested_at, held_until=held_until)
            return row.record

    async def destroy(
        self, subject: str, erasure_id: str, at: datetime, key_id: str | None = None
    ) -> Tombstone:
        """See the port."""
        async with self._lock:
            row = self._rows.setdefault(subject, _Row(SubjectRecord(subject), key_id))
            if row.record.tombstone is None and row.record.held_until is None:
                self._ledger.append(subject)
                number = len(self._ledger)
                tombstone = Tombstone(number, subject, erasure_id, at, row.key_id)
                requested_at = row.record.requested_at or at
                row.record = replace(row.record, requested_at=requested_at, tombstone=tombstone)
                row.wrapped = None
            return buried(row.record)

    async def finish_erasure(self, subject: str, receipt: str) -> Tombstone:
        """See the port."""
        async with self._lock:
            row = self._row(subject)
            tombstone = buried(row.record)
            tombstone = replace(tombstone, receipt=tombstone.receipt or receipt)
            row.record = replace(row.record, held_until=None, tombstone=tombstone)
            return tombstone

    async def unfinished(self, today: date, limit: int) -> list[str]:
        """See the port."""
        waiting = [
            (record.requested_at, record.subject)
            for record in (row.record for row in self._rows.values())
            if record.requested_at is not None and _may_go_on(record, today)
        ]
        return [subject for _, subject in sorted(waiting)[:limit]]

    async def ledger(self, after: int, limit: int) -> list[Tombstone]:
        """See the port."""
        subjects = self._ledger[after : after + limit]
        return [buried(self._rows[subject].record) for subject in subjects]

    async def ledger_head(self) -> int:
        """See the port."""
        return len(self._ledger)

    async def rewrap(self, before: int, limit: int) -> int:
        """See the port."""
        async with self._lock:
            old = [row for row in self._rows.values() if row.wrapped and row.wrapped.epoch < before]
            await self._store(await self._keys(old[:limit]))
        return len(old[:limit])

    def _row(self, subject: str) -> _Row:
        if subject not in self._rows:
            raise SubjectUnknownError(subject)
        return self._rows[subject]

    async def _store(self, keys: Sequence[DataKey]) -> None:
        secrets = [(key.material, associated_data(key.subject, key.key_id)) for key in keys]
        for key, wrapped in zip(keys, await self._encryption.wrap(secrets), strict=True):
            row = self._rows.setdefault(key.subject, _Row(SubjectRecord(key.subject)))
            row.key_id, row.wrapped = key.key_id, wrapped

    async def _keys(self, rows: Sequence[_Row]) -> list[DataKey]:
        known = [
            (row.record.subject, row.key_id, row.wrapped)
            for row in rows
            if row.key_id is not None and row.wrapped is not None
        ]
        materials = await self._encryption.unwrap(
            [(wrapped, associated_data(subject, key_id)) for subject, key_id, wrapped in known]
        )
        return [DataKey(*row[:2], material) for row, material in zip(known, materials, strict=True)]


def _may_go_on(record: SubjectRecord, today: date) -> bool:
    """Whether an erasure has something left to do: a key that is gone waits for no hold."""
    if record.tombstone is not None:
        return record.tombstone.receipt is None
    return record.held_until is None or record.held_until <= today
