"""The one composition root: from settings to a running process."""

import asyncio
import gc
import os
import secrets
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from prometheus_client import CollectorRegistry
from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from .application import saga
from .application.accounts import Accounts
from .application.bank import Bank
from .application.clock import Calendar, clock
from .application.consistency import Freshness
from .application.customers import Customers
from .application.idempotency import IdempotencyKeys
from .application.legal_holds import LegalHolds
from .application.parties import Parties
from .application.ports import Ports
from .application.queries import SqlQueries
from .application.retained import SqlRetained
from .application.transfers import Transfers
from .application.worker import Worker
from .config import Settings
from .domain import account, customer, transfer
from .eventsourcing.aggregate import Aggregate, Aggregates
from .eventsourcing.codec import Codec
from .eventsourcing.connections import replace_broken_connections, tell_of_connections
from .eventsourcing.engine import Engine
from .eventsourcing.follower import Follower
from .eventsourcing.ids import Ids
from .eventsourcing.lease import Leases
from .eventsourcing.postgres import PostgresLog, PostgresSnapshots
from .eventsourcing.postgres_projection import PostgresLeases, PostgresReadModels
from .eventsourcing.projection import Projector, ReadModel
from .eventsourcing.saga import SagaDriver
from .eventsourcing.upcasting import Upcasting
from .observability.metrics import LoopMetrics, WorkerCollector
from .privacy.blind_index import BlindIndex
from .privacy.erasure import Eraser
from .privacy.kek import LocalKeyEncryption
from .privacy.keyring import KeyRing
from .privacy.postgres import PostgresKeyVault
from .privacy.receipt import ReceiptSigner
from .privacy.sealing import Entropy
from .readmodels import READ_MODELS
from .secrets_store import Secrets

AGGREGATES = Aggregates(
    [
        Aggregate("acc", account.Account, account.evolve, account.EVENTS),
        Aggregate("cus", customer.Customer, customer.evolve, customer.EVENTS),
        Aggregate(
            "trf",
            transfer.Transfer,
            transfer.evolve,
            transfer.EVENTS,
            has_ended=lambda state: state.has_ended,
        ),
    ]
)
"""Every kind of stream, by the prefix of its ids."""
CODEC = Codec(AGGREGATES.event_types, Upcasting())
"""Today's shapes; a changed one gets its upcaster here (eventsourcing/upcasting.py)."""


@dataclass(frozen=True, slots=True)
class Running:
    """A process of the bank that has been started."""

    bank: Bank
    database: AsyncEngine
    worker: Worker | None
    registry: CollectorRegistry


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the databases are."""

    events: URL
    keys: URL


CALL_SECONDS_MAX = 5.0
"""The longest that a call to a database may take before it counts as unanswered. Without an end,
one connection that hangs would keep everybody waiting who shares its answer.
"""
IDLE_SECONDS_MAX = 1.0
"""The longest that a transaction may be open without being used: a process that was stopped in the
middle of one would keep its locks, and its successor waiting, until it goes on.
"""


@asynccontextmanager
async def running(
    settings: Settings,
    addresses: Addresses,
    *,
    with_worker: bool,
    call_seconds_max: float | None = CALL_SECONDS_MAX,
) -> AsyncIterator[Running]:
    """Start a process of the bank; leaving finishes what was accepted and stops it.

    Operators ask for what takes its time: they give no `call_seconds_max`.
    """
    _tune_garbage_collection()
    limits = {"statement_timeout": call_seconds_max}
    brief = {"idle_in_transaction_session_timeout": IDLE_SECONDS_MAX}
    database = _engine(addresses.events, settings.partitions + 12, limits | brief)
    keys_database = _engine(addresses.keys, 4, limits)  # a transaction may wait for the key service
    try:
        registry = CollectorRegistry()
        ports = await _ports(settings, database, keys_database, registry)
        bank = assemble(settings, ports)
        worker = _worker(settings, ports, bank, registry) if with_worker else None
        async with started(bank, worker):
            yield Running(bank, database, worker, registry)
    finally:
        await database.dispose()
        await keys_database.dispose()


def _tune_garbage_collection() -> None:
    """States and events in memory form no cycles: do not look for them over and over."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _engine(url: URL, connection_count: int, limits: Mapping[str, float | None]) -> AsyncEngine:
    """Limits are PostgreSQL's settings of a session, in seconds; None for no limit."""
    engine = create_async_engine(
        url,
        pool_size=connection_count,
        max_overflow=0,
        pool_timeout=5,
        hide_parameters=True,
        connect_args=_session(url, limits),
    )
    replace_broken_connections(engine)
    return engine


def _session(url: URL, limits: Mapping[str, float | None]) -> dict[str, Any]:
    """The limits as the driver takes them. asyncpg also gives up by itself, for a server that does
    not answer cannot say that it gave up either.
    """
    settings = {name: f"{seconds * 1000:.0f}" for name, seconds in limits.items() if seconds}
    if url.get_driver_name() == "asyncpg":
        seconds = limits["statement_timeout"]
        return {
            "server_settings": settings,
            "command_timeout": seconds,
            "timeout": CALL_SECONDS_MAX,
        }
    given = url.normalized_query.get("options", ())
    ours = [f"-c {name}={value}" for name, value in settings.items()]  # of equals the last counts
    options = " ".join([*given, *ours])
    return {"options": options, "connect_timeout": round(CALL_SECONDS_MAX)}


