"""The suite can fail: each mutant of the reference bank is caught by its named id."""

from __future__ import annotations

from dataclasses import replace

import anyio
import msgspec
import pytest
from bank_conformance import selftest
from bank_conformance.catalogue import catalogue
from bank_conformance.reference.bank import STEP_SECONDS
from bank_conformance.reference.mutants import MUTANTS, Mutant
from bank_conformance.runner import Run, run
from bank_conformance.serving import serving
from bank_conformance.verdict import Verdict
from builders import Silent

pytestmark = pytest.mark.slow


async def _decide(only: list[str], step_seconds: float = STEP_SECONDS, **limits: float) -> Run:
    async with serving(step_seconds=step_seconds) as bank:
        stretched = msgspec.structs.replace(bank.target.limits, **limits)
        target = replace(bank.target, limits=stretched)
        chosen = [catalogue()[one] for one in only]
        return await run(target, chosen, seed=1, reporter=Silent())


def test_a_bank_that_takes_its_time_is_clean_too() -> None:
    """Half a second a transfer: what a batch began is waited for before effects are counted."""

    async def decide() -> Run:
        return await _decide(["CON-1", "CON-3", "IDEM-1", "IDEM-2"], 0.5)

    outcome = anyio.run(decide)
    assert [one.decision.reason for one in outcome.results if one.verdict != Verdict.PASS] == []


@pytest.mark.parametrize("name", MUTANTS)
def test_every_mutant_is_killed_by_the_requirement_named_for_it(name: str) -> None:
    async def attempt() -> selftest.Trial:
        return await selftest.try_bank(name, Silent(), seed=7)

    trial = anyio.run(attempt)
    assert trial.executions > 0, "its broken line never ran"
    assert trial.passed, trial.reasons


def test_a_mutant_whose_broken_line_never_ran_is_not_killed() -> None:
    trial = selftest.Trial("M01", MUTANTS["M01"], {"ORD-1": Verdict.FAIL}, executions=0)
    assert not trial.passed
    assert trial.outcome == "its broken line never ran"


def test_a_mutant_that_does_not_start_is_not_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    unknown = Mutant("M99", ("ORD-1",), "is not there", MUTANTS["M01"].parts)
    monkeypatch.setitem(MUTANTS, "M99", unknown)

    async def attempt() -> selftest.Trial:
        return await selftest.try_bank("M99", Silent(), seed=7)

    trial = anyio.run(attempt)
    assert not trial.passed
    assert trial.outcome.startswith("did not start")


def test_too_small_a_sample_is_inconclusive_never_a_pass() -> None:
    async def decide() -> Run:
        return await _decide(["CON-5"], visibility_transfers=30)

    outcome = anyio.run(decide)
    assert outcome.results[0].verdict is Verdict.INCONCLUSIVE
    assert outcome.exit_code == 3
