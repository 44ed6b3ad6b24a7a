"""Asking a bank for its evidence: keys, checkpoints, proofs. Nothing is verified here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from bank_conformance.bank.session import Session
from bank_conformance.bank.shapes import FeedEvent, RefusedError, read
from bank_conformance.history import Operation, now
from bank_conformance.tokens import ANONYMOUS
from bank_conformance.verifiers.proofs import ShownCheckpoint

from .rest import FEED_SECONDS_MAX
from .stage import Stage, gather_bounded

LOOK_SECONDS, PARALLEL_MAX = 0.1, 8


@dataclass(frozen=True, slots=True)
class Proof:
    """An event of the feed, the proof asked for it, and the checkpoint it is to be proof under."""

    event: FeedEvent
    checkpoint: Operation
    operation: Operation


@dataclass(frozen=True, slots=True)
class Growth:
    """Two checkpoints, and the proof asked for that the later extends the earlier."""

    old: Operation
    new: Operation
    operation: Operation


@dataclass(slots=True)
class Feed:
    """A reader of the feed that goes on where it stopped."""

    stage: Stage
    after: str | None

    @classmethod
    async def at_its_end(cls, stage: Stage) -> Feed:
        """Return a reader of what comes from now on."""
        feed = cls(stage, stage.feed_from)
        await feed.read()
        return feed

    async def read(self) -> list[FeedEvent]:
        """Return what came since the last time.

        Raises:
            RefusedError: it does not end.
        """
        events, end = await self.stage.staff.events(self.after, seconds=FEED_SECONDS_MAX)
        if end is None:
            raise RefusedError(f"the feed did not end within {FEED_SECONDS_MAX:.0f} s")
        self.after = end
        return events


def heads(events: Iterable[FeedEvent]) -> dict[int, int]:
    """Return the greatest position of each partition."""
    found: dict[int, int] = {}
    for event in events:
        found[event.partition] = max(event.position, found.get(event.partition, 0))
    return found


async def signing_keys(stage: Stage) -> Operation:
    """Read the public keys, as anybody."""
    return await stage.session("anybody", ANONYMOUS).call("getSigningKeys")


def size_of(checkpoint: Operation) -> int:
    """Return the size of a checkpoint.

    Raises:
        ShapeError: it is none.
    """
    return read(checkpoint, ShownCheckpoint).size


def jws_of(checkpoints: Iterable[Operation]) -> list[str]:
    """Return what a holder of checkpoints keeps."""
    return [read(one, ShownCheckpoint).jws for one in checkpoints]


async def covering(stage: Stage, positions: Mapping[int, int]) -> dict[int, Operation]:
    """Read the latest checkpoints until they cover `positions`, at most as long as the bank may
    take.
    """
    deadline = now() + stage.limits.proof_seconds * stage.limits.time_scale
    while True:
        found = {partition: await stage.staff.checkpoint(partition) for partition in positions}
        if all(size_of(found[one]) >= position for one, position in positions.items()):
            return found
        if now() > deadline:
            return found
        await stage.wait(LOOK_SECONDS)


async def prove(
    stage: Stage, events: Iterable[FeedEvent], checkpoints: Mapping[int, Operation]
) -> list[Proof]:
    """Ask for the inclusion proof of every event that the checkpoints cover."""

    async def ask(event: FeedEvent, checkpoint: Operation) -> Proof:
        size = size_of(checkpoint)
        told = await stage.staff.inclusion(event.partition, event.position, size)
        return Proof(event, checkpoint, told)

    asked = [(event, checkpoints[event.partition]) for event in events]
    covered = [(event, one) for event, one in asked if event.position <= size_of(one)]
    return await gather_bounded([partial(ask, *pair) for pair in covered], PARALLEL_MAX)


async def growths(session: Session, rounds: Sequence[Mapping[int, Operation]]) -> list[Growth]:
    """Ask for the consistency proof between every two checkpoints of a partition."""
    found = []
    for place, earlier in enumerate(rounds):
        for later in rounds[place + 1 :]:
            for partition in earlier.keys() & later.keys():
                old, new = earlier[partition], later[partition]
                told = await session.consistency(partition, size_of(old), size_of(new))
                found.append(Growth(old, new, told))
    return found


async def verify(stage: Stage, held: Sequence[str]) -> Operation:
    """Let the bank verify its log, with checkpoints that we hold; it may take its time."""
    seconds = stage.limits.verification_seconds * stage.limits.time_scale
    with stage.client.giving_up_after(seconds):
        return await stage.staff.verification(held)