async def _ports(
    settings: Settings,
    database: AsyncEngine,
    keys_database: AsyncEngine,
    registry: CollectorRegistry,
) -> Ports:
    """The world as production finds it."""
    secret = Secrets(settings.secrets_dir)
    return Ports(
        log=await PostgresLog.open(database, CODEC, settings.partitions),
        snapshots=PostgresSnapshots(database),
        read_models=PostgresReadModels(database),
        leases=PostgresLeases(database),
        vault=PostgresKeyVault(keys_database, LocalKeyEncryption(secret.epochs)),
        queries=partial(SqlQueries, database),
        retained=SqlRetained(database, settings.retention_days),
        metrics=LoopMetrics(registry),
        signer=ReceiptSigner(secret.receipt_key),
        index=secret.index,
        now=clock(settings.clock_ahead_seconds),
        monotonic=time.monotonic,
        entropy=os.urandom,
        on_connect=partial(tell_of_connections, database),
    )


def assemble(settings: Settings, ports: Ports) -> Bank:
    """The services of one process on whatever world it is given."""
    now, entropy = ports.now, ports.entropy
    calendar = _calendar(settings, now)
    ids = Ids(lambda: int(now().timestamp() * 1000), partial(_random_bits, entropy))
    engine = Engine(
        ports.log,
        ports.snapshots,
        AGGREGATES,
        CODEC,
        ports.metrics,
        cache_size=settings.cached_aggregates_max,
        snapshot_every=settings.snapshot_every,
    )
    driver = SagaDriver(saga.TransferSaga(), engine.submit, now)
    keyring = KeyRing(ports.vault, ports.monotonic)
    parties = Parties(engine, keyring, entropy)
    customers = Customers(engine, ids, keyring, now, entropy)
    eraser = _eraser(ports, keyring, customers)
    freshness = Freshness(ports.read_models)
    ports.on_connect(freshness.doubt)
    return Bank(
        log=ports.log,
        engine=engine,
        driver=driver,
        accounts=Accounts(engine, ids, calendar, parties, customers, now),
        customers=customers,
        transfers=Transfers(engine, driver, ids, calendar, parties, now),
        parties=parties,
        keyring=keyring,
        eraser=eraser,
        legal_holds=LegalHolds(customers, eraser),
        signing_keys=(ports.signer.public_jwk,),
        queries=ports.queries(parties),
        freshness=freshness,
        idempotency=IdempotencyKeys(BlindIndex(ports.index, "idempotency")),
        calendar=calendar,
        now=now,
    )


def assemble_worker(
    settings: Settings,
    ports: Ports,
    bank: Bank,
    owner: str,
    models: Sequence[ReadModel] = READ_MODELS,
) -> Worker:
    """What runs behind the services; `owner` names this process among those that hold leases."""
    store, feeds = ports.read_models, bank.engine.feeds
    projector = Projector(models, store, feeds, bank.freshness.advanced)
    follower = Follower(
        "saga:transfers", feeds, store, saga.milestone, bank.transfers.pick_up, bank.now
    )
    leases = Leases(owner, ports.leases, [projector, follower])
    return Worker(bank, leases, projector, follower, settings.poll_seconds)


@asynccontextmanager
async def started(bank: Bank, worker: Worker | None) -> AsyncIterator[None]:
    """Let a process work; leaving finishes what was accepted."""
    bank.engine.start()
    driving = asyncio.create_task(bank.driver.run())
    if worker is not None:
        worker.start()
    try:
        yield
    finally:
        driving.cancel()
        if worker is not None:
            await worker.stop()
        await bank.engine.stop()


def _worker(settings: Settings, ports: Ports, bank: Bank, registry: CollectorRegistry) -> Worker:
    owner = f"{socket.gethostname()}:{secrets.token_hex(6)}"
    worker = assemble_worker(settings, ports, bank, owner)
    names = [model.name for model in READ_MODELS]
    follower, feeds = worker.follower, bank.engine.feeds
    registry.register(WorkerCollector(names, feeds, bank.freshness, follower, bank.now))
    return worker


def _random_bits(entropy: Entropy, count: int) -> int:
    return int.from_bytes(entropy((count + 7) // 8)) >> -count % 8


def _calendar(settings: Settings, now: Callable[[], datetime]) -> Calendar:
    return Calendar(
        now=now,
        zone=ZoneInfo(settings.timezone),
        cut_off=settings.cut_off,
        back_days_max=settings.value_date_back_days_max,
        ahead_days_max=settings.value_date_ahead_days_max,
        fixed=settings.business_date,
    )


def _eraser(ports: Ports, keyring: KeyRing, customers: Customers) -> Eraser:
    retained = ports.retained

    async def obligations(customer_id: str) -> Iterable[date]:
        holds = await customers.obligations(customer_id)
        return [*holds, *await retained.obligations(customer_id)]

    return Eraser(
        keyring,
        ports.signer,
        obligations=obligations,
        purges={"entries": retained.purge_entries, "transfers": retained.purge_transfers},
        record=customers.record_erasure,
        now=ports.now,
        new_id=lambda: ports.entropy(16).hex(),
    )
