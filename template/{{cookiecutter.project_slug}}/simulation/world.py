"""The world around the bank: its database and key service, its processes, the faults, the record.

Everything that is drawn is drawn from the plan's seed, and everything that happens is told; the
hash of what was told stands for the whole run.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import Context
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from random import Random
from typing import Any, ClassVar

from ourbank.application.consistency import NotYetConsistentError
from ourbank.application.legal_holds import ErasureUnderWayError
from ourbank.config import Settings
from ourbank.eventsourcing.event import Recorded
from ourbank.eventsourcing.lease import LEASE_SECONDS
from ourbank.eventsourcing.log import Append, LogUnavailableError
from ourbank.eventsourcing.partition import (
    ClosedError,
    OverloadedError,
)
from ourbank.eventsourcing.projection import Key, ReadModel
from ourbank.privacy.memory import MemoryKeyVault
from ourbank.privacy.vault import VaultUnavailableError

from .books import Books
from .database import Database
from .faults import Fault, Faults, Kind
from .loop import running
from .plan import Plan
from .process import Life, PoisonError, Process
from .readside import Rows
from .wire import FLUSHING

PERSONAL = "Example"
"""In all personal data that clients give away, and in nothing else."""
EPOCH = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
"""When every run begins."""
DOWN_SECONDS_MIN = 0.05
HEARD_OF_LATENCY = 2.0
"""After so many mean latencies who asked has, nearly always, the answer."""

UNAVAILABLE = (
    LogUnavailableError,
    VaultUnavailableError,
    OverloadedError,
    ClosedError,
    NotYetConsistentError,
    ErasureUnderWayError,
    PoisonError,
)
"""What the bank may say when it cannot; anything else that it raises is a defect."""


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _leaves(one)
    else:
        yield error


class KeyService:
    """The vault of data keys, behind a wire of its own."""

    def __init__(self, world: "World") -> None:
        self.is_up = True
        self.generation = 0
        self.slow = False
        self.vault = MemoryKeyVault(entropy=world.entropy)
        self._world = world

    def latency(self) -> float:
        """Seconds of a call."""
        return self._world.latency() * (100 if self.slow else 1)


class World:
    """One run's world; make it inside the simulated loop."""

    def __init__(self, plan: Plan, told: Callable[[str], None] | None = None) -> None:
        knobs = plan.knobs
        self.plan = plan
        self.faults = Faults()
        self.violations: list[str] = []
        self.books = Books(self.violate)
        self.dead: list[Life] = []
        """Kept until the end: what is collected runs its `finally`, and the dead do not."""
        self.parked: set[tuple[str, Key]] = set()
        """Rows, by read model, that a poisonous event has stopped."""
        self._refusing: dict[int, float] = {}
        """Until when nothing is appended to a partition."""
        self._told = told
        self._trace = blake2b(digest_size=16)
        self._loop = running()
        self._dice = Random(plan.seed ^ 0x5EED)
        self.settings = Settings.model_construct(
            snapshot_every=knobs.snapshot_every,
            cached_aggregates_max=knobs.cached_aggregates_max * knobs.partitions,
            poll_seconds=knobs.poll_seconds,
        )
        self.database = Database(knobs.partitions, self.now, self._before_commit)
        self.database.log.committed = self._committed
        self.key_service = KeyService(self)
        self.rows = Rows(self.database.read_models)
        self.processes = [Process(self, number) for number in range(knobs.processes)]

    # Time and chance

    def now(self) -> datetime:
        """The true time."""
        return EPOCH + timedelta(seconds=self._loop.time())

    def latency(self) -> float:
        """Seconds of one call: mostly about the mean, now and then much longer."""
        draw = self._dice.random()
        return self.plan.knobs.latency_seconds * (0.5 + draw + (20 if draw > 0.98 else 0))  # noqa: PLR2004

    def entropy(self, count: int) -> bytes:
        """Bytes that are random to the bank, and the same in every run of the plan."""
        return self._dice.randbytes(count)

    def later(self, seconds: float, act: Callable[..., object], *arguments: Any) -> None:
        """Let the world do this, whoever asks for it."""
        self._loop.call_later(seconds, act, *arguments, context=Context())

    # The record

    def tell(self, line: str) -> None:
        """Something happened."""
        text = f"{self._loop.time():9.4f} {line}"
        self._trace.update(text.encode())
        if self._told is not None:
            self._told(text)

    def violate(self, what: str) -> None:
        """Something happened that must not."""
        self.violations.append(f"{self._loop.time():.4f} s: {what}")
        self.tell(f"VIOLATION {what}")

    def raised(self, where: str, error: BaseException) -> None:
        """The bank's code raised: fine where something was away, a defect otherwise."""
        self.tell(f"{where} raises {type(error).__name__}")
        for one in _leaves(error):
            if not isinstance(one, UNAVAILABLE):
                self.violate(f"{where} raises {one!r}")

    @property
    def trace(self) -> str:
        """The hash of everything told so far."""
        return self._trace.hexdigest()

    def called(self, verb: str) -> None:
        """A process has asked the database for something."""
        if verb in FLUSHING:
            self.database.read_models.flush()
        if verb == "commit" and (crash := self.faults.due(Kind.DATABASE_CRASH_AFTER_PAGE)):
            answered = HEARD_OF_LATENCY * self.plan.knobs.latency_seconds
            self.later(answered, self._crash_database, crash)

    def poisoned(self, model: ReadModel, key: Key) -> None:
        """A read model could not fold an event: this row stops."""
        self.parked.add((model.name, key))
        self.tell(f"{model.name} {key} is poisoned")

    def is_parked(self, name: str, first: str) -> bool:
        """Whether a row of a read model is stopped whose key begins so."""
        return any(model == name and key[0] == first for model, key in self.parked)

    def _committed(
        self, partition: int, recorded: Sequence[Recorded], appends: Sequence[Append]
    ) -> None:
        for event in recorded:
            self.tell(
                f"log {partition}/{event.position} {event.stream_id}@{event.version} "
                f"{event.type} {event.data}"
            )
            if PERSONAL in f"{event.meta}{event.data!r}":
                self.violate(f"{event.stream_id}@{event.version} tells personal data")
        self.books.committed(recorded, appends)
        for customer_id in sorted(self.books.erased):
            if self.key_service.vault.has_key(customer_id):
                self.violate(f"the log says that {customer_id} was erased, and there is a key")

    async def _before_commit(self, partition: int) -> None:
        slow = self.faults.due(Kind.SLOW_COMMIT)
        await self._loop.sleep(self.plan.knobs.commit_seconds * 2 * self._dice.random())
        if slow is not None:
            self.tell(f"the commit in partition {partition} takes {slow.seconds} s")
            await asyncio.sleep(slow.seconds)
        if self._refusing.get(partition, 0.0) > self._loop.time():
            raise LogUnavailableError("no space left on device")
        if self.faults.due(Kind.ROLLED_BACK):
            self.tell(f"the commit in partition {partition} is rolled back")
            raise LogUnavailableError("rolled back")

    # The faults that happen at their time

    def strike(self, fault: Fault) -> None:
        """Let a fault's time come: now, or from now on at its occasion."""
        self.tell(
            f"fault {fault.kind} of process {fault.process}: {fault.seconds} s, after {fault.count}"
        )
        if fault.kind in (Kind.CRASH, Kind.CRASH_AT_COMMIT, Kind.CRASH_AT_KEYS):
            self.processes[fault.process].down_seconds = max(DOWN_SECONDS_MIN, fault.seconds)
        act = self._AT_ONCE.get(fault.kind)
        if act is None:
            self.faults.arm(fault)
        else:
            act(self, fault)

    def heal(self) -> None:
        """The faults end: everybody lives, clocks are right, servers answer."""
        self.tell("the faults end")
        self.faults.disarm()
        self._refusing.clear()
        self.database.restart()
        self.key_service.is_up, self.key_service.slow = True, False
        for process in self.processes:
            process.move_clock(0.0)
            if process.life is not None:
                process.life.paused_until = 0.0
                process.life.dies_at_step = -1
            process.start()

    def _crash(self, fault: Fault) -> None:
        process = self.processes[fault.process]
        if process.life is None:
            return
        if fault.count:
            process.life.dies_at_step = process.life.steps + fault.count
        else:
            process.crash()

    def _pause(self, fault: Fault) -> None:
        life = self.processes[fault.process].life
        if life is not None:
            self.faults.happened(Kind.PAUSE)
            life.paused_until = self._loop.time() + fault.seconds

    def _move_clock(self, fault: Fault) -> None:
        self.faults.happened(Kind.CLOCK_JUMP)
        self.processes[fault.process].move_clock(fault.seconds)

    def _crash_database(self, fault: Fault) -> None:
        self.faults.happened(Kind.DATABASE_CRASH)
        lost = self.database.crash()
        self.tell(f"the database is killed, {lost} commits of read models with it")
        self.later(max(DOWN_SECONDS_MIN, fault.seconds), self.database.restart)

    def _steal_lease(self, fault: Fault) -> None:
        """Others may claim the partition; where there are none, somebody does who dies of it."""
        leases = self.database.leases.leases
        lease = leases[fault.count % len(leases)]
        if not lease.owner:
            return
        self.faults.happened(Kind.LEASE_STOLEN)
        lease.expires_at = float("-inf")
        if len(self.processes) == 1:
            lease.owner, lease.epoch = "a stranger", lease.epoch + 1
            lease.expires_at = self._loop.time() + LEASE_SECONDS

    def _lock_partition(self, fault: Fault) -> None:
        if self.database.is_up:
            self.faults.happened(Kind.PARTITION_LOCKED)
            self.database.lock(fault.count % self.plan.knobs.partitions, fault.seconds)

    def _refuse_partition(self, fault: Fault) -> None:
        self.faults.happened(Kind.PARTITION_AWAY)
        partition = fault.count % self.plan.knobs.partitions
        self._refusing[partition] = self._loop.time() + fault.seconds

    def _keys_away(self, fault: Fault) -> None:
        self.faults.happened(Kind.KEYS_AWAY)
        self.key_service.is_up = False
        self.key_service.generation += 1
        self.later(fault.seconds, setattr, self.key_service, "is_up", True)

    def _keys_slow(self, fault: Fault) -> None:
        self.faults.happened(Kind.KEYS_SLOW)
        self.key_service.slow = True
        self.later(fault.seconds, setattr, self.key_service, "slow", False)

    _AT_ONCE: ClassVar[Mapping[Kind, Callable[["World", Fault], None]]] = {
        Kind.CRASH: _crash,
        Kind.PAUSE: _pause,
        Kind.CLOCK_JUMP: _move_clock,
        Kind.DATABASE_CRASH: _crash_database,
        Kind.LEASE_STOLEN: _steal_lease,
        Kind.PARTITION_LOCKED: _lock_partition,
        Kind.PARTITION_AWAY: _refuse_partition,
        Kind.KEYS_AWAY: _keys_away,
        Kind.KEYS_SLOW: _keys_slow,
    }
