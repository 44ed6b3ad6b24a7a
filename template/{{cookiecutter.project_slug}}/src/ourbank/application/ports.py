"""What a process of the bank meets outside itself: stores, clocks and chance.

bootstrap.py fills it from the settings. A simulation fills it with the world it drives: everything
above this line is the same code in both.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ..eventsourcing.follower import CheckpointStore
from ..eventsourcing.lease import LeaseStore
from ..eventsourcing.log import Log, SnapshotStore
from ..eventsourcing.metrics import Metrics
from ..eventsourcing.projection import ReadModelStore
from ..privacy.receipt import ReceiptSigner
from ..privacy.sealing import Entropy
from ..privacy.vault import KeyVault
from .consistency import Checkpoints
from .parties import Parties
from .queries import Queries
from .retained import Retained


class ReadModels(ReadModelStore, CheckpointStore, Checkpoints, Protocol):
    """Rows and checkpoints, as all who follow the log need them."""


@dataclass(frozen=True, slots=True)
class Ports:
    """`now` is the wall clock, `monotonic` counts seconds from anywhere, `entropy` gives random
    bytes; `index` is the secret that idempotency keys are derived from. `on_connect` has a listener
    told of each new connection to the database, before it is used.
    """

    log: Log
    snapshots: SnapshotStore
    read_models: ReadModels
    leases: LeaseStore
    vault: KeyVault
    queries: Callable[[Parties], Queries]
    retained: Retained
    metrics: Metrics
    signer: ReceiptSigner
    index: bytes
    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    entropy: Entropy
    on_connect: Callable[[Callable[[], None]], None]
