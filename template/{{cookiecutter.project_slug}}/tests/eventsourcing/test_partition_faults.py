"""A fault fails its batch, and leaves nothing behind."""

import asyncio
from typing import Any

import pytest

from ourbank.eventsourcing.engine import Engine
from ourbank.eventsourcing.log import LogUnavailableError

from .adapters import promptly
from .engines import Interposed, failing, filled_up, level
from .jars import EMPTY, META, pour
from .log_contract import A, B, places


async def test_a_log_that_is_away_fails_the_batch_and_not_the_next(
    engine: Engine, interposed: Interposed
) -> None:
    await filled_up(engine, A, 5)
    interposed.once_before_append(failing(LogUnavailableError()))
    async with promptly():
        failed = await asyncio.gather(
            engine.execute((A,), pour(A, 5), META),
            filled_up(engine, B, 3),
            return_exceptions=True,
        )
    assert [type(error) for error in failed] == [LogUnavailableError] * 2
    assert await level(engine, A) == 5  # not what was decided and never happened
    assert (await engine.execute((B,), pour(B), META)).rejection == EMPTY
    assert await places(interposed) == [(1, A, 1)]


async def test_an_append_whose_answer_was_lost_is_seen_afterwards(
    engine: Engine, interposed: Interposed
) -> None:
    interposed.after_append = failing(LogUnavailableError())
    with pytest.raises(LogUnavailableError):
        await filled_up(engine, A, 5)
    interposed.after_append = interposed.before_append
    assert await level(engine, A) == 5
    assert (await filled_up(engine, A)).version == 2


async def test_the_answer_to_a_read_can_fail_too(
    engine: Engine, interposed: Interposed, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away() -> list[int]:
        raise LogUnavailableError

    with monkeypatch.context() as patch:
        patch.setattr(interposed, "heads", away)
        with pytest.raises(LogUnavailableError):
            await engine.read(A)
    assert await level(engine, A) == 0


async def test_a_decision_that_raises_does_not_end_the_loop(engine: Engine) -> None:
    def broken(state: object) -> list[tuple[str, Any]]:
        raise ZeroDivisionError(state)

    with pytest.raises(ZeroDivisionError):
        await engine.execute((A,), broken, META)
    assert (await filled_up(engine, A)).version == 1


async def test_a_decision_that_raises_fails_nobody_else(engine: Engine) -> None:
    def broken(state: object) -> list[tuple[str, Any]]:
        raise ZeroDivisionError(state)

    _, neighbour = await asyncio.gather(
        engine.execute((A,), broken, META), filled_up(engine, B), return_exceptions=True
    )
    assert not isinstance(neighbour, BaseException)
