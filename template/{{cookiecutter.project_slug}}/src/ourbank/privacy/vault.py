"""The port: where data keys live, one row a subject, from creation to tombstone.

A row is made once, on registration, and never goes away: erasing takes the key out of it and leaves
the tombstone in its place, in one step. So there is no moment at which a subject is neither known
nor erased, and no way for it to get a second key. tests/privacy/ has the contract that all adapters
keep.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from .sealing import DataKey


class SubjectError(Exception):
    """The vault's answer about a subject is no; subjects are ids, so they may be named."""

    reason: str

    def __init__(self, subject: str) -> None:
        super().__init__(f"{subject} {self.reason}")
        self.subject = subject


class SubjectExistsError(SubjectError):
    """The subject has a key already; it never gets another."""

    reason = "has a key already"


class SubjectErasedError(SubjectError):
    """The subject was erased; it never gets a key again."""

    reason = "was erased"


class SubjectUnknownError(SubjectError):
    """The vault has never had a key for the subject."""

    reason = "has never had a key"


class SubjectNotErasedError(SubjectError):
    """The key is still there: an erasure has to wait, or cannot be finished yet."""

    reason = "still has its key"


class VaultUnavailableError(Exception):
    """The vault cannot be reached; whether a change under way happened is not known."""


@dataclass(frozen=True, slots=True)
class Tombstone:
    """That a subject's key was destroyed; the entries of the erasure ledger.

    `number` counts the vault's erasures in commit order, without gaps. `key_id` is None where a
    tombstone came to a vault that never had the key. `receipt` comes when everything is purged.
    """

    number: int
    subject: str
    erasure_id: str
    erased_at: datetime
    key_id: str | None
    receipt: str | None = None


@dataclass(frozen=True, slots=True)
class SubjectRecord:
    """What the vault knows of a subject, the key aside."""

    subject: str
    requested_at: datetime | None = None
    """When the erasure was asked for, None if it was not."""
    held_until: date | None = None
    """Until when, exclusive, the erasure has to wait."""
    tombstone: Tombstone | None = None


class KeyVault(Protocol):
    """An adapter is a class with these; every verb is atomic, all but `create` may be repeated."""

    async def create(self, subjects: Collection[str]) -> dict[str, DataKey]:
        """New keys for new subjects, all or none: SubjectExistsError, SubjectErasedError."""
        ...

    async def load(self, subjects: Collection[str]) -> dict[str, DataKey]:
        """The keys there are, in one query: the erased and the unknown are left out."""
        ...

    async def find(self, subject: str) -> SubjectRecord | None:
        """What is known of the subject, None when nothing is."""
        ...

    async def request_erasure(
        self, subject: str, at: datetime, held_until: date | None
    ) -> SubjectRecord:
        """Note the wish (the first time stays) and until when it waits; SubjectUnknownError."""
        ...

    async def destroy(
        self, subject: str, erasure_id: str, at: datetime, key_id: str | None = None
    ) -> Tombstone:
        """Put a tombstone in the place of the key; the one that is there wins over a new one, and
        so does a date to wait for: SubjectNotErasedError.

        An unknown subject gets one too, so that it can never have a key; `key_id` is for that case.
        """
        ...

    async def finish_erasure(self, subject: str, receipt: str) -> Tombstone:
        """Note that all is purged; the first receipt stays. SubjectNotErasedError with a key."""
        ...

    async def unfinished(self, today: date, limit: int) -> list[str]:
        """Subjects whose erasure was asked for, is not finished and need not wait; oldest first.
        One whose key is gone need not, whatever hold was noted since.
        """
        ...

    async def ledger(self, after: int, limit: int) -> list[Tombstone]:
        """The tombstones above a number, in order."""
        ...

    async def ledger_head(self) -> int:
        """The number of the last tombstone, 0 where there is none."""
        ...

    async def rewrap(self, before: int, limit: int) -> int:
        """Wrap keys of epochs before this one under the newest; how many, 0 when none are left.

        A key that a `create` under way wraps under an older epoch counts as one of them.
        """
        ...


def associated_data(subject: str, key_id: str) -> bytes:
    """What a wrapped key is bound to, beside its epoch."""
    return f"{subject}\0{key_id}".encode()


def refusal(records: Collection[SubjectRecord]) -> SubjectError:
    """Why subjects of which something is known get no new key."""
    for record in records:
        if record.tombstone is not None:
            return SubjectErasedError(record.subject)
    return SubjectExistsError(next(iter(records)).subject)


def buried(record: SubjectRecord) -> Tombstone:
    """The record's tombstone; SubjectNotErasedError when it has none."""
    if record.tombstone is None:
        raise SubjectNotErasedError(record.subject)
    return record.tombstone
