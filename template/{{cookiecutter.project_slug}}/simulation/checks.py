"""What must hold at the end, when the faults have stopped and time has passed."""

import asyncio
from collections.abc import Awaitable, Iterable, Iterator, Sequence
from importlib.util import find_spec
from typing import Any

from ourbank.bootstrap import AGGREGATES
from ourbank.eventsourcing.event import Recorded
from ourbank.eventsourcing.log import StreamRange, loaded
from ourbank.eventsourcing.projection import Key, ReadModel
from ourbank.privacy.keyring import STALENESS_SECONDS_MAX
from ourbank.readmodels import READ_MODELS

from . import resting
from .process import Life
from .workloads import Stage, checked
from .world import World

REDRIVEN_SECONDS = 3.0
"""Until workers have done what rows told them that had stood still: holds end now."""
HAS_DECIDERS = find_spec("bank_conformance") is not None
"""Whether the conformance suite is installed, whose deciders then look at the histories too."""


async def at_the_end(stage: Stage) -> None:
    """Everything that is looked at once; what is wrong is told to the world."""
    world = stage.world
    life = world.processes[0].life
    assert life is not None  # noqa: S101 (all were started when the faults ended)
    async for what in resting.half_erased(stage):
        world.violate(what)
    if await life.run(life.bank.eraser.review()):  # as a worker does, but a run is too short
        await asyncio.sleep(STALENESS_SECONDS_MAX)  # until everybody's key ring knows
    log = await _log(world)
    for what in (*checked(stage), *resting.unexpired(world), *resting.unbalanced(world)):
        world.violate(what)
    async for what in resting.badly_erased(stage):
        world.violate(what)
    if HAS_DECIDERS:
        from .deciders import decided  # noqa: PLC0415 (it needs the suite)

        for what in decided(stage, log):
            world.violate(what)
    for what in resting.wrongly_parked(world, log):
        world.violate(what)
    if await resting.redriven(world):
        await life.run(life.bank.eraser.purge_again())
        await asyncio.sleep(REDRIVEN_SECONDS)
        log = await _log(world)
    for model in READ_MODELS:
        for what in _folded(world, model, log):
            world.violate(what)
    for process in world.processes:
        assert process.life is not None  # noqa: S101 (all were started when the faults ended)
        await _same_states(world, process.life)
        await _nothing_left(world, process.life)


async def _log(world: World) -> list[Recorded]:
    """All of it, a partition after the other."""
    log = world.database.log
    return [
        recorded
        for partition, head in enumerate(await log.heads())
        for recorded in await log.read(partition, 0, head)
    ]


async def _nothing_left(world: World, life: Life) -> None:
    """No key of an erased subject, whatever was remembered; and no process that is driven still."""
    for subject in sorted(await life.run(life.bank.keyring.load(world.books.erased))):
        world.violate(f"{life.name} still has the key of {subject}, which was erased")
    for task in life.tasks():
        if task.done() and not task.cancelled() and (error := task.exception()):
            world.raised(f"a task of {life.name}", error)
    if left := len(life.bank.driver):
        world.violate(f"{life.name} still drives {left} transfers, and all have ended")


def _folded(world: World, model: ReadModel, log: Sequence[Recorded]) -> Iterator[str]:
    """Compare a read model with the fold of the whole log, without the narratives of the erased."""
    expected: dict[Key, Any] = {}
    for recorded in log:
        if type(recorded.event) in model.event_types:
            for key in model.keys(recorded):
                expected[key] = model.evolve(expected.get(key), recorded, key)
    shown = world.rows.of(model.name)
    for key in sorted(expected.keys() | shown.keys()):
        row, should = shown.get(key), resting.purged(world, expected.get(key))
        if row != should:
            yield f"{model.name} {key} shows {row}, its fold is {should}"


async def _same_states(world: World, life: Life) -> None:
    """Strong reads in any process are the folds of the streams: caches and snapshots included."""
    engine, streams = life.bank.engine, sorted(world.books.versions)
    told = await life.run(_all(engine.read(stream) for stream in streams))
    for stream_id, state in zip(streams, told, strict=True):
        events = [each async for each in loaded(world.database.log, [StreamRange(stream_id, 0)])]
        folded = AGGREGATES.fold(AGGREGATES.initial(stream_id), events)
        if state != folded:
            world.violate(f"{life.name} reads {stream_id} as {state}, its fold is {folded}")
        if (book := world.books.accounts.get(stream_id)) is not None:
            money = state.state.booked_minor, state.state.held_minor, state.state.available_minor
            if money != (book.booked, book.held, book.available):
                world.violate(f"{life.name} reads {stream_id} as {state}, the books say {book}")


async def _all(reads: Iterable[Awaitable[Any]]) -> list[Any]:
    return await asyncio.gather(*reads)
