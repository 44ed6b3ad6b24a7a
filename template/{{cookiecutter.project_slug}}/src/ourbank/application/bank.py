"""Everything one process of the bank has, as the edges see it; bootstrap.py puts it together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from ..eventsourcing.engine import Engine
from ..eventsourcing.log import Log
from ..eventsourcing.saga import SagaDriver
from ..privacy.erasure import Eraser
from ..privacy.keyring import KeyRing
from .accounts import Accounts
from .clock import Calendar
from .consistency import Freshness
from .customers import Customers
from .idempotency import IdempotencyKeys
from .legal_holds import LegalHolds
from .parties import Parties
from .queries import Queries
from .transfers import Transfers


@dataclass(frozen=True, slots=True)
class Bank:
    """The services of one process."""

    log: Log
    engine: Engine
    driver: SagaDriver
    accounts: Accounts
    customers: Customers
    transfers: Transfers
    parties: Parties
    keyring: KeyRing
    eraser: Eraser
    legal_holds: LegalHolds
    signing_keys: tuple[Mapping[str, str], ...]
    """What verifies the receipts of erasures, as JWKs."""
    queries: Queries
    freshness: Freshness
    idempotency: IdempotencyKeys
    calendar: Calendar
    now: Callable[[], datetime]
