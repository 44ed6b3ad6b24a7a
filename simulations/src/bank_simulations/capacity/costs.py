"""What the model is made of: the costs of each stage, and how a bank is laid out."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = 3
"""A transfer is three commands: hold the amount, credit the payee, settle."""
EVENTS = 5
"""Of so many events: requested and held; credited; debited and completed."""
BATCH_MAX = 500
PASS_SECONDS_MIN = 0.02
POLL_SECONDS = 0.005
SPARE_CONNECTIONS = 12
"""The bank's own settings: commands of a batch, from one projection pass to the next, how often a
process looks for what others have appended, and its connections beyond one for each partition.
"""


@dataclass(frozen=True, slots=True)
class Costs:
    """Seconds of processor time, unless said otherwise; `variation` has no unit.

    Attributes:
        request: API: one transfer over HTTP, with its three commands and its answer.
        look: API: one read of a history.
        batch: API: one batch appended, whatever is in it.
        projection: worker: one projection pass, whatever is in it.
        fold: worker: one event read and folded into the read models. A second API process pays
            as much for each event that another one appended.
        write: database: one durable transaction, whatever is in it.
        row: database: one event appended or projected, or one read.
        flush: no processor: what a transaction waits until it is on disk.
        observer: load generator: one request sent and its answer read.
        variation: the squared coefficient of variation of every job's length.
    """

    request: float
    look: float
    batch: float
    projection: float
    fold: float
    write: float
    row: float
    flush: float
    observer: float
    variation: float

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The costs in their order."""
        return tuple(each.name for each in fields(cls))

    @classmethod
    def from_logs(cls, logs: Sequence[float]) -> Self:
        """From natural logarithms, in which costs are fitted."""
        return cls(*(math.exp(each) for each in logs))

    def logs(self) -> list[float]:
        """As natural logarithms."""
        return [math.log(each) for each in asdict(self).values()]


GUESS = Costs(
    request=2.0e-3,
    look=1.0e-3,
    batch=0.6e-3,
    projection=3.0e-3,
    fold=30e-6,
    write=0.5e-3,
    row=60e-6,
    flush=1.0e-3,
    observer=0.6e-3,
    variation=0.3,
)
"""What a cost is before anything is measured: the budgets of the design, and the profiles in
docs/internals/performance.md.
"""
DOUBT = dict.fromkeys(Costs.names(), math.log(3.0))
"""How far the guess may be off, as one standard deviation of the logarithm: three times either way.
"""


@dataclass(frozen=True, slots=True)
class Layout:
    """Which processes a bank runs as, and on what.

    Attributes:
        api_count: processes of the API.
        worker_count: processes of the workers; 0 when the one API process does their work too.
        partition_count: partitions of the log.
        machine_cores: cores that everything shares, the load generator too; 0 when every process
            has a core of its own.
        database_cores: cores of the database; counts only where nothing is shared.
    """

    api_count: int = 1
    worker_count: int = 0
    partition_count: int = 4
    machine_cores: int = 2
    database_cores: int = 4

    def __post_init__(self) -> None:
        if self.api_count > 1 and not self.worker_count:
            raise ValueError("several API processes need workers of their own")

    @property
    def connection_count(self) -> int:
        """Connections to the database that holds the log, when every process has all of its own."""
        each = self.partition_count + SPARE_CONNECTIONS
        return (self.api_count + self.worker_count) * each
