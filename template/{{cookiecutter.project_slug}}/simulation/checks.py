"""What must hold at the end, when the faults have stopped and time has passed."""

import asyncio
from collections.abc import Awaitable, Iterable, Iterator
from importlib.util import find_spec
from typing import Any

from ourbank.bootstrap import AGGREGATES
from ourbank.eventsourcing.log import StreamRange
from ourbank.eventsourcing.projection import Key, ReadModel
from ourbank.readmodels import READ_MODELS

from .process import Life
from .workloads import Stage, checked
from .world import World

HAS_DECIDERS = find_spec("bank_conformance") is not None
"""Whether the conformance suite is installed, whose deciders then look at the histories too."""


async def at_the_end(stage: Stage) -> None:
    """Everything that is looked at once; what is wrong is told to the world."""
    world = stage.world
    for what in checked(stage):
        world.violate(what)
    if HAS_DECIDERS:
        from .deciders import decided  # noqa: PLC0415 (it needs the suite)

        for what in await decided(stage):
            world.violate(what)
    for model in READ_MODELS:
        for what in await _folded(world, model):
            world.violate(what)
    for process in world.processes:
        assert process.life is not None  # noqa: S101 (all were started when the faults ended)
        await _same_states(world, process.life)
        await _nothing_left(world, process.life)


async def _nothing_left(world: World, life: Life) -> None:
    """No key of an erased subject, whatever was remembered; and no process that is driven still."""
    for subject in sorted(await life.run(life.bank.keyring.load(world.books.erased))):
        world.violate(f"{life.name} still has the key of {subject}, which was erased")
    for task in life.tasks():
        if task.done() and not task.cancelled() and (error := task.exception()):
            world.raised(f"a task of {life.name}", error)
    if left := len(life.bank.driver):
        world.violate(f"{life.name} still drives {left} transfers, and all have ended")


async def _folded(world: World, model: ReadModel) -> Iterator[str]:
    """Compare a read model with the fold of the whole log; rows that a poison stopped are left
    out, for they wait for an operator.
    """
    expected: dict[Key, Any] = {}
    for partition, head in enumerate(await world.database.log.heads()):
        for recorded in await world.database.log.read(partition, 0, head):
            if type(recorded.event) in model.event_types:
                for key in model.keys(recorded):
                    expected[key] = model.evolve(expected.get(key), recorded, key)
    shown = world.rows.of(model.name)
    stopped = {key for name, key in world.parked if name == model.name}
    return _differences(world, model.name, expected, shown, stopped)


def _differences(
    world: World, name: str, expected: dict[Key, Any], shown: dict[Key, Any], stopped: set[Key]
) -> Iterator[str]:
    for key in sorted(expected.keys() | shown.keys()):
        if key in stopped:
            continue
        row, should = shown.get(key), expected.get(key)
        if row != should and not _purged(world, row, should):
            yield f"{name} {key} shows {row}, its fold is {should}"


def _purged(world: World, row: Any, should: Any) -> bool:
    """Whether a row is as it should be but for narratives that an erasure took out."""
    if row is None or should is None or not world.books.erased:
        return False
    names = [name for name in type(row).__slots__ if not name.endswith("narrative")]
    return all(getattr(row, name) == getattr(should, name) for name in names)


async def _same_states(world: World, life: Life) -> None:
    """Strong reads in any process are the folds of the streams: caches and snapshots included."""
    engine, streams = life.bank.engine, sorted(world.books.versions)
    told = await life.run(_all(engine.read(stream) for stream in streams))
    for stream_id, state in zip(streams, told, strict=True):
        events = await world.database.log.load([StreamRange(stream_id, 0)])
        folded = AGGREGATES.fold(AGGREGATES.initial(stream_id), events)
        if state != folded:
            world.violate(f"{life.name} reads {stream_id} as {state}, its fold is {folded}")


async def _all(reads: Iterable[Awaitable[Any]]) -> list[Any]:
    return await asyncio.gather(*reads)
