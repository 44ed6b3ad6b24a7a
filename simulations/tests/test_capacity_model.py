"""The model of the bank: what must hold of it whatever the costs are."""

from __future__ import annotations

from dataclasses import replace

import pytest
from bank_simulations.capacity.costs import (
    BATCH_MAX,
    COMMANDS,
    EVENTS,
    GUESS,
    PASS_SECONDS_MIN,
    Costs,
    Layout,
)
from bank_simulations.capacity.means import busy
from bank_simulations.capacity.simulate import Offer, simulate
from bank_simulations.load.watch import FIRST_LOOK_SECONDS

STEADY = replace(GUESS, variation=1e-9)
OWN = Layout(api_count=2, worker_count=2, partition_count=8, machine_cores=0, database_cores=4)
DEFAULT = Layout()


def test_the_same_seed_gives_the_same_run_and_another_seed_another() -> None:
    offer = Offer(300, rate=100.0)
    runs = [simulate(GUESS, DEFAULT, offer, seed) for seed in (1, 1, 2)]
    assert runs[0] == runs[1]
    assert runs[0].visible_seconds != runs[2].visible_seconds


def test_every_transfer_is_answered_and_becomes_visible() -> None:
    for offer in (Offer(400, rate=400.0), Offer(400, in_flight=50), Offer(400, rate=50.0, reads=2)):
        seen = simulate(GUESS, DEFAULT, offer)
        assert len(seen.answered_seconds) == len(seen.visible_seconds) == 400


def test_one_transfer_alone_takes_what_its_stages_take() -> None:
    """By hand: the request, three batches of one, each decided, stored and flushed; then a look."""
    seen = simulate(STEADY, DEFAULT, Offer(1, in_flight=1))
    stored = COMMANDS * (STEADY.write + STEADY.flush) + EVENTS * STEADY.row
    answered = STEADY.observer + STEADY.request + COMMANDS * STEADY.batch + stored
    assert seen.answered_seconds == [pytest.approx(answered, rel=0.6)]
    assert seen.answered_seconds[0] >= answered - 1e-9
    assert seen.visible_seconds[0] >= answered + FIRST_LOOK_SECONDS + 2 * STEADY.look


def test_a_worker_of_its_own_passes_at_most_every_20_milliseconds() -> None:
    slow = replace(STEADY, projection=1e-6, fold=1e-9, write=1e-6, row=1e-9, flush=1e-6)
    seen = simulate(slow, replace(OWN, api_count=1), Offer(2_000, rate=400.0, reads=0))
    waits = [
        visible - answered
        for visible, answered in zip(
            sorted(seen.visible_seconds), sorted(seen.answered_seconds), strict=True
        )
    ]
    assert 0 < sum(waits) / len(waits) <= PASS_SECONDS_MIN + 0.003


def test_batches_grow_with_the_load_and_never_beyond_the_limit() -> None:
    sizes = [
        simulate(GUESS, DEFAULT, Offer(1_500, in_flight=n)).batch_commands for n in (1, 32, 256)
    ]
    assert sizes[0] == 1.0
    assert sizes[0] < sizes[1] < sizes[2] <= BATCH_MAX


def test_work_is_neither_lost_nor_doubled() -> None:
    """Processor seconds of a run are those of its parts, counted by hand."""
    offer = Offer(800, rate=60.0)
    seen = simulate(STEADY, DEFAULT, offer)
    batches = COMMANDS * 800 / seen.batch_commands
    looks = seen.looks + 800  # and one more look later
    requests = 800 + looks
    assert seen.cpu_seconds["observer"] == pytest.approx(requests * STEADY.observer, rel=0.02)
    least = 800 * STEADY.request + batches * STEADY.batch + looks * STEADY.look
    folded = 800 * EVENTS * STEADY.fold
    passes = (seen.cpu_seconds["api"] - least - folded) / STEADY.projection
    assert 0 < passes <= batches


@pytest.mark.parametrize("rate", [100.0, 250.0])
def test_the_averages_without_simulation_agree_with_the_simulation(rate: float) -> None:
    seen = simulate(GUESS, OWN, Offer(6_000, rate=rate, reads=2))
    seconds = max(seen.ended_at)
    found = busy(GUESS, OWN, rate, reads=2)
    assert found.api == pytest.approx(seen.cpu_seconds["api"] / seconds / 2, rel=0.1)
    assert found.worker == pytest.approx(seen.cpu_seconds["worker"] / seconds / 2, rel=0.15)
    assert found.database == pytest.approx(seen.cpu_seconds["database"] / seconds, rel=0.15)
    assert found.batch_commands == pytest.approx(seen.batch_commands, rel=0.15)


def test_another_api_process_pays_for_what_the_others_append() -> None:
    costly = replace(GUESS, fold=300e-6)
    alone = busy(costly, replace(OWN, api_count=1), 100.0, reads=0).api
    each_of_two = busy(costly, OWN, 100.0, reads=0).api
    assert each_of_two > alone / 2 + EVENTS * 100 / 2 * costly.fold * 0.99


def test_costs_and_their_logarithms_are_the_same() -> None:
    again = Costs.from_logs(GUESS.logs())
    assert again.logs() == pytest.approx(GUESS.logs())


def test_several_api_processes_need_workers() -> None:
    with pytest.raises(ValueError, match="workers of their own"):
        Layout(api_count=2, worker_count=0)


def test_a_lock_that_is_always_taken_is_told_from_one_that_is_not() -> None:
    """Large batches let every command through a crowded lock, which is busy all the same."""
    slow = replace(GUESS, flush=30e-3)
    crowd = Layout(api_count=8, worker_count=2, partition_count=4, machine_cores=0)
    spread = replace(crowd, partition_count=64)
    assert busy(slow, crowd, 400.0, reads=0).lock > 0.85
    assert busy(slow, spread, 400.0, reads=0).lock < 0.7
    waited = [
        simulate(slow, layout, Offer(1_500, rate=400.0, reads=0)).percentile(99)
        for layout in (crowd, spread)
    ]
    assert waited[0] > 2 * waited[1]
