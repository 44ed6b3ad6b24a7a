"""How commands are executed: batched, in order, on current states, each to one end."""

import asyncio
from typing import Any

import pytest

from ourbank.eventsourcing import partition as partition_loop
from ourbank.eventsourcing.engine import Engine
from ourbank.eventsourcing.partition import (
    ClosedError,
    OverloadedError,
)

from .adapters import Adapter, let_run, promptly
from .engines import Interposed, filled_up, level, running
from .jars import EMPTY, META, Filled, Poured, fill, jar, pour
from .log_contract import A, B, stored


class TestBatch:
    @pytest.fixture
    def kind(self) -> str:
        return "memory"  # nothing here depends on what the log is made of

    async def test_what_gathers_while_a_batch_is_in_flight_is_the_next_batch(
        self, engine: Engine, interposed: Interposed
    ) -> None:
        resume = interposed.hold_appends()
        first = asyncio.create_task(filled_up(engine, A))
        await let_run()
        later = [asyncio.create_task(filled_up(engine, jar(n))) for n in range(5)]
        await let_run()
        resume()
        async with promptly():
            await asyncio.gather(first, *later)
        assert [len(batch) for batch in interposed.batches] == [1, 5]

    async def test_a_batch_is_decided_in_order_each_on_what_the_one_before_left(
        self, engine: Engine, interposed: Interposed
    ) -> None:
        decisions = [pour(A, 1), fill(A, 5), pour(A, 3), pour(A, 3), pour(A, 2)]
        async with promptly():
            results = await asyncio.gather(
                *[engine.execute((A,), decide, META) for decide in decisions]
            )
        assert len(interposed.batches) == 1
        assert [r.rejection for r in results] == [EMPTY, None, None, EMPTY, None]
        assert [r.version for r in results] == [0, 1, 2, 2, 3]
        assert [r.position for r in results] == [0, 1, 2, 2, 3]
        assert [e.event for e in await stored(interposed)] == [Filled(5), Poured(3), Poured(2)]
        assert [e for r in results for e in r.events] == await stored(interposed)

    async def test_a_command_may_decide_on_several_streams(self, engine: Engine) -> None:
        def pour_over(full: Any, empty: Any) -> list[tuple[str, Any]]:
            assert (full.level, empty) == (5, None)
            return [(A, Poured(full.level)), (B, Filled(full.level))]

        await filled_up(engine, A, 5)
        result = await engine.execute((A, B), pour_over, META)
        assert (result.version, result.position, len(result.events)) == (2, 3, 2)
        assert (await level(engine, A), await level(engine, B)) == (0, 5)

    async def test_a_batch_is_never_larger_than_the_limit(
        self, engine: Engine, interposed: Interposed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(partition_loop, "BATCH_MAX", 3)
        async with promptly():
            await asyncio.gather(*[filled_up(engine, A) for _ in range(10)])
        assert [len(batch) for batch in interposed.batches] == [3, 3, 3, 1]

    async def test_more_than_may_wait_is_turned_away_and_nothing_else(
        self, engine: Engine, interposed: Interposed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(partition_loop, "WAITING_MAX", 3)
        resume = interposed.hold_appends()
        accepted = [asyncio.create_task(filled_up(engine, A))]
        await let_run()
        accepted += [asyncio.create_task(filled_up(engine, A)) for _ in range(3)]
        await let_run()
        with pytest.raises(OverloadedError):
            await filled_up(engine, A)
        elsewhere = asyncio.create_task(filled_up(engine, jar(1, 1)))
        resume()
        async with promptly():
            await asyncio.gather(elsewhere, *accepted)
        assert await level(engine, A) == 4

    async def test_stopping_finishes_what_was_accepted_and_accepts_no_more(
        self, adapter: Adapter, interposed: Interposed
    ) -> None:
        async with promptly(), running(interposed, adapter.snapshots) as engine:
            resume = interposed.hold_appends()
            accepted = [asyncio.create_task(filled_up(engine, A))]
            await let_run()
            accepted += [asyncio.create_task(filled_up(engine, A)) for _ in range(4)]
            await let_run()
            stopping = asyncio.create_task(engine.stop())
            await let_run()
            assert not stopping.done()
            with pytest.raises(ClosedError):
                await filled_up(engine, A)
            resume()
            await stopping
            assert [(await each).version for each in accepted] == [1, 2, 3, 4, 5]

    async def test_who_left_holds_up_nobody(self, engine: Engine, interposed: Interposed) -> None:
        resume = interposed.hold_appends()
        left = asyncio.create_task(filled_up(engine, A))
        await let_run()
        left.cancel()
        resume()
        async with promptly():
            assert (await filled_up(engine, A)).version == 2  # what was under way was not undone


async def test_a_new_stream_needs_no_look_at_the_log(
    engine: Engine, interposed: Interposed
) -> None:
    result = await engine.execute((A,), fill(A, 3), META, is_new=True)
    assert result.version == 1
    assert interposed.ranges == []
    assert await level(engine, A) == 3
