"""What a run decides: about what is claimed, in each step and phase, and with its reads."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from bank_conformance.deciders.stable_latency import Latency
from bank_simulations.load.clock import CpuWindow
from bank_simulations.load.conclude import Seen, conclude
from bank_simulations.load.events import Mark
from bank_simulations.load.measurement import Observation
from bank_simulations.load.population import Population
from bank_simulations.load.reads import Reads, ReadSeen, ReadTally, day_before
from bank_simulations.load.scenario import Accounts, Claim, Read, Scenario, Step
from bank_simulations.load.setting import Setting
from bank_simulations.load.share import Share
from bank_simulations.load.verdict import Decision
from bank_simulations.report.load_page import render

if TYPE_CHECKING:
    from collections.abc import Callable

    from bank_simulations.load.result import Run

STEPS = (
    Step(name="half", rate=50.0, transfers=400),
    Step(name="most", rate=90.0, transfers=400),
    Step(name="beyond", rate=130.0, transfers=400),
)
ALL, FIRST = Claim(share=0.99), Claim(share=0.99, steps=("half", "most"))
BALANCES = Read(kind="balance", per_transfer=0.5, bound_seconds=0.2, share=0.9)
MET, VIOLATED, INVALID = Decision.MET, Decision.VIOLATED, Decision.INVALID


def run(
    claim: Claim,
    *,
    took: Callable[[str, float], float] = lambda _step, _due: 0.03,
    lag: Callable[[str], float] = lambda _: 0.001,
    read_took: float | None = None,
    marks: tuple[Mark, ...] = (),
    findings: tuple[str, ...] = (),
) -> Run:
    """A run of two processes in which a transfer takes as long as `took` says."""
    reads = (BALANCES,) if read_took is not None else ()
    scenario = Scenario(
        title="a test", claim=claim, reads=reads, steps=STEPS, accounts=Accounts(count=10)
    )
    population = Population(tuple(map(str, range(10))), "EUR", 100)
    setting = Setting(scenario, "run", population, None, ("balance",), ("", ""))
    shares = [Share(process, 99.0, cpu=[CpuWindow(0.0, 5.0, 0.2)]) for process in range(2)]
    for share in shares:
        part = setting.work().deal(share.process, 2)
        for planned in part.transfers:
            seconds = took(planned.step, planned.due_seconds)
            ended = Latency(seconds - 0.01, seconds)
            sides = {"source": ended, "target": ended}
            late = lag(planned.step)
            share.observations.append(Observation(planned, late, 0.01, None, sides, ended))
        share.reads = [ReadSeen(planned, 0.001, read_took) for planned in part.reads]
    seen = Seen(shares, marks, findings, None)
    return conclude("test", "http://x", datetime.now(UTC), setting, seen)


def decisions(found: Run) -> list[str]:
    return [step.verdict.decision.value for step in found.steps]


def test_a_claim_about_some_steps_is_not_touched_by_the_others() -> None:
    def took(step: str, _: float) -> float:
        return 5.0 if step == "beyond" else 0.03

    found = run(FIRST, took=took)
    assert found.verdict.decision is MET
    assert found.verdict.transfers == 800
    assert decisions(found) == ["met", "met", "violated"]
    assert found.measured.total().fates.total() == 1_200
    assert run(ALL, took=took).verdict.decision is VIOLATED
    assert render(found.document()).count("<svg") >= 5


def test_the_generator_may_fall_behind_in_what_is_not_claimed() -> None:
    def lag(step: str) -> float:
        return 0.5 if step == "beyond" else 0.001

    found = run(FIRST, lag=lag)
    assert found.verdict.decision is MET
    assert decisions(found) == ["met", "met", "invalid"]
    whole = run(ALL, lag=lag)
    assert whole.verdict.decision is INVALID
    assert "process 1: p99 of the schedule lag" in whole.verdict.reasons[0]
    assert "process 2: p99 of the schedule lag" in whole.verdict.reasons[1]


def test_wrong_books_violate_whatever_is_claimed() -> None:
    found = run(FIRST, findings=("acc_1 shows 3 where the transfers leave 4 to 4",))
    assert found.verdict.decision is VIOLATED


def test_an_event_that_failed_makes_the_run_invalid() -> None:
    found = run(ALL, marks=(Mark(1.0, "kill (exit code 3)", 1.2, failed=True),))
    assert found.verdict.decision is INVALID


@pytest.mark.parametrize(("read_took", "decision"), [(0.1, MET), (0.3, VIOLATED), (-1.0, VIOLATED)])
def test_reads_can_only_make_it_worse(read_took: float, decision: Decision) -> None:
    found = run(ALL, read_took=None if read_took < 0 else read_took)
    if read_took < 0:
        found = run(ALL, read_took=0.3, took=lambda _step, _due: 3.0)
    assert found.verdict.decision is decision
    assert bool(found.verdict.reasons) == (decision is VIOLATED)


def test_phases_add_up_and_recovery_is_timed() -> None:
    def took(_: str, due: float) -> float:
        return max(0.03, 6.0 - due) if 4.0 <= due < 6.0 else 0.03

    found = run(Claim(share=0.9), took=took, marks=(Mark(4.0, "pause", 5.0),))
    counts = {phase: tally.fates.total() for phase, tally in found.phases.items()}
    assert sum(counts.values()) == 1_200
    assert found.phases["baseline"].ended.worst_seconds < 0.04
    assert found.phases["fault"].ended.worst_seconds > 1.9
    (recovery,) = found.recoveries
    assert recovery.seconds == 1.0


def test_a_read_is_weighed_by_its_own_bound() -> None:
    tally = ReadTally(BALANCES)
    planned: Any = None
    for took in [0.1] * 95 + [0.3] * 2 + [None]:
        tally.take(ReadSeen(planned, 0.0, took, None if took else "not-found"))
    tally.drop()
    assert (tally.count, tally.late, tally.failed, tally.dropped) == (99, 2, 1, 1)
    assert tally.refusals == {"not-found": 1}
    assert tally.took.count == 97
    assert tally.weigh(0.95).decision is MET
    assert tally.weigh(0.9999).decision is Decision.INCONCLUSIVE


def test_statements_are_of_the_day_before() -> None:
    at = datetime(2026, 11, 23, 14, 5, 6, tzinfo=UTC)
    day = day_before(at)
    assert day == ("2026-11-22T14:05:06Z", "2026-11-23T14:05:06Z")
    bank: Any = None
    reads = Reads(bank, ("acc_1",), bank, day)
    assert reads.path("statement", "acc_1") == (
        "/v1/accounts/acc_1/statement?from=2026-11-22T14:05:06Z&to=2026-11-23T14:05:06Z"
    )
