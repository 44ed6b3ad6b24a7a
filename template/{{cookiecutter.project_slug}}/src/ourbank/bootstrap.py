"""The one composition root: from settings to a running process."""

import asyncio
import gc
import secrets
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
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
from .application.queries import Queries
from .application.retained import Retained
from .application.transfers import Transfers
from .application.worker import Worker
from .config import Settings
from .domain import account, customer, transfer
from .eventsourcing.aggregate import Aggregate, Aggregates
from .eventsourcing.codec import Codec
from .eventsourcing.engine import Engine
from .eventsourcing.follower import Follower
from .eventsourcing.ids import Ids
from .eventsourcing.lease import Leases
from .eventsourcing.postgres import PostgresLog, PostgresSnapshots
from .eventsourcing.postgres_projection import PostgresLeases, PostgresReadModels
from .eventsourcing.projection import Projector
from .eventsourcing.saga import SagaDriver
from .eventsourcing.upcasting import Upcasting
from .observability.metrics import LoopMetrics, WorkerCollector
from .privacy.blind_index import BlindIndex
from .privacy.erasure import Eraser
from .privacy.kek import LocalKeyEncryption
from .privacy.keyring import KeyRing
from .privacy.postgres import PostgresKeyVault
from .privacy.receipt import ReceiptSigner
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


@asynccontextmanager
async def running(
    settings: Settings, addresses: Addresses, *, with_worker: bool
) -> AsyncIterator[Running]:
    """Start a process of the bank; leaving finishes what was accepted and stops it."""
    _tune_garbage_collection()
    database = _engine(addresses.events, settings.partitions + 12)
    keys_database = _engine(addresses.keys, 4)
    try:
        log = await PostgresLog.open(database, CODEC, settings.partitions)
        registry = CollectorRegistry()
        bank = _bank(settings, log, database, keys_database, registry)
        worker = _worker(bank, database, registry) if with_worker else None
        async with _started(bank, worker):
            yield Running(bank, database, worker, registry)
    finally:
        await database.dispose()
        await keys_database.dispose()


def _tune_garbage_collection() -> None:
    """States and events in memory form no cycles: do not look for them over and over."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _engine(url: URL, connection_count: int) -> AsyncEngine:
    return create_async_engine(
        url, pool_size=connection_count, max_overflow=0, pool_timeout=5, hide_parameters=True
    )


@asynccontextmanager
async def _started(bank: Bank, worker: Worker | None) -> AsyncIterator[None]:
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


def _bank(
    settings: Settings,
    log: PostgresLog,
    database: AsyncEngine,
    keys_database: AsyncEngine,
    registry: CollectorRegistry,
) -> Bank:
    secret = Secrets(settings.secrets_dir)
    now = clock(settings.clock_ahead_seconds)
    calendar = _calendar(settings, now)
    ids = Ids(lambda: time.time_ns() // 1_000_000)
    engine = Engine(
        log,
        PostgresSnapshots(database),
        AGGREGATES,
        CODEC,
        LoopMetrics(registry),
        cache_size=settings.cached_aggregates_max,
        snapshot_every=settings.snapshot_every,
    )
    driver = SagaDriver(saga.TransferSaga(), engine.submit, now)
    vault = PostgresKeyVault(keys_database, LocalKeyEncryption(secret.epochs))
    keyring = KeyRing(vault, time.monotonic)
    parties = Parties(engine, keyring)
    customers = Customers(engine, ids, keyring, now)
    signer = ReceiptSigner(secret.receipt_key)
    eraser = _eraser(settings, signer, keyring, customers, database, now)
    return Bank(
        log=log,
        engine=engine,
        driver=driver,
        accounts=Accounts(engine, ids, calendar, parties, customers, now),
        customers=customers,
        transfers=Transfers(engine, driver, ids, calendar, parties, now),
        parties=parties,
        keyring=keyring,
        eraser=eraser,
        legal_holds=LegalHolds(customers, eraser),
        signing_keys=(signer.public_jwk,),
        queries=Queries(database, parties),
        freshness=Freshness(PostgresReadModels(database)),
        idempotency=IdempotencyKeys(BlindIndex(secret.index, "idempotency")),
        calendar=calendar,
        now=now,
    )


def _calendar(settings: Settings, now: Callable[[], datetime]) -> Calendar:
    return Calendar(
        now=now,
        zone=ZoneInfo(settings.timezone),
        cut_off=settings.cut_off,
        back_days_max=settings.value_date_back_days_max,
        ahead_days_max=settings.value_date_ahead_days_max,
        fixed=settings.business_date,
    )


def _eraser(
    settings: Settings,
    signer: ReceiptSigner,
    keyring: KeyRing,
    customers: Customers,
    database: AsyncEngine,
    now: Callable[[], datetime],
) -> Eraser:
    retained = Retained(database, settings.retention_days)

    async def obligations(customer_id: str) -> Iterable[date]:
        holds = await customers.obligations(customer_id)
        return [*holds, *await retained.obligations(customer_id)]

    return Eraser(
        keyring,
        signer,
        obligations=obligations,
        purges={"entries": retained.purge_entries, "transfers": retained.purge_transfers},
        record=customers.record_erasure,
        now=now,
        new_id=partial(secrets.token_hex, 16),
    )


def _worker(bank: Bank, database: AsyncEngine, registry: CollectorRegistry) -> Worker:
    store = PostgresReadModels(database)
    feeds = bank.engine.feeds
    projector = Projector(READ_MODELS, store, feeds, bank.freshness.advanced)
    follower = Follower(
        "saga:transfers", feeds, store, saga.milestone, bank.transfers.pick_up, bank.now
    )
    owner = f"{socket.gethostname()}:{secrets.token_hex(6)}"
    leases = Leases(owner, PostgresLeases(database), [projector, follower])
    names = [model.name for model in READ_MODELS]
    registry.register(WorkerCollector(names, feeds, bank.freshness, follower, bank.now))
    return Worker(bank, leases, projector, follower)
