"""The write side of one process: a loop and a feed for each partition."""

import asyncio
from collections.abc import Sequence

from .aggregate import Aggregates, Versioned
from .codec import Codec
from .command import Command, Decide, Read, Result
from .event import Recorded
from .ids import partition_of
from .log import Log, SnapshotStore
from .metrics import Metrics
from .partition import PartitionLoop
from .subscription import Feed


class Engine:
    """Executes commands and reads states; `start()` it, and `stop()` to finish what was
    accepted.
    """

    def __init__(
        self,
        log: Log,
        snapshots: SnapshotStore,
        aggregates: Aggregates,
        codec: Codec,
        metrics: Metrics,
        *,
        cache_size: int = 100_000,
        snapshot_every: int = 500,
    ) -> None:
        self.log = log
        self.feeds = [Feed(number, log) for number in range(log.partition_count)]
        self._loops = [
            PartitionLoop(
                number,
                log,
                snapshots,
                aggregates,
                codec,
                self._publish,
                metrics,
                cache_size=max(1, cache_size // log.partition_count),
                snapshot_every=snapshot_every,
            )
            for number in range(log.partition_count)
        ]
        self._tasks: list[asyncio.Task[None]] = []

    def _publish(self, partition: int, head: int, events: Sequence[Recorded]) -> None:
        self.feeds[partition].publish(head, events)

    def start(self) -> None:
        """Begin to execute."""
        self._tasks = [asyncio.create_task(loop.run()) for loop in self._loops]

    async def stop(self) -> None:
        """Accept nothing more, finish what was accepted."""
        for loop in self._loops:
            loop.close()
        await asyncio.gather(*self._tasks)

    def partition_of(self, stream_id: str) -> int:
        """Where a stream lives."""
        return partition_of(stream_id, self.log.partition_count)

    def submit(self, command: Command) -> None:
        """Queue a command; its callbacks tell what came of it."""
        self._loops[self.partition_of(command.streams[0])].submit(command)

    async def execute(
        self,
        streams: tuple[str, ...],
        decide: Decide,
        meta: str,
        *,
        key: str | None = None,
        fingerprint: str = "",
        if_version: int | None = None,
        is_new: bool = False,
    ) -> Result:
        """Execute a command and wait for its result; see Command for the arguments."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()

        def done(result: Result) -> None:
            if not future.done():  # who asked may have left
                future.set_result(result)

        def failed(error: Exception) -> None:
            if not future.done():
                future.set_exception(error)

        command = Command(streams, decide, meta, done, failed, key, fingerprint, if_version, is_new)
        self.submit(command)
        return await future

    async def read(self, stream_id: str) -> Versioned:
        """The state of a stream, no older than this call: a strong read."""
        future: asyncio.Future[Versioned] = asyncio.get_running_loop().create_future()
        self._loops[self.partition_of(stream_id)].submit(Read(stream_id, future))
        return await future

    def peek(self, stream_id: str) -> Versioned | None:
        """The state as this process last knew it, if it does: for what never changes of it."""
        return self._loops[self.partition_of(stream_id)].peek(stream_id)
