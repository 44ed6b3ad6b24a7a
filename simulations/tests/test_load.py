"""The load from end to end: each known fault of the stub is noticed, and a good bank is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from bank_simulations.stub.faults import Faults
from bank_simulations.stub.process import serve
from conftest import ANY_MACHINE, PATIENT

if TYPE_CHECKING:
    from conftest import Ended, RunCommand, WriteScenario

pytestmark = pytest.mark.slow


def load(run_command: RunCommand, scenario: str, faults: Faults, *more: str) -> Ended:
    with serve(faults) as url:
        return run_command("load", scenario, "--url", url, "--json", "result.json", *more)


def test_a_good_bank_meets_the_claim_and_the_delay_is_measured(
    run_command: RunCommand, write_scenario: WriteScenario
) -> None:
    delayed = Faults(visible_after_seconds=0.12, lost_share=0.2)
    ended = load(run_command, write_scenario(claim=PATIENT), delayed, "--html", "report.html")
    assert ended.code == 0, ended.err
    assert "The bound held. 100 of 100 transfers" in ended.out
    total = ended.result["total"]
    assert total["fates"] == {"in time": 100}
    assert total["requests"] > 100  # lost answers are asked for again, under the same key
    assert 0.12 <= total["visible"]["p50"] <= 3.0
    assert ended.result["verdict"]["share_supported"] >= 0.96


def test_a_late_read_model_violates(run_command: RunCommand, write_scenario: WriteScenario) -> None:
    ended = load(run_command, write_scenario(), Faults(visible_after_seconds=0.8))
    assert ended.code == 1
    assert "in time" not in ended.result["total"]["fates"]
    assert ended.result["total"]["fates"]["late"] > 50
    assert " late" in ended.out


@pytest.mark.parametrize(
    ("faults", "told"),
    [
        (Faults(flapping_share=0.2), "vanished again"),
        (Faults(silent_share=0.2), "unresolved"),
        (Faults(refused_share=0.2), "not as the model allows"),
        (Faults(lost_share=0.2, deaf_to_keys=True), "where the transfers leave"),
        (Faults(dangling_share=0.1), "still holds"),
    ],
)
def test_a_bank_that_is_wrong_violates(
    run_command: RunCommand, write_scenario: WriteScenario, faults: Faults, told: str
) -> None:
    ended = load(run_command, write_scenario(), faults)
    assert ended.code == 1
    assert told in ended.out


def test_refusals_that_the_model_expects_are_fine(
    run_command: RunCommand, write_scenario: WriteScenario
) -> None:
    poor = {"count": 4, "customers": 2, "opening_minor": 500, "amount_max_minor": 1000}
    scenario = write_scenario(accounts=poor, claim=PATIENT)
    ended = load(run_command, scenario, Faults(visible_after_seconds=0.05))
    assert ended.code == 0, ended.out
    assert ended.result["total"]["refusals"]["insufficient-funds"] > 10


def test_a_full_pool_drops_arrivals_and_makes_the_run_invalid(
    run_command: RunCommand, write_scenario: WriteScenario
) -> None:
    tight = {"in_flight_max": 2, **ANY_MACHINE}
    ended = load(run_command, write_scenario(limits=tight), Faults(visible_after_seconds=0.2))
    assert ended.code == 4
    assert ended.result["generator"]["dropped_count"] > 50
    assert "were dropped" in ended.out


def test_events_are_carried_out_and_marked(
    run_command: RunCommand, write_scenario: WriteScenario
) -> None:
    ended = load(run_command, write_scenario(), Faults(), "--at", "0.5=touch happened; exit 3")
    (mark,) = ended.result["marks"]
    assert mark["at_seconds"] >= 0.5
    assert mark["label"] == "touch happened; exit 3 (exit code 3)"


def test_a_bank_that_is_not_there_is_told_in_one_line(
    run_command: RunCommand, write_scenario: WriteScenario
) -> None:
    with serve() as url:
        gone = url
    ended = run_command("load", write_scenario(), "--url", gone)
    assert ended.code == 4
    assert "the run broke off: no answer from" in ended.err
    assert ended.err.count("\n") == 1


def test_the_harness_proves_itself(run_command: RunCommand) -> None:
    ended = run_command("load", "--self-test", "--json", "result.json")
    assert ended.code == 0, ended.out
    proof = ended.result
    assert proof["open_loop"]["low"] <= proof["analytic_share"] <= proof["open_loop"]["high"]
    assert proof["closed_loop"]["high"] < proof["analytic_share"]
    assert "the closed loop reports" in ended.out
    assert ended.out.rstrip().endswith("the harness measures what it should")
