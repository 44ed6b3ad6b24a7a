"""Several processes: one schedule dealt among them, and nothing lost on the way back."""

from __future__ import annotations

import json

import msgpack  # type: ignore[import-untyped]
import pytest
from bank_conformance.deciders.stable_latency import Latency
from bank_simulations.load.clock import CpuWindow
from bank_simulations.load.measurement import Observation
from bank_simulations.load.population import Population
from bank_simulations.load.reads import ReadSeen
from bank_simulations.load.scenario import Accounts, Read, Scenario, Step
from bank_simulations.load.setting import Setting
from bank_simulations.load.share import Share, pack, unpack
from hypothesis import given
from hypothesis import strategies as st

STEPS = (Step(name="calm", rate=50.0, seconds=2.0), Step(name="burst", rate=200.0, seconds=1.0))
SCENARIO = Scenario(
    title="a test",
    accounts=Accounts(count=10, hot_count=2, hot_share=0.3),
    reads=(Read(kind="balance", per_transfer=0.5), Read(kind="history", per_transfer=1.5)),
    steps=STEPS,
)
POPULATION = Population(tuple(f"acc_{number}" for number in range(10)), "EUR", 100)
SETTING = Setting(SCENARIO, "run", POPULATION, None, ("balance", "history"), ("a", "b"))
times = st.floats(0.0, 100.0)


@given(st.integers(1, 7))
def test_every_arrival_is_in_exactly_one_process(processes: int) -> None:
    whole = SETTING.work()
    parts = [whole.deal(process, processes) for process in range(processes)]
    transfers = [planned for part in parts for planned in part.transfers]
    reads = [planned for part in parts for planned in part.reads]
    assert sorted(transfers, key=lambda each: each.number) == list(whole.transfers)
    assert sorted(reads, key=lambda each: each.due_seconds) == list(whole.reads)
    assert {part.last_due_seconds for part in parts} == {whole.last_due_seconds}


def test_every_process_draws_the_same_schedule() -> None:
    elsewhere = Setting.read(json.loads(json.dumps(SETTING.document())))
    assert elsewhere.work() == SETTING.work()
    assert elsewhere.stretches() == SETTING.stretches()


def test_reads_come_at_their_rate_and_only_the_kinds_that_are_offered() -> None:
    work = SETTING.work()
    kinds = [read.kind for read in work.reads]
    assert kinds.count("history") == pytest.approx(450, rel=0.2)
    assert kinds.count("balance") == pytest.approx(150, rel=0.3)
    poorer = Setting(SCENARIO, "run", POPULATION, None, ("balance",), ("a", "b"))
    assert {read.kind for read in poorer.work().reads} == {"balance"}
    assert poorer.work().transfers == work.transfers


@given(st.lists(st.tuples(times, times, st.booleans(), st.integers(0, 9)), max_size=20))
def test_a_share_comes_back_as_it_was_sent(rows: list[tuple[float, float, bool, int]]) -> None:
    work = SETTING.work()
    share = Share(1, gave_up_at_seconds=9.5, cpu=[CpuWindow(0.0, 5.0, 0.4)])
    for place, (started, took, flag, count) in enumerate(rows):
        interval = Latency(started, started + took)
        share.observations.append(
            Observation(
                planned=work.transfers[place],
                started_seconds=started,
                answered_seconds=took if flag else None,
                refusal="insufficient-funds" if count == 3 else None,
                seen={"source": interval} if flag else {},
                ended=interval if flag else None,
                vanished=flag,
                attempts=count,
                looks=count,
                asked_at=started,
                decided_at=took if flag else None,
            )
        )
        share.reads.append(ReadSeen(work.reads[place], started, took if flag else None, "x"))
    share.dropped = list(work.transfers[30:33])
    share.reads_dropped = list(work.reads[30:32])
    sent = msgpack.loads(msgpack.dumps(pack(share)), strict_map_key=False)  # as Locust does
    assert unpack(sent, work) == share


def test_a_process_that_died_leaves_its_part_missing_and_in_doubt() -> None:
    part = SETTING.work().deal(1, 3)
    lost = Share.lost(1, part, "ended with code -9")
    generator = lost.generator(SETTING.stretches())
    assert (generator.dropped_count, generator.planned_count) == (part.count, part.count)
    assert "process 2 ended with code -9" in generator.breaches(SCENARIO.limits)[0]
    assert [seen.planned for seen in lost.in_doubt()] == list(part.transfers)
    assert lost.measure(2.0).total().fates.total() == len(part.transfers)


def test_the_generator_is_judged_by_the_steps_the_claim_is_about() -> None:
    calm, burst = SETTING.stretches()
    share = Share(0, cpu=[CpuWindow(0.0, 2.0, 0.2), CpuWindow(2.0, 3.0, 0.99)])
    for planned in SETTING.work().transfers:
        lag = 0.001 if planned.step == "calm" else 0.5
        share.observations.append(Observation(planned, lag))
    share.dropped.append(share.observations.pop().planned)
    assert share.generator([calm]).breaches(SCENARIO.limits) == []
    assert len(share.generator([burst]).breaches(SCENARIO.limits)) == 3
    assert share.generator([calm]).planned_count == len(calm.due)
