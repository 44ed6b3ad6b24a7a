"""Several processes write to one partition, and every decision is made on what is there."""

import asyncio

import pytest

from ourbank.domain.rejection import Rejection
from ourbank.eventsourcing import partition as partition_loop
from ourbank.eventsourcing.engine import Engine

from .adapters import Adapter, promptly
from .engines import Interposed, filled_up, level, running
from .jars import EMPTY, META, Filled, Poured, fill, filling, jar, pour
from .log_contract import A, B, places, stored


async def test_an_acceptance_rests_on_what_others_wrote(engine: Engine, other: Engine) -> None:
    await filled_up(engine, A, 5)
    await other.execute((A,), pour(A, 4), META)
    result = await engine.execute((A,), pour(A, 2), META)
    assert result.rejection == EMPTY


async def test_a_rejection_rests_on_what_others_wrote(engine: Engine, other: Engine) -> None:
    assert (await engine.execute((A,), pour(A), META)).rejection == EMPTY
    await filled_up(other, A)
    result = await engine.execute((A,), pour(A), META)
    assert (result.rejection, result.version) == (None, 2)


async def test_a_read_sees_what_anybody_was_told_before(engine: Engine, other: Engine) -> None:
    for number in range(1, 6):
        await filled_up(engine if number % 2 else other, A)
        assert await level(engine, A) == await level(other, A) == number


async def test_what_is_stale_is_decided_again_and_the_rest_is_not(
    engine: Engine, other: Engine, interposed: Interposed
) -> None:
    await filled_up(engine, A, 5)

    async def empty_it() -> None:
        await other.execute((A,), pour(A, 5), META)

    interposed.once_before_append(empty_it)
    async with promptly():
        refused, untouched = await asyncio.gather(
            engine.execute((A,), pour(A), META), filled_up(engine, B)
        )
    assert (refused.rejection, refused.version) == (EMPTY, 2)
    assert untouched.version == 1
    assert [len(batch) for batch in interposed.batches] == [1, 2, 1]


async def test_two_engines_hammer_the_same_streams(adapter: Adapter) -> None:
    """Every acknowledged event is there once, in a gapless sequence; no jar runs below 0."""
    streams = [jar(n) for n in range(3)]
    told: list[tuple[int, str, int]] = []

    async def client(engine: Engine, number: int) -> None:
        for turn in range(12):
            stream = streams[(number + turn) % 3]
            decide = fill(stream, 2) if turn % 2 else pour(stream, 3)
            result = await engine.execute((stream,), decide, META)
            told.extend((e.position, e.stream_id, e.version) for e in result.events)

    async with promptly(60):
        first = running(await adapter.another(), adapter.snapshots)
        second = running(await adapter.another(), adapter.snapshots, cache_size=1)
        async with first as engine, second as rival:
            clients = [client(each, n) for n in range(5) for each in (engine, rival)]
            await asyncio.gather(*clients)
            for stream in streams:
                assert await level(engine, stream) == await level(rival, stream)
    assert sorted(told) == await places(adapter.log)
    assert [place[0] for place in sorted(told)] == list(range(1, len(told) + 1))
    in_jar = dict.fromkeys(streams, 0)
    for event in await stored(adapter.log):
        match event.event:
            case Filled(amount):
                in_jar[event.stream_id] += amount
            case Poured(amount):
                in_jar[event.stream_id] -= amount
        assert in_jar[event.stream_id] >= 0


async def test_many_foreign_events_empty_the_cache_and_nothing_is_missed(
    engine: Engine, adapter: Adapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partition_loop, "FOREIGN_MAX", 3)
    await filled_up(engine, A)
    for version in range(1, 6):
        await adapter.log.append(0, [filling(A, version)], version)
    assert await level(engine, A) == 6
    assert (await filled_up(engine, A)).version == 7


async def test_a_stream_read_beside_a_command_is_not_forgotten_to_be_current(
    engine: Engine, other: Engine, interposed: Interposed
) -> None:
    await filled_up(engine, A)

    async def fill_it() -> None:
        await filled_up(other, A)

    interposed.once_before_append(fill_it)
    async with promptly():
        await asyncio.gather(level(engine, A), filled_up(engine, B))
    assert await level(engine, A) == 2


async def test_a_command_after_such_a_read_is_decided_on_the_current_state(
    engine: Engine,
    other: Engine,
    interposed: Interposed,
) -> None:
    await filled_up(engine, A)

    async def empty_it() -> None:
        await other.execute((A,), pour(A), META)

    interposed.once_before_append(empty_it)
    async with promptly():
        await asyncio.gather(level(engine, A), filled_up(engine, B))
    assert (await engine.execute((A,), pour(A), META)).rejection == EMPTY


async def test_if_match_is_decided_on_the_current_version(engine: Engine, other: Engine) -> None:
    await filled_up(engine, A)
    await filled_up(other, A)
    refused = await engine.execute((A,), fill(A), META, if_version=1)
    accepted = await engine.execute((A,), fill(A), META, if_version=2)
    assert refused.rejection == Rejection("version-mismatch", "the version is 2")
    assert (accepted.rejection, accepted.version) == (None, 3)
