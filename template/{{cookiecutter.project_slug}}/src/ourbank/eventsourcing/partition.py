"""The loop that executes commands, one for each partition and process.

Take all waiting commands → load the states that are missing → decide each against the state left
by the one before → append everything in one call → answer everybody → hand the new events on.
While a batch is in flight the next one gathers: batching needs no timer, adds no latency when
idle, and makes a hot account cheaper.

Correctness never depends on who else writes to the partition: the append compares versions, and
what turns out to be stale is loaded and decided again.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from ..domain.rejection import Rejection
from .aggregate import Aggregates, StateCache, Versioned
from .codec import Codec
from .command import Command, Decision, Read, Result
from .event import EventData, Recorded
from .log import Append, Appended, Log, Outcome, Snapshot, SnapshotStore, StreamRange, loaded
from .metrics import Metrics

BATCH_MAX = 500
"""Commands decided and appended together."""
WAITING_MAX = 20_000
"""Commands that may wait for one partition; more are turned away at once."""
FOREIGN_MAX = 5_000
"""Events of other processes folded into the cache; when there are more the cache is dropped
instead.
"""

VERSION_MISMATCH = "version-mismatch"
KEY_REUSED = "idempotency-key-reused"


class OverloadedError(Exception):
    """Too many commands are waiting; nothing was done, try again later."""


class ClosedError(Exception):
    """The loop is shutting down; nothing was done."""


logger = logging.getLogger(__name__)

Publish = Callable[[int, int, Sequence[Recorded]], None]
"""Called with a partition, the head before, and the events that follow it."""


@dataclass(slots=True)
class _Decided:
    """A command with what it appends; `events` are those of the append, not encoded."""

    command: Command
    append: Append
    events: Sequence[Any]
    after: Versioned
    """The primary stream when it is accepted."""
    rejection: Rejection | None = None


@dataclass(slots=True)
class _Batch:
    """Commands decided together, and the states they leave when all are accepted."""

    states: dict[str, Versioned]
    decided: list[_Decided] = field(default_factory=list)
    left_over: list[Command] = field(default_factory=list)


class PartitionLoop:
    """Executes the commands on one partition's streams. `run()` is its life."""

    def __init__(
        self,
        number: int,
        log: Log,
        snapshots: SnapshotStore,
        aggregates: Aggregates,
        codec: Codec,
        publish: Publish,
        metrics: Metrics,
        *,
        cache_size: int,
        snapshot_every: int,
    ) -> None:
        self.number = number
        self._log = log
        self._snapshots = snapshots
        self._aggregates = aggregates
        self._codec = codec
        self._publish = publish
        self._metrics = metrics
        self._snapshot_every = snapshot_every
        self._cache = StateCache(cache_size)
        self._head = -1  # up to which position the cache is known to be current; -1 when it is not
        self._waiting: deque[Command | Read] = deque()
        self._wake = asyncio.Event()
        self._saving: set[asyncio.Task[None]] = set()
        self._closing = False

    def submit(self, item: Command | Read) -> None:
        """Queue a command or a read; OverloadedError when too many wait, ClosedError at
        shutdown.
        """
        if self._closing:
            raise ClosedError
        if len(self._waiting) >= WAITING_MAX:
            raise OverloadedError
        self._waiting.append(item)
        self._wake.set()

    def close(self) -> None:
        """Accept nothing more; `run()` returns when what was accepted is done."""
        self._closing = True
        self._wake.set()

    def peek(self, stream_id: str) -> Versioned | None:
        """The state as last known here, which may be old; None when it is not in memory."""
        return self._cache.get(stream_id)

    async def run(self) -> None:
        """Execute batch after batch. A fault fails its batch and leaves nothing behind."""
        while self._waiting or not self._closing:
            if not self._waiting:
                self._wake.clear()
                await self._wake.wait()
                continue
            count = min(len(self._waiting), BATCH_MAX)
            items = [self._waiting.popleft() for _ in range(count)]
            try:
                await self._execute(items)
            except Exception as error:  # noqa: BLE001 (whoever asked is told; the loop must go on)
                self._forget()
                for item in items:
                    item.fail(error)
        await asyncio.gather(*self._saving)

    async def _execute(self, items: Sequence[Command | Read]) -> None:
        """One batch, numbered as in the module's first sentence; stale commands go round again."""
        reads = [item for item in items if isinstance(item, Read)]
        commands = [item for item in items if isinstance(item, Command)]
        # 1. see what others have written, when somebody must not miss it
        if reads or self._head < 0:
            await self._catch_up((await self._log.heads())[self.number])
        # 2. load
        states = await self._load(_streams(items))
        for read in reads:
            read.answer(states[read.stream])
        while commands:
            # 3. decide
            batch = self._decide(commands, states)
            # 4. append
            appended = await self._append([each.append for each in batch.decided])
            await self._catch_up(appended.head)
            # 5. answer, and hand on
            self._settle(batch, appended)
            await self._replay([batch.decided[i].command for i in sorted(appended.duplicate)])
            # what was stale goes round again
            stale = [batch.decided[i].command for i in sorted(appended.stale)]
            for command in stale:
                command.is_new = False  # whatever it was thought to be: look
            commands = stale + batch.left_over
            states = await self._load(_streams(commands))

    async def _append(self, appends: Sequence[Append]) -> Appended:
        clock = asyncio.get_running_loop().time
        started = clock()
        appended = await self._log.append(self.number, appends, self._head)
        event_count = sum(len(append.events) for append in appends)
        self._metrics.appended(self.number, clock() - started, len(appends), event_count)
        return appended

    # Load

    async def _load(self, streams: Iterable[str]) -> dict[str, Versioned]:
        """The states of these streams: from the cache, else from snapshot and events."""
        states = {stream: self._cache.get(stream) for stream in streams}
        missing = [stream for stream, state in states.items() if state is None]
        if missing:
            folded = await self._fold_stored(missing)
            self._cache.update(folded)
            states.update(folded)
        return states  # type: ignore[return-value]

    async def _fold_stored(self, streams: Sequence[str]) -> dict[str, Versioned]:
        states = {stream: self._aggregates.initial(stream) for stream in streams}
        for snapshot in await self._snapshots.load(streams):
            states[snapshot.stream_id] = (
                self._aggregates.from_snapshot(snapshot) or states[snapshot.stream_id]
            )
        ranges = [StreamRange(stream, state.version) for stream, state in states.items()]
        async for recorded in loaded(self._log, ranges):
            stream = recorded.stream_id
            states[stream] = self._aggregates.fold(states[stream], (recorded,))
        return states

    async def _catch_up(self, head: int) -> None:
        """Bring the cache to `head`: fold in what other processes appended meanwhile."""
        if self._head < 0:
            self._cache.clear()
        elif head > self._head:
            foreign = await self._log.read(
                self.number, self._head, min(head - self._head, FOREIGN_MAX)
            )
            self._publish(self.number, self._head, foreign)
            if self._head + len(foreign) < head:
                self._cache.clear()
            else:
                self._fold_foreign(foreign)
        self._head = head

    def _fold_foreign(self, foreign: Sequence[Recorded]) -> None:
        for recorded in foreign:
            cached = self._cache.get(recorded.stream_id)
            if cached is not None and recorded.version == cached.version + 1:
                folded = self._aggregates.fold(cached, (recorded,))
                self._cache.update({recorded.stream_id: folded})

    def _forget(self) -> None:
        """After a fault: what was in flight may or may not have happened."""
        self._head = -1
        self._cache.clear()

    # Decide

    def _decide(self, commands: Sequence[Command], states: Mapping[str, Versioned]) -> _Batch:
        """Decide in order, each on what the ones before leave; equal keys wait for the next
        round.
        """
        batch = _Batch(dict(states))
        keys: set[str | None] = set()
        for command in commands:
            if command.key is not None and command.key in keys:
                batch.left_over.append(command)
                continue
            keys.add(command.key)
            try:
                batch.decided.append(self._decide_one(command, batch.states))
            except Exception as error:  # a defect of this decision is no fault of the others
                logger.exception("a decision raised; its command fails")
                command.fail(error)
        return batch

    def _decide_one(self, command: Command, states: dict[str, Versioned]) -> _Decided:
        before = [states.get(s) or self._aggregates.initial(s) for s in command.streams]
        expected = [(s, at.version) for s, at in zip(command.streams, before, strict=True)]
        decision = _decision(command, before)
        if isinstance(decision, Rejection):
            stored = msgspec.json.encode(decision).decode()
            append = Append(expected, (), command.key, command.fingerprint, stored)
            return _Decided(command, append, (), before[0], decision)
        after: dict[str, Versioned] = {}
        data = [
            self._evolve(stream, event, command.meta, states, after) for stream, event in decision
        ]
        states.update(after)
        append = Append(expected, data, command.key, command.fingerprint)
        primary = after.get(command.streams[0], before[0])
        return _Decided(command, append, [event for _, event in decision], primary)

    def _evolve(
        self,
        stream: str,
        event: object,
        meta: str,
        states: Mapping[str, Versioned],
        after: dict[str, Versioned],
    ) -> EventData:
        """The event encoded in its place; `after` is moved past it."""
        version, state = after.get(stream) or states.get(stream) or self._aggregates.initial(stream)
        version += 1
        after[stream] = Versioned(version, self._aggregates.of(stream).evolve(state, event))
        event_type, schema_version, data = self._codec.encode(event)
        return EventData(stream, version, event_type, schema_version, meta, data)

    # Answer

    def _settle(self, batch: _Batch, appended: Appended) -> None:
        """Number what was appended, keep the new states, hand the events on, answer."""
        refused = appended.stale | appended.duplicate
        accepted = [each for i, each in enumerate(batch.decided) if i not in refused]
        recorded: list[Recorded] = []
        results = [self._result(each, appended, recorded) for each in accepted]
        # what rests on a refused append, or on a stale version, stands on sand: load it again
        sand = {e.stream_id for i in refused for e in batch.decided[i].append.events}
        sand |= {s for i in appended.stale for s, _ in batch.decided[i].append.expected}
        written = dict.fromkeys(e.stream_id for e in recorded if e.stream_id not in sand)
        self._keep({stream: batch.states[stream] for stream in written}, recorded)
        self._cache.drop(sand)
        self._head = appended.head + len(recorded)
        if appended.stale:
            self._metrics.conflicted(self.number, len(appended.stale))
        self._publish(self.number, appended.head, recorded)
        for each, result in zip(accepted, results, strict=True):
            each.command.answer(result)

    def _result(self, decided: _Decided, appended: Appended, recorded: list[Recorded]) -> Result:
        """The result of an accepted append; its events join `recorded` in their places."""
        first = len(recorded)
        position = appended.head + first
        for data, event in zip(decided.append.events, decided.events, strict=True):
            position += 1
            stream, version, event_type, schema_version, meta, encoded = data
            recorded.append(
                Recorded(
                    self.number,
                    position,
                    stream,
                    version,
                    event_type,
                    schema_version,
                    appended.recorded_at,
                    meta,
                    encoded,
                    event,
                )
            )
        version, state = decided.after
        return Result(version, position, recorded[first:], decided.rejection, state=state)

    def _keep(self, states: Mapping[str, Versioned], recorded: Sequence[Recorded]) -> None:
        """Bring the cache up to what was appended, and write the snapshots that are due."""
        of = self._aggregates.of
        ended = {s for s, at in states.items() if at.state and of(s).has_ended(at.state)}
        self._cache.update({s: at for s, at in states.items() if s not in ended})
        self._cache.drop(ended)
        every = self._snapshot_every
        due = sorted(
            {e.stream_id for e in recorded if e.version % every == 0} & states.keys() - ended
        )
        if due:
            snapshots = [self._aggregates.snapshot(stream, states[stream]) for stream in due]
            saving = asyncio.create_task(self._save(snapshots))
            self._saving.add(saving)
            saving.add_done_callback(self._saving.discard)

    async def _save(self, snapshots: Sequence[Snapshot]) -> None:
        try:
            await self._snapshots.save(snapshots)
        except Exception as error:  # noqa: BLE001 (losing one costs time, nothing else)
            logger.warning("snapshots cannot be written: %s", type(error).__name__)

    async def _replay(self, commands: Sequence[Command]) -> None:
        """Answer again what was answered before under these keys."""
        if not commands:
            return
        outcomes = await self._log.outcomes([c.key for c in commands if c.key is not None])
        ranges = [
            StreamRange(o.stream_id, o.version, o.version + o.event_count)
            for o in outcomes.values()
            if o.event_count
        ]
        events = [recorded async for recorded in loaded(self._log, ranges)]
        for command in commands:
            assert command.key is not None  # noqa: S101 (only a keyed append can be a duplicate)
            command.answer(_replayed(command, outcomes[command.key], events))


