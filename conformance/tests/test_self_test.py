"""The suite can fail: the reference bank is clean, and each mutant is caught by its named id."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import fromstring

import anyio
import msgspec
import pytest
import yaml
from bank_conformance import selftest
from bank_conformance.catalogue import catalogue
from bank_conformance.deciders.scanner import Scanner
from bank_conformance.redaction import JWT
from bank_conformance.reference.bank import STEP_SECONDS
from bank_conformance.reference.mutants import MUTANTS, Mutant
from bank_conformance.report import document, write_all
from bank_conformance.requirements import CHECKS
from bank_conformance.runner import Run, run
from bank_conformance.serving import serving
from bank_conformance.verdict import Verdict
from builders import Silent

pytestmark = pytest.mark.slow

CANARY = re.compile(r"[\w ,.@+-]{8,}")
"""What is shorter is found by chance; anything else is an attack, and nobody's."""


async def _decide(only: list[str], step_seconds: float = STEP_SECONDS, **limits: float) -> Run:
    async with serving(step_seconds=step_seconds) as bank:
        stretched = msgspec.structs.replace(bank.target.limits, **limits)
        target = replace(bank.target, limits=stretched)
        chosen = [catalogue()[one] for one in only]
        return await run(target, chosen, seed=1, reporter=Silent())


@pytest.fixture(scope="module")
def reference() -> Run:
    return anyio.run(_decide, list(CHECKS))


@pytest.mark.xdist_group("reference")
@pytest.mark.parametrize("requirement_id", CHECKS)
def test_the_reference_bank_is_clean(reference: Run, requirement_id: str) -> None:
    found = {one.requirement_id: one for one in reference.results}[requirement_id]
    assert found.verdict is Verdict.PASS, found.decision.reason


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


@pytest.mark.xdist_group("reference")
def test_the_reports_are_whole_and_name_nobody(reference: Run, tmp_path: Path) -> None:
    write_all(tmp_path, document(reference), reference)
    page = (tmp_path / "report.html").read_text()
    assert not re.search(r"<(script|link|img)|src=|@import|url\(", page)
    assert all(one in page for one in CHECKS)
    suite = fromstring((tmp_path / "junit.xml").read_text())  # noqa: S314  our own
    assert suite.get("tests") == str(len(CHECKS))
    assert yaml.safe_load((tmp_path / "results.yaml").read_text())["verdict"] == "conformant"
    _assert_nothing_private(reference, tmp_path)


def _assert_nothing_private(outcome: Run, folder: Path) -> None:
    secrets = set(outcome.tokens)
    for operation in (one for history in outcome.histories for one in history):
        body = operation.call.body if isinstance(operation.call.body, dict) else {}
        personal = body.get("personal")
        values = personal.values() if isinstance(personal, dict) else ()
        secrets |= {one for one in values if isinstance(one, str) and CANARY.fullmatch(one)}
    assert len(secrets) > 20
    found = Scanner({f"secret {n}": one for n, one in enumerate(sorted(secrets))}).scan_folder(
        folder
    )
    assert found.files >= 5 + len(outcome.histories)
    assert [str(one) for one in found.sightings] == []
    texts = {path.name: path.read_text() for path in folder.rglob("*") if path.is_file()}
    assert [name for name, text in texts.items() if JWT.search(text)] == []
