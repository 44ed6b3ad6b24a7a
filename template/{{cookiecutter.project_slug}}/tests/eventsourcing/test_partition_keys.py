"""A keyed command takes effect once: sent again it is answered as it was the first time."""

import asyncio

import pytest

from ourbank.eventsourcing.command import Decide, Result
from ourbank.eventsourcing.engine import Engine
from ourbank.eventsourcing.log import LogUnavailableError

from .adapters import Adapter, promptly
from .engines import Interposed, failing, filled_up, level, running
from .jars import EMPTY, META, fill, jar, key, pour
from .log_contract import A, B, places


async def send(
    engine: Engine,
    decide: Decide,
    under: str,
    *,
    stream: str = A,
    fingerprint: str = "a request",
    if_version: int | None = None,
) -> Result:
    return await engine.execute(
        (stream,), decide, META, key=under, fingerprint=fingerprint, if_version=if_version
    )


async def test_the_same_key_again_is_the_same_answer(engine: Engine) -> None:
    first = await send(engine, fill(A, 5), key(1))
    await filled_up(engine, A)
    again = await send(engine, fill(A, 5), key(1))
    assert (first.replayed, again.replayed) == (False, True)
    assert (again.version, again.position, again.events) == (1, 1, first.events)
    assert await level(engine, A) == 6


async def test_a_rejection_is_answered_again_even_when_it_would_now_be_accepted(
    engine: Engine,
) -> None:
    first = await send(engine, pour(A), key(1))
    await filled_up(engine, A)
    again = await send(engine, pour(A), key(1))
    assert first.rejection == again.rejection == EMPTY
    assert (first.version, again.version, again.replayed) == (0, 0, True)
    assert (await send(engine, pour(A), key(2))).rejection is None


async def test_a_version_mismatch_is_kept_like_any_rejection(engine: Engine) -> None:
    first = await send(engine, fill(A), key(1), if_version=1)
    await filled_up(engine, A)
    again = await send(engine, fill(A), key(1), if_version=1)
    assert first.rejection is not None
    assert again.rejection == first.rejection


async def test_a_decision_without_events_is_kept_as_well(engine: Engine) -> None:
    await filled_up(engine, A)
    first = await send(engine, lambda _jar: [], key(1))
    again = await send(engine, fill(A), key(1))
    assert (first.version, first.events, first.rejection) == (1, [], None)
    assert (again.version, list(again.events), again.replayed) == (1, [], True)


async def test_answers_outlive_the_process(engine: Engine, adapter: Adapter) -> None:
    accepted = await send(engine, fill(A, 5), key(1))
    await send(engine, pour(B), key(2), stream=B)
    await engine.stop()
    async with running(await adapter.another(), adapter.snapshots) as restarted:
        again = await send(restarted, fill(A, 5), key(1))
        rejected = await send(restarted, pour(B), key(2), stream=B)
        assert (again.events, again.replayed) == (accepted.events, True)
        assert (rejected.rejection, rejected.replayed) == (EMPTY, True)
        assert await level(restarted, A) == 5


async def test_another_request_under_the_key_is_refused(engine: Engine) -> None:
    await send(engine, fill(A), key(1))
    other = await send(engine, fill(A, 9), key(1), fingerprint="another request")
    assert other.rejection is not None
    assert other.rejection.code == "idempotency-key-reused"
    assert not other.replayed
    assert (await send(engine, fill(A), key(1))).rejection is None
    assert await level(engine, A) == 1


async def test_equal_keys_at_once_have_one_effect_and_one_answer(
    engine: Engine, adapter: Adapter
) -> None:
    async with promptly(), running(await adapter.another(), adapter.snapshots) as other:
        for number in range(5):
            sent = [send(e, fill(A), key(number)) for e in (engine, other) for _ in range(5)]
            results = await asyncio.gather(*sent)
            assert sum(not result.replayed for result in results) == 1
            assert {(r.version, r.position) for r in results} == {(number + 1, number + 1)}
    assert len(await places(adapter.log)) == 5


async def test_equal_keys_in_a_batch_with_others_hold_up_nobody(engine: Engine) -> None:
    async with promptly():
        first, twin, neighbour, stranger = await asyncio.gather(
            send(engine, fill(A), key(1)),
            send(engine, fill(A), key(1)),
            filled_up(engine, A, 10),
            send(engine, fill(B), key(1), stream=B, fingerprint="another request"),
        )
    assert (first.replayed, twin.replayed, twin.position) == (False, True, first.position)
    assert stranger.rejection is not None
    assert neighbour.rejection is None
    assert (await level(engine, A), await level(engine, B)) == (11, 0)


async def test_what_was_decided_after_a_repeat_is_decided_again_without_it(
    engine: Engine,
) -> None:
    """In one batch: the repeat would have filled the jar that the next command pours from."""
    await send(engine, fill(A, 5), key(1))
    await engine.execute((A,), pour(A, 5), META)
    async with promptly():
        again, poured = await asyncio.gather(
            send(engine, fill(A, 5), key(1)), engine.execute((A,), pour(A, 5), META)
        )
    assert again.replayed
    assert poured.rejection == EMPTY


async def test_a_retry_after_a_lost_answer_tells_what_happened(
    engine: Engine, interposed: Interposed
) -> None:
    interposed.after_append = failing(LogUnavailableError())
    with pytest.raises(LogUnavailableError):
        await send(engine, fill(A, 5), key(1))
    interposed.after_append = interposed.before_append
    again = await send(engine, fill(A, 5), key(1))
    assert (again.replayed, again.version) == (True, 1)
    assert await level(engine, A) == 5


async def test_a_retry_after_an_append_that_never_happened_takes_effect(
    engine: Engine, interposed: Interposed
) -> None:
    interposed.once_before_append(failing(LogUnavailableError()))
    with pytest.raises(LogUnavailableError):
        await send(engine, fill(A, 5), key(1))
    assert not (await send(engine, fill(A, 5), key(1))).replayed
    assert await level(engine, A) == 5


async def test_a_key_used_in_another_partition_is_known_there(engine: Engine) -> None:
    first = await send(engine, fill(A, 5), key(1))
    there = jar(1, 1)
    again = await send(engine, fill(there, 5), key(1), stream=there)
    assert (again.replayed, again.events) == (True, first.events)
    assert await level(engine, there) == 0
