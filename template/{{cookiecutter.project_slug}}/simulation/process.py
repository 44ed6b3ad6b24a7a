"""A process of the bank: the application's own code, with the world behind its ports.

A `Life` is one start of it, from empty memory to its death. Of a dead one nothing runs any more:
no handler, no `finally`. What it sent before is on its way all the same.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import Context, copy_context
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from ourbank.application.bank import Bank
from ourbank.application.ports import Ports
from ourbank.application.request import RejectedError
from ourbank.bootstrap import assemble, assemble_worker
from ourbank.eventsourcing.event import Recorded
from ourbank.eventsourcing.log import LogUnavailableError
from ourbank.eventsourcing.metrics import NoMetrics
from ourbank.eventsourcing.projection import Key, ReadModel
from ourbank.privacy.receipt import ReceiptSigner
from ourbank.privacy.vault import VaultUnavailableError
from ourbank.readmodels import READ_MODELS

from .faults import Fault, Kind
from .loop import OWNER, running
from .wire import Wire, remote

if TYPE_CHECKING:
    from .world import World

SIGNER = ReceiptSigner(
    Ed25519PrivateKey.from_private_bytes(bytes(32)).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
)
"""A key for everybody: it signs for nobody real."""
INDEX = bytes(32)

Work = Callable[[Bank], Awaitable[Any]]


class UnansweredError(Exception):
    """Nobody knows whether it happened."""


class PoisonError(Exception):
    """What a read model says of an event that it cannot fold."""


class Life:
    """One start of a process. An Owner, as the loop knows them."""

    def __init__(self, world: "World", number: int, count: int, clock_ahead: float) -> None:
        self.alive = True
        self.paused_until = 0.0
        self.steps = 0
        self.dies_at_step = -1
        self.clock_ahead = clock_ahead
        """Seconds by which its wall clock is off."""
        self.number = number
        self.name = f"p{number}.{count}"
        self.bank: Bank
        self._world = world
        self._open: dict[asyncio.Future[Any], None] = {}
        self.context: Context = copy_context()
        self.context.run(OWNER.set, self)
        self.context.run(self._begin)

    def handle(self, work: Work, answer: "asyncio.Future[Any]") -> "asyncio.Task[None]":
        """A request has arrived: work on it, and send the answer back."""
        self._open[answer] = None
        handling = self._answered(work, answer)
        task = asyncio.get_running_loop().create_task(handling, context=self.context.copy())
        task.add_done_callback(lambda _: self._open.pop(answer, None))
        return task

    async def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Let it do something for us, as itself."""
        task = asyncio.get_running_loop().create_task(work, context=self.context.copy())
        return await task

    def tasks(self) -> list["asyncio.Task[Any]"]:
        """Everything that was begun in this life."""
        return [task for owner, task in running().tasks if owner is self]

    def die(self) -> None:
        """Everything stops where it is; who waits for an answer learns that there will be none."""
        self.alive = False
        for answer in self._open:
            if not answer.done():
                answer.set_exception(UnansweredError("the process is gone"))

    async def _answered(self, work: Work, answer: "asyncio.Future[Any]") -> None:
        try:
            result = await work(self.bank)
        except RejectedError as rejected:
            result = rejected
        except Exception as error:  # noqa: BLE001 (what the edge answers with a 5xx)
            self._world.raised(f"a request to {self.name}", error)
            result = UnansweredError(type(error).__name__)
        if not self._world.faults.due(Kind.RESPONSE_LOST):
            # sent: from here on it arrives, whatever becomes of the process
            self._world.later(self._world.latency(), _answer, answer, result)

    def _begin(self) -> None:
        """Put the bank together as bootstrap.py does, and let it work."""
        world, ports = self._world, self._ports()
        self.bank = assemble(world.settings, ports)
        models = [self._poisonable(model) for model in READ_MODELS]
        worker = assemble_worker(world.settings, ports, self.bank, self.name, models)
        self.bank.engine.start()
        asyncio.get_running_loop().create_task(self.bank.driver.run())
        worker.start()

    def _ports(self) -> Ports:
        world, database, keys = self._world, self._world.database, self._world.key_service
        common = self._happens, world.called, self.crash
        sql = Wire(database, LogUnavailableError, world.latency, *common)
        kms = Wire(keys, VaultUnavailableError, keys.latency, *common)
        return Ports(
            log=remote(database.log, sql),
            snapshots=remote(database.snapshots, sql),
            read_models=remote(database.read_models, sql),
            leases=remote(database.leases, sql),
            vault=remote(keys.vault, kms),
            queries=lambda _: remote(world.rows, sql),
            retained=remote(world.rows, sql),
            metrics=NoMetrics(),
            signer=SIGNER,
            index=INDEX,
            now=self.now,
            monotonic=asyncio.get_running_loop().time,
            entropy=world.entropy,
            on_connect=sql.on_connect,
        )

    def crash(self) -> None:
        """Die, and be started again after a while."""
        self._world.processes[self.number].crash()

    def _happens(self, kind: Kind) -> Fault | None:
        return self._world.faults.due(kind, self.number)

    def now(self) -> datetime:
        """What this process takes for the time."""
        return self._world.now() + timedelta(seconds=self.clock_ahead)

    def _poisonable(self, model: ReadModel) -> ReadModel:
        def evolve(row: Any, recorded: Recorded, key: Key) -> Any:
            if self._happens(Kind.POISON):
                self._world.poisoned(model, key)
                raise PoisonError
            return model.evolve(row, recorded, key)

        return replace(model, evolve=evolve)


class Process:
    """One that is started again when it died; its clock is the machine's, and outlives it."""

    def __init__(self, world: "World", number: int) -> None:
        self.number = number
        self._world = world
        self._count = 0
        self.clock_ahead = 0.0
        self.down_seconds = 0.0
        """How long it stays away once it has crashed."""
        self.life: Life | None = None

    def start(self) -> None:
        """Begin a life, unless there is one."""
        if self.life is None:
            self._count += 1
            self.life = Life(self._world, self.number, self._count, self.clock_ahead)
            self._world.tell(f"{self.life.name} starts")

    def crash(self) -> None:
        """End it, wherever it is."""
        if self.life is not None:
            self._world.tell(f"{self.life.name} is killed after {self.life.steps} steps")
            self._world.faults.happened(Kind.CRASH)
            self._world.dead.append(self.life)
            self.life.die()
            self.life = None
            self._world.later(self.down_seconds, self.start)

    def move_clock(self, seconds: float) -> None:
        """Let its wall clock be off by so much."""
        self.clock_ahead = seconds
        if self.life is not None:
            self.life.clock_ahead = seconds


def _answer(answer: "asyncio.Future[Any]", result: Any) -> None:
    if answer.done():
        return
    if isinstance(result, UnansweredError):
        answer.set_exception(result)
    else:
        answer.set_result(result)