def _streams(items: Iterable[Command | Read]) -> Iterable[str]:
    """The streams whose states are needed, each once; a new one has none."""
    needed: list[str] = []
    for item in items:
        if isinstance(item, Read):
            needed.append(item.stream)
        else:
            needed += item.streams[1:] if item.is_new else item.streams
    return dict.fromkeys(needed)


def _decision(command: Command, before: Sequence[Versioned]) -> Decision:
    if command.if_version is not None and command.if_version != before[0].version:
        return Rejection(VERSION_MISMATCH, f"the version is {before[0].version}")
    return command.decide(*[at.state for at in before])


def _replayed(command: Command, outcome: Outcome, events: Sequence[Recorded]) -> Result:
    """The stored outcome as a result; another request under the same key is refused."""
    last = outcome.version + outcome.event_count
    if outcome.fingerprint != command.fingerprint:
        detail = "the idempotency key was used for another request"
        return Result(last, 0, rejection=Rejection(KEY_REUSED, detail))
    if outcome.rejection is not None:
        rejection = msgspec.json.decode(outcome.rejection, type=Rejection)
        return Result(last, 0, rejection=rejection, replayed=True)
    mine = [
        e
        for e in events
        if e.stream_id == outcome.stream_id and outcome.version < e.version <= last
    ]
    position = mine[-1].position if mine else 0
    return Result(last, position, mine, replayed=True)
