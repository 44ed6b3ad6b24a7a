"""The key ring: the vault's keys at hand, and never longer than an erasure may take to be known.

Keys are remembered, their validity is not. That rests on the vault's erasure ledger: a ring answers
from memory only while it has seen the ledger's head within `staleness_seconds_max`, and drops what
was erased since. So an erasure takes effect in every process within that time, without a restart,
at the price of one small query per ring and period. To let each key expire by itself would load,
and have unwrapped, each of a hundred thousand keys every few seconds.
"""

from asyncio import Lock, Task, create_task, shield
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime

from .sealing import DataKey
from .vault import (
    KeyVault,
    SubjectErasedError,
    SubjectError,
    SubjectUnknownError,
    Tombstone,
    VaultUnavailableError,
)

CAPACITY = 100_000
"""Keys in memory, at about 0.5 kB each."""
STALENESS_SECONDS_MAX = 5.0
"""The longest that a bank may publish as the time within which an erasure is effective."""
AHEAD = 0.5
"""From this share of the staleness on it is looked at the ledger again, while nobody must wait."""
LOOKS_MAX = 3
"""Looks at the ledger, each too slow to be good for anything, before a load is refused."""
_LEDGER_PAGE = 1_000


class _Gathered:
    """Calls that share a query: one runs at a time, and who comes meanwhile shares the next."""

    def __init__(self, query: Callable[[set[str]], Awaitable[dict[str, DataKey]]]) -> None:
        self._query = query
        self._running = Lock()
        self._next: tuple[set[str], Task[dict[str, DataKey]]] | None = None

    def gathers_for(self, subjects: Collection[str]) -> bool:
        """Whether the next query is about one of these already."""
        return self._next is not None and not self._next[0].isdisjoint(subjects)

    def joined(self, subjects: Collection[str]) -> Task[dict[str, DataKey]]:
        """The next query, which is about these too now."""
        if self._next is None:
            gathered: set[str] = set()
            self._next = gathered, create_task(self._run(gathered))
        gathered, query = self._next
        gathered.update(subjects)
        return query

    async def _run(self, gathered: set[str]) -> dict[str, DataKey]:
        async with self._running:
            self._next = None
            return await self._query(gathered)


class KeyRing:
    """A bounded cache in front of a vault; `clock` gives monotonic seconds."""

    def __init__(
        self,
        vault: KeyVault,
        clock: Callable[[], float],
        *,
        capacity: int = CAPACITY,
        staleness_seconds_max: float = 2.0,
    ) -> None:
        if not 0 < staleness_seconds_max <= STALENESS_SECONDS_MAX or capacity < 1:
            msg = (
                f"a key ring needs room for a key and a staleness of at most"
                f" {STALENESS_SECONDS_MAX} s, not {capacity} and {staleness_seconds_max}"
            )
            raise ValueError(msg)
        self.vault = vault
        """Asked directly for what is not about keys at hand."""
        self._clock = clock
        self._capacity = capacity
        self._staleness_seconds_max = staleness_seconds_max
        self._ahead_seconds = staleness_seconds_max * (1 - AHEAD)
        self._keys: OrderedDict[str, DataKey] = OrderedDict()
        self._head = 0
        self._fresh_until = float("-inf")
        self._refreshing = Lock()
        self._looking: Task[None] | None = None
        self._loads = _Gathered(self._load)
        self._creations = _Gathered(self._create)

    async def create(self, subjects: Collection[str]) -> dict[str, DataKey]:
        """Keys for new subjects, as the vault; only a registration may call this."""
        if self._creations.gathers_for(subjects):
            return await self.vault.create(subjects)  # not to share a key with another's creation
        try:
            keys = await shield(self._creations.joined(subjects))
        except SubjectError:  # somebody's; asked for alone, it shows whose
            return await self.vault.create(subjects)
        return {subject: keys[subject] for subject in subjects}

    async def load(self, subjects: Collection[str]) -> dict[str, DataKey]:
        """The keys there are: the erased and the unknown are left out."""
        left = self._fresh_until - self._clock()
        if left <= 0:
            await self._become_fresh()
        elif left <= self._ahead_seconds:
            self._look()
        found = {subject: self._keys[subject] for subject in subjects if subject in self._keys}
        for subject in found:
            self._keys.move_to_end(subject)
        missing = set(subjects) - found.keys()
        if missing:
            loaded = await shield(self._loads.joined(missing))
            found |= {subject: loaded[subject] for subject in missing if subject in loaded}
        return found

    async def key(self, subject: str) -> DataKey:
        """The key of one subject; SubjectErasedError, SubjectUnknownError."""
        keys = await self.load([subject])
        if subject in keys:
            return keys[subject]
        if await self.vault.find(subject) is None:
            raise SubjectUnknownError(subject)
        raise SubjectErasedError(subject)

    async def destroy(
        self, subject: str, erasure_id: str, at: datetime, key_id: str | None = None
    ) -> Tombstone:
        """Destroy the key as the vault does, and forget it here at once."""
        tombstone = await self.vault.destroy(subject, erasure_id, at, key_id)
        await self.refresh()
        return tombstone

    async def refresh(self) -> None:
        """Drop what was erased since the last time; for processes that may be idle for long."""
        async with self._refreshing:
            await self._refresh()

    async def _become_fresh(self) -> None:
        """One look at the ledger for all who wait. Were it a lock, a thousand waiters would be let
        go one by one, each after a turn of the loop: seconds under load. A look that took longer
        than its answer is good for is worth nothing: who joined it looks again.
        """
        for _ in range(LOOKS_MAX):
            await shield(self._look())
            if self._clock() < self._fresh_until:
                return
        raise VaultUnavailableError("the ledger of erasures answers too slowly to rely on")

    def _look(self) -> Task[None]:
        """The look at the ledger that is under way, begun where there is none."""
        if self._looking is None or self._looking.done():
            self._looking = create_task(self.refresh())
            self._looking.add_done_callback(_heard)
        return self._looking

    async def _refresh(self) -> None:
        asked_at = self._clock()
        head = await self.vault.ledger_head()
        if head < self._head:  # an older backup was restored
            self._keys.clear()
        while self._keys and self._head < head:
            self._drop_erased(await self.vault.ledger(self._head, _LEDGER_PAGE))
        self._head = head
        self._fresh_until = asked_at + self._staleness_seconds_max

    def _drop_erased(self, page: list[Tombstone]) -> None:
        """Without an await between the two: a query under way must see that the head has moved."""
        self._head = page[-1].number
        for tombstone in page:
            self._keys.pop(tombstone.subject, None)

    async def _load(self, subjects: set[str]) -> dict[str, DataKey]:
        head = self._head
        keys = await self.vault.load(subjects)
        self._keep(keys, head)
        return keys

    async def _create(self, subjects: set[str]) -> dict[str, DataKey]:
        head = self._head
        keys = await self.vault.create(subjects)
        self._keep(keys, head)
        return keys

    def _keep(self, keys: dict[str, DataKey], head: int) -> None:
        """Remember keys read under this head; if it moved, one of them may have been erased."""
        if head == self._head:
            self._keys.update(keys)
        while len(self._keys) > self._capacity:
            self._keys.popitem(last=False)


def _heard(look: Task[None]) -> None:
    """One that failed ahead of time is no matter: who must wait asks again, and is told."""
    if not look.cancelled():
        look.exception()
