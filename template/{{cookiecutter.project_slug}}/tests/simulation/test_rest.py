"""What is looked at once all is at rest: each look sees what it is for."""

import asyncio
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
import typer
from msgspec import structs
from typer.testing import CliRunner

from ourbank.application.transfers import Transfers
from ourbank.application.worker import Worker
from ourbank.bootstrap import CALL_SECONDS_MAX
from ourbank.domain.rejection import Rejection
from ourbank.eventsourcing.lease import Leases
from ourbank.eventsourcing.log import LogUnavailableError
from ourbank.eventsourcing.memory_projection import (
    MemoryReadModels,
)
from ourbank.eventsourcing.projection import Projector
from ourbank.privacy.erasure import Eraser
from ourbank.readmodels import ACCOUNTS, READ_MODELS

from .test_loop import Somebody
from simulation import console, corpus, process
from simulation.campaign import Summary, campaign
from simulation.database import Database
from simulation.ends import End
from simulation.faults import Fault, Kind
from simulation.loop import OWNER, SimulatedLoop
from simulation.names import Names
from simulation.plan import Knobs, Plan, draw
from simulation.run import play
from simulation.wire import Wire
from simulation.workloads import WEIGHTS
from simulation.world import EPOCH

SEEDS_MAX = 60
ODD_VERSION = 3
QUIET = Plan(seed=1)


def found(altered: Callable[[Plan], Plan] = lambda plan: plan) -> str:
    """What the first seed tells that fails."""
    for seed in range(1, SEEDS_MAX + 1):
        if violations := play(altered(draw(seed, WEIGHTS))).violations:
            return " ".join(violations)
    return "nothing"


async def nothing(*_: Any, **__: Any) -> int:
    return 0


def test_an_end_that_nothing_came_to_is_named_as_a_fault_is() -> None:
    summary = Summary()
    summary.sometimes.update([*Kind, *End])
    assert not summary.never
    del summary.sometimes[End.EXPIRED]
    assert summary.never == ["transfer out of time"]
    summary.seeds = 1_000
    assert not summary.passed


def test_the_way_back_is_taken_within_fifty_seeds() -> None:
    summary = campaign(range(1, 51), jobs=1)
    often = {End.COMPLETED, End.REVERSED, End.CANCELLED, End.LATE, End.UNFUNDED}
    assert often <= summary.sometimes.keys()


@pytest.mark.parametrize(
    ("where", "name", "told"),
    [
        (Worker, "_expire_holds", "is not ended"),
        (Eraser, "resume", "nobody carries it on"),
        (Eraser, "sweep", "narrative='s1."),
        (Projector, "advance", "does not show"),
    ],
)
def test_what_nobody_sees_to_is_found(
    where: type, name: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(where, name, nothing)
    assert told in found()


def test_a_row_that_stands_still_without_a_poison_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def evolve(row: Any, recorded: Any, key: Any) -> Any:
        if row is not None and recorded.version == ODD_VERSION:
            raise ValueError
        return ACCOUNTS.evolve(row, recorded, key)

    models = [replace(m, evolve=evolve) if m is ACCOUNTS else m for m in READ_MODELS]
    monkeypatch.setattr(process, "READ_MODELS", models)
    assert "stands still, and no poison struck it" in found()


def test_a_row_that_moves_on_behind_a_poison_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    async def forgotten(*_: Any) -> set[tuple[str, ...]]:
        return set()

    def poisoned(plan: Plan) -> Plan:
        poison = [Fault(0.5, Kind.POISON, n) for n in range(3)]
        crash = [Fault(4.0, Kind.CRASH, n) for n in range(3)]
        return structs.replace(plan, faults=(*poison, *crash), knobs=Knobs(processes=3))

    assert found(poisoned) == "nothing"
    monkeypatch.setattr(MemoryReadModels, "parked", forgotten)
    assert "set aside" in found(poisoned)


def test_a_refusal_without_a_reason_is_found_where_nothing_is_wrong(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def refused(*_: Any) -> Rejection:
        return Rejection("account-blocked", "")

    assert not play(QUIET).violations
    monkeypatch.setattr(Transfers, "_command", refused)
    assert "ends with 'account-blocked'" in play(QUIET).violations[0]


def test_with_one_process_a_stolen_lease_is_a_strangers(monkeypatch: pytest.MonkeyPatch) -> None:
    stolen = structs.replace(QUIET, faults=(Fault(7.5, Kind.LEASE_STOLEN),))
    run = play(stolen)
    assert not run.violations
    assert run.sometimes[Kind.LEASE_STOLEN] == 1
    monkeypatch.setattr(Leases, "_resume", nothing)
    assert play(stolen).violations


def test_who_waits_too_long_for_a_partition_is_told_so() -> None:
    async def waiting() -> None:
        loop = asyncio.get_running_loop()
        database = Database(1, lambda: EPOCH, lambda _: asyncio.sleep(CALL_SECONDS_MAX))
        database.lock(0, CALL_SECONDS_MAX - 1)
        await asyncio.sleep(0.1)
        await database.log.append(0, [], 0)  # the lock is free in time, and commits may take long
        database.lock(0, CALL_SECONDS_MAX + 2)
        await asyncio.sleep(0.1)
        began = loop.time()
        with pytest.raises(LogUnavailableError, match="statement timeout"):
            await database.log.append(0, [], 0)
        assert loop.time() - began == CALL_SECONDS_MAX

    simulated = SimulatedLoop(Random(1))
    simulated.run_until_complete(waiting())
    simulated.bury()


def test_what_was_sent_arrives_although_its_sender_is_stopped() -> None:
    arrived: list[float] = []

    class Server:
        is_up, generation = True, 0

        async def append(self) -> None:
            arrived.append(asyncio.get_running_loop().time())

        async def claim(self) -> None:
            await self.append()

    async def stopped(verb: str) -> None:
        sender = Somebody()
        context = copy_context()
        context.run(OWNER.set, sender)
        loop = asyncio.get_running_loop()
        wire = Wire(
            Server(), LogUnavailableError, lambda: 0.5, lambda _: None, lambda _: None, sender.crash
        )
        asking = wire.call(verb, getattr(Server(), verb))
        asked = loop.create_task(asking, context=context)
        await asyncio.sleep(0.1)
        sender.paused_until = loop.time() + 10
        await asked

    for verb in ("append", "claim"):
        simulated = SimulatedLoop(Random(1))
        simulated.run_until_complete(stopped(verb))
        simulated.bury()
    assert arrived == [0.5, pytest.approx(10.1)]


def test_a_line_names_things_in_a_way_that_a_person_can_follow() -> None:
    one, other = f"acc_{1:032x}", f"acc_{2:032x}"
    names = Names()
    line = f'{other} pays {one} {{"from":"{other}","note":null,"narrative":"s1.ab.cd-_"}}'
    assert names.readable(line) == 'acc-1 pays acc-2 {"from":"acc-1","narrative":"…"}'
    assert names.readable(f"{one} and trf_{3:032x}") == "acc-2 and trf-1"


def test_a_case_is_made_small_under_its_own_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(corpus, "FOLDER", tmp_path)
    monkeypatch.setattr(Projector, "advance", nothing)
    corpus.keep("blind", corpus.Case("", draw(1, WEIGHTS)))
    application = typer.Typer()
    application.command()(console.simulate)
    done = CliRunner().invoke(application, ["--case", "blind", "--shrink"])
    assert done.exit_code == 1
    assert "acc-1" in done.output
    assert [*corpus.cases()] == ["blind"]
    assert len(corpus.cases()["blind"].plan.acts) < len(draw(1, WEIGHTS).acts)
