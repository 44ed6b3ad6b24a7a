"""A process is driven to its end: by the answers, and where they fail to come, by the timer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

import pytest

from ourbank.domain.rejection import Rejection
from ourbank.eventsourcing import saga as module
from ourbank.eventsourcing.command import Command, Result
from ourbank.eventsourcing.event import Recorded
from ourbank.eventsourcing.memory import MemoryLog, MemorySnapshots
from ourbank.eventsourcing.partition import OverloadedError
from ourbank.eventsourcing.saga import (
    Process,
    SagaDriver,
    StepCommand,
)

from .adapters import let_run, promptly, until
from .engines import level, running
from .jars import CODEC, EMPTY, META, fill, jar, key, pour
from .log_contract import A
from tests.conftest import PARTITIONS

T0 = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
NEVER = 3600.0
DONE = Result(1, 1)
NEXT = {"take": "give", "give": "close", "turn back": "undo"}


class Chores:
    """take → give → close; before `give` was answered there is a way back: turn back → undo."""

    def __init__(self) -> None:
        self.broken: set[str] = set()

    def command(self, process: Process, step: str, now: datetime) -> StepCommand:
        assert now == T0
        if process.id in self.broken:
            raise ZeroDivisionError
        return StepCommand((f"{process.id}:{step}",), lambda _: [], META, key(len(step)))

    def following(self, process: Process, step: str, result: Result) -> str | None:
        del process
        return "turn back" if result.rejection and step == "give" else NEXT.get(step)

    def overdue(self, process: Process, step: str) -> str:
        del process
        return "turn back" if step in ("take", "give") else step


@dataclass
class Office:
    """Where commands go: they lie there until the test answers them."""

    saga: Chores = field(default_factory=Chores)
    sent: list[Command] = field(default_factory=list)
    is_overloaded: bool = False

    def __post_init__(self) -> None:
        self.driver = SagaDriver(self.saga, self.submit, lambda: T0)

    def submit(self, command: Command) -> None:
        if self.is_overloaded:
            raise OverloadedError
        self.sent.append(command)

    @property
    def steps(self) -> list[str]:
        """What was sent, as `process:step`."""
        return [command.streams[0] for command in self.sent]

    def answer(self, result: Result = DONE) -> None:
        """Answer the command that was sent last."""
        self.sent[-1].answer(result)


@pytest.fixture
async def office(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Office]:
    """One whose timer does nothing, until a test shortens its patience."""
    monkeypatch.setattr(module, "TICK_SECONDS", 0.002)
    monkeypatch.setattr(module, "RETRY_SECONDS", NEVER)
    monkeypatch.setattr(module, "DEADLINE_SECONDS", NEVER)
    opened = Office()
    timer = asyncio.create_task(opened.driver.run())
    yield opened
    timer.cancel()
    with suppress(asyncio.CancelledError):
        await timer


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch, office: Office) -> None:
    del office  # first: it sets the patience that is shortened here
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.01)


@pytest.fixture
def overdue(monkeypatch: pytest.MonkeyPatch, office: Office) -> None:
    del office
    monkeypatch.setattr(module, "DEADLINE_SECONDS", 0.01)


async def test_each_answer_sends_the_next_step_until_the_end(office: Office) -> None:
    process = office.driver.drive("p", "a subject", "take")
    assert (process.subject, office.steps) == ("a subject", ["p:take"])
    office.answer()
    office.answer()
    assert "p" in office.driver
    assert office.driver.find("p") is process
    office.answer()
    assert office.steps == ["p:take", "p:give", "p:close"]
    assert (len(office.driver), office.driver.find("p")) == (0, None)


async def test_a_rejection_is_a_result_like_any_other(office: Office) -> None:
    office.driver.drive("p", None, "give")
    office.answer(Result(1, 1, rejection=Rejection("no")))
    assert office.steps == ["p:give", "p:turn back"]


async def test_a_process_keeps_what_its_steps_led_to(office: Office) -> None:
    events = [_recorded(1), _recorded(2)]
    process = office.driver.drive("p", None, "take")
    office.answer(Result(1, 1, events[:1]))
    office.answer(Result(2, 2, events[1:]))
    assert process.events == events


async def test_driving_a_process_again_leaves_it_as_it_is(office: Office) -> None:
    process = office.driver.drive("p", None, "take")
    office.answer()
    assert office.driver.drive("p", None, "take") is process
    assert (process.step, office.steps) == ("give", ["p:take", "p:give"])


def _has_sent(office: Office, count: int) -> bool:
    return len(office.sent) >= count


@pytest.mark.usefixtures("impatient")
async def test_a_step_under_way_is_left_in_peace(office: Office) -> None:
    office.driver.drive("p", None, "take")
    await asyncio.sleep(0.05)
    assert len(office.sent) == 1


@pytest.mark.usefixtures("impatient")
async def test_a_step_that_fails_is_sent_again_and_again_under_the_same_key(
    office: Office,
) -> None:
    office.driver.drive("p", None, "take")
    for count in range(1, 4):
        await until(partial(_has_sent, office, count))
        office.sent[-1].fail(OSError())
    assert set(office.steps) == {"p:take"}
    assert {command.key for command in office.sent} == {key(4)}


@pytest.mark.usefixtures("impatient")
async def test_a_step_that_failed_is_sent_again(office: Office) -> None:
    office.driver.drive("p", None, "take")
    office.sent[0].fail(OSError())
    await until(lambda: len(office.sent) >= 2)
    office.answer()
    assert office.steps[-1] == "p:give"


@pytest.mark.usefixtures("impatient")
async def test_a_step_that_was_turned_away_is_sent_again(office: Office) -> None:
    office.is_overloaded = True
    office.driver.drive("p", None, "take")
    await let_run()
    assert office.sent == []
    office.is_overloaded = False
    await until(lambda: len(office.sent) >= 1)


async def test_the_second_answer_to_a_step_counts_for_nothing(office: Office) -> None:
    process = office.driver.drive("p", None, "take")
    first = office.sent[0]
    office.answer()
    first.done(DONE)  # sent twice, answered twice
    assert (process.step, office.steps) == ("give", ["p:take", "p:give"])


@pytest.mark.usefixtures("overdue")
async def test_after_the_deadline_it_turns_back_and_late_answers_count_for_nothing(
    office: Office,
) -> None:
    process = office.driver.drive("p", None, "take")
    late = office.sent[0]
    await until(lambda: office.steps == ["p:take", "p:turn back"])
    late.answer(DONE)
    assert process.step == "turn back"
    office.answer()
    office.answer()
    assert office.steps == ["p:take", "p:turn back", "p:undo"]
    assert "p" not in office.driver


@pytest.mark.usefixtures("overdue", "impatient")
async def test_after_the_deadline_what_has_no_way_back_is_sent_on_and_on(office: Office) -> None:
    office.driver.drive("p", None, "close")
    for count in range(1, 4):
        await until(partial(_has_sent, office, count))
        office.sent[-1].fail(OSError())
    await until(lambda: len(office.sent) >= 4)
    assert set(office.steps) == {"p:close"}
    office.answer()
    assert "p" not in office.driver


async def test_a_diverted_process_goes_on_elsewhere_and_the_old_answer_does_not_count(
    office: Office,
) -> None:
    process = office.driver.drive("p", None, "take")
    assert office.driver.divert("p", None, "turn back") is process
    office.sent[0].answer(DONE)
    assert (process.step, office.steps) == ("turn back", ["p:take", "p:turn back"])


async def test_diverting_what_does_not_run_drives_it(office: Office) -> None:
    office.driver.divert("p", None, "turn back")
    assert office.steps == ["p:turn back"]
    assert "p" in office.driver


async def test_all_who_wait_are_told_of_the_end(office: Office) -> None:
    process = office.driver.drive("p", None, "close")
    waiting = [asyncio.create_task(office.driver.ended(process, NEVER)) for _ in range(3)]
    left = asyncio.create_task(office.driver.ended(process, NEVER))
    await let_run()
    left.cancel()
    await let_run()
    office.answer()
    async with promptly():
        assert await asyncio.gather(*waiting) == [True] * 3
        assert await office.driver.ended(process, NEVER)  # over already


async def test_who_waits_in_vain_is_told_so(office: Office) -> None:
    process = office.driver.drive("p", None, "close")
    assert not await office.driver.ended(process, 0.01)
    office.answer()  # to nobody: no complaint either
    assert await office.driver.ended(process, 0.01)


async def test_a_late_answer_does_not_end_the_next_process_of_that_id(office: Office) -> None:
    office.driver.drive("p", None, "close")
    answered_late = office.sent[0]
    office.driver.divert("p", None, "close")  # the same step sent again, as the timer does
    office.answer()
    office.driver.drive("p", None, "take")  # found again, by the follower
    answered_late.answer(DONE)
    assert "p" in office.driver


@pytest.mark.usefixtures("impatient")
async def test_a_process_that_cannot_be_sent_holds_up_no_other(office: Office) -> None:
    office.driver.drive("bad", None, "take")
    office.driver.drive("good", None, "take")
    office.saga.broken = {"bad"}
    for command in list(office.sent):
        command.fail(OSError())
    async with asyncio.timeout(2):
        while office.steps.count("good:take") < 2:  # noqa: ASYNC110 (nothing tells of it)
            await asyncio.sleep(0.002)


def _recorded(version: int) -> Recorded:
    return Recorded(0, version, A, version, "Filled", 1, T0, META, '{"amount":1}')


class Pouring:
    """Pour from one jar, fill another of any partition: a transfer, in small."""

    def command(self, process: Process, step: str, now: datetime) -> StepCommand:
        del now
        full, empty = process.subject
        if step == "pour":
            return StepCommand((full,), pour(full, 5), META, key(1))
        return StepCommand((empty,), fill(empty, 5), META, key(2))

    def following(self, process: Process, step: str, result: Result) -> str | None:
        del process
        return "fill" if step == "pour" and result.rejection is None else None

    def overdue(self, process: Process, step: str) -> str:
        del process
        return step


async def test_on_an_engine_each_step_takes_effect_once_however_often_it_is_sent() -> None:
    log = MemoryLog(CODEC, PARTITIONS, lambda: T0)
    full, empty = jar(1, 0), jar(1, 1)
    async with promptly(), running(log, MemorySnapshots()) as engine:
        await engine.execute((full,), fill(full, 7), META)
        for _ in range(3):  # three workers, each with the whole process before it
            driver = SagaDriver(Pouring(), engine.submit, lambda: T0)
            process = driver.drive("p", (full, empty), "pour")
            assert await driver.ended(process, NEVER)
        assert (await level(engine, full), await level(engine, empty)) == (2, 5)
        assert (await engine.execute((full,), pour(full, 5), META)).rejection == EMPTY
