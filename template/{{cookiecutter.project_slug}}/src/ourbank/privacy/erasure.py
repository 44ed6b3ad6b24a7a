"""Erasure: REQUESTED → ON_LEGAL_HOLD(until) → ERASED, one way, and safe to cut short anywhere.

The key goes only when nothing requires the data to be kept (retention under anti-money-laundering
law, a legal hold: GDPR art. 17 (3)), and every path asks anew, once more after the wish is noted
in the vault: a hold that comes meanwhile is seen here, or sees the wish. Destroying it is one step
in the vault; purging copies, recording and signing follow, each of which may be repeated. Until all
are done the erasure is REQUESTED, and `resume` carries it on: nobody is told ERASED too early.
Read models lag, so a copy may come after its purge: `sweep` takes it away.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from .keyring import KeyRing
from .receipt import Receipt, Signer, key_digest
from .vault import SubjectNotErasedError, SubjectRecord, SubjectUnknownError, Tombstone

RESUME_PAGE = 100
LATE_SECONDS = 60.0
"""What was sealed before the key went has reached the log and the read models by then."""

Purge = Callable[[str], Awaitable[None]]
"""Deletes what one place holds of a subject's personal data; repeating it is harmless."""


class ErasureState(StrEnum):
    """Where an erasure stands."""

    NONE = "NONE"
    REQUESTED = "REQUESTED"
    ON_LEGAL_HOLD = "ON_LEGAL_HOLD"
    ERASED = "ERASED"


@dataclass(frozen=True, slots=True)
class Erasure:
    """An erasure as its applicant sees it; `until` is the end, exclusive, of the legal hold."""

    subject: str
    state: ErasureState
    until: date | None = None
    erased_at: datetime | None = None
    receipt: str | None = None


def hold_ends(today: date, obligations: Iterable[date]) -> date | None:
    """When the last of these obligations to keep data ends, None when none is left today."""
    return max((until for until in obligations if until > today), default=None)


def state_of(record: SubjectRecord) -> Erasure:
    """The erasure that a record of the vault amounts to."""
    stone = record.tombstone
    if stone is not None and stone.receipt is not None:
        return Erasure(record.subject, ErasureState.ERASED, None, stone.erased_at, stone.receipt)
    if record.requested_at is None:
        return Erasure(record.subject, ErasureState.NONE)
    if record.held_until is not None and stone is None:
        return Erasure(record.subject, ErasureState.ON_LEGAL_HOLD, record.held_until)
    return Erasure(record.subject, ErasureState.REQUESTED)


class Eraser:
    """The one path on which keys are destroyed.

    `obligations` says until when (exclusive) a subject's data must be kept, one date an obligation.
    `purges` are named in the receipt; `record` tells the event log (subject, erased_at, receipt).
    """

    def __init__(
        self,
        ring: KeyRing,
        signer: Signer,
        *,
        obligations: Callable[[str], Awaitable[Iterable[date]]],
        purges: Mapping[str, Purge],
        record: Callable[[str, datetime, str], Awaitable[None]],
        now: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        self._ring = ring
        self._vault = ring.vault
        self._signer = signer
        self._obligations = obligations
        self._purges = purges
        self._record = record
        self._now = now
        self._new_id = new_id
        self._settled = 0  # up to this number of the ledger nothing comes late any more

    async def status(self, subject: str) -> Erasure:
        """Where the erasure stands; NONE also for subjects nobody knows."""
        record = await self._vault.find(subject)
        return state_of(record or SubjectRecord(subject))

    async def erase(self, subject: str) -> Erasure:
        """Erase now or note that it has to wait; the same answer again once erased.

        Raises SubjectUnknownError.
        """
        known = await self._vault.find(subject)
        if known is None:
            raise SubjectUnknownError(subject)
        if (before := state_of(known)).state is ErasureState.ERASED:
            return before
        now = self._now()
        noted = await self._noted(subject, now)
        if noted.held_until is None:
            noted = await self._noted(subject, now)
        if noted.tombstone is None and noted.held_until is not None:
            return state_of(noted)
        try:
            stone = await self._ring.destroy(subject, self._new_id(), now)
        except SubjectNotErasedError:  # another process has seen a hold that came meanwhile
            return await self.status(subject)
        return await self._finish(stone)

    async def _noted(self, subject: str, now: datetime) -> SubjectRecord:
        """The wish in the vault, with what it has to wait for at this moment."""
        until = hold_ends(now.date(), await self._obligations(subject))
        return await self._vault.request_erasure(subject, now, until)

    async def resume(self) -> int:
        """Carry on erasures that were cut short or need not wait any more; how many were tried.

        One that fails does not keep the others waiting: an ExceptionGroup is raised at the end.
        """
        return await self._carry_on(self._now().date())

    async def review(self) -> int:
        """The same, with those that wait: what they wait for may have been lifted by a process that
        ended before it could say so.
        """
        return await self._carry_on(date.max)

    async def _carry_on(self, held_until_max: date) -> int:
        subjects = await self._vault.unfinished(held_until_max, RESUME_PAGE)
        failures: list[Exception] = []
        for subject in subjects:
            try:
                await self.erase(subject)
            except Exception as failure:  # noqa: BLE001 (raised below, with the others)
                failures.append(failure)
        if failures:
            raise ExceptionGroup("erasures that could not be carried on", failures)
        return len(subjects)

    async def reapply(self, ledger: Iterable[Tombstone]) -> int:
        """Erase again what a restored backup brought back; how many tombstones there were."""
        count = 0
        for stone in ledger:
            with suppress(SubjectUnknownError):  # whatever it had to wait for then is over
                await self._vault.request_erasure(stone.subject, stone.erased_at, None)
            again = await self._ring.destroy(
                stone.subject, stone.erasure_id, stone.erased_at, stone.key_id
            )
            await self._finish(again, stone.receipt)
            count += 1
        return count

    async def sweep(self) -> int:
        """Purge once more whoever was erased lately: what was sealed before may have been recorded,
        or have reached a read model, only after the purge. How many subjects.

        One purge that fails does not keep the others waiting: an ExceptionGroup is raised at the
        end.
        """
        since = self._now() - timedelta(seconds=LATE_SECONDS)
        return await self._purge_again(self._settled, since)

    async def purge_again(self) -> int:
        """The same for whoever was ever erased, where copies were made anew from the log."""
        return await self._purge_again(0, datetime.min.replace(tzinfo=UTC))

    async def _purge_again(self, after: int, since: datetime) -> int:
        count = 0
        failures: list[Exception] = []
        while page := await self._vault.ledger(after, RESUME_PAGE):
            for stone in page:
                if stone.erased_at >= since:
                    count += 1
                    try:
                        await self._purge(stone.subject)
                    except Exception as failure:  # noqa: BLE001 (raised below, with the others)
                        failures.append(failure)
                elif not count:
                    self._settled = stone.number
            after = page[-1].number
        if failures:
            raise ExceptionGroup("purges that failed, and are to be repeated", failures)
        return count

    async def _purge(self, subject: str) -> None:
        for purge in self._purges.values():
            await purge(subject)

    async def _finish(self, stone: Tombstone, receipt: str | None = None) -> Erasure:
        """Purge, record, sign: everything after the key is gone, all of it repeatable."""
        await self._purge(stone.subject)
        receipt = receipt or stone.receipt or self._signer.sign(self._receipt(stone))
        await self._record(stone.subject, stone.erased_at, receipt)
        finished = await self._vault.finish_erasure(stone.subject, receipt)
        return state_of(SubjectRecord(stone.subject, tombstone=finished))

    def _receipt(self, stone: Tombstone) -> Receipt:
        digest = None if stone.key_id is None else key_digest(stone.key_id)
        return Receipt(stone.erasure_id, stone.erased_at, digest, tuple(self._purges))
