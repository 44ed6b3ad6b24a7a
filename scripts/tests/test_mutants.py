"""The mutants of the bank's source fit it, and name what must find them."""

import ast
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from _mutants.table import FOLDER, Mutant, StaleError, mutants
from _mutants.trial import Trial
from _tasks.steps import ROOT, SERVICE, SUITES
from bank_conformance.requirements import CHECKS

MUTANTS = mutants()


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=lambda one: one.id)
def test_a_mutant_fits_the_source_once_and_counts_itself(mutant: Mutant) -> None:
    broken = mutant.source(SERVICE)
    if mutant.file.endswith(".py"):
        ast.parse(broken)
        assert broken.count("broke()") > 0
    else:
        assert "nextval('broke')" in broken


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=lambda one: one.id)
def test_a_mutant_is_found_by_requirements_that_are_built_or_by_the_simulation(
    mutant: Mutant,
) -> None:
    assert mutant.kills or mutant.simulation
    assert set(mutant.kills) <= CHECKS.keys()


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=lambda one: one.id)
def test_only_what_the_simulation_runs_is_expected_of_it(mutant: Mutant) -> None:
    out_of_reach = ("src/ourbank/http/", "src/ourbank/eventsourcing/postgres", "migrations/")
    assert not (mutant.simulation and mutant.file.startswith(out_of_reach))


def test_every_part_of_the_bank_has_its_mutants() -> None:
    assert len(MUTANTS) >= 14
    assert sum(one.simulation for one in MUTANTS.values()) >= 20
    assert sum(path.read_text().count("[[mutants]]") for path in FOLDER.glob("*.toml")) == len(
        MUTANTS
    ), "two have one id"


def test_a_mutant_whose_text_is_gone_or_there_twice_is_stale(tmp_path: Path) -> None:
    mutant = Mutant("it", "it", "it.py", "a = 1\n", "a = 2\n", ("ORD-1",))
    for text in ("b = 1\n", "a = 1\na = 1\n"):
        (tmp_path / "it.py").write_text(text)
        with pytest.raises(StaleError, match=r"it: its text occurs \d times in it\.py"):
            mutant.source(tmp_path)


@pytest.mark.parametrize(
    ("verdicts", "executions", "passed", "outcome"),
    [
        ({"ORD-1": "FAIL", "ORD-2": "FAIL"}, 3, True, "killed by ORD-1, ORD-2"),
        ({"ORD-1": "FAIL", "ORD-2": "PASS"}, 3, False, "survived: ORD-2 PASS (why)"),
        (
            {"ORD-1": "FAIL", "ORD-2": "INCONCLUSIVE"},
            3,
            False,
            "survived: ORD-2 INCONCLUSIVE (why)",
        ),
        ({"ORD-1": "FAIL", "ORD-2": "FAIL"}, 0, False, "its broken line never ran"),
    ],
)
def test_a_mutant_is_killed_by_every_name_or_not_at_all(
    verdicts: dict[str, str], executions: int, passed: bool, outcome: str
) -> None:
    mutant = Mutant("it", "it", "it.py", "a", "b", ("ORD-1", "ORD-2"))
    trial = Trial("it", mutant, verdicts, dict.fromkeys(verdicts, "why"), executions)
    assert (trial.passed, trial.outcome) == (passed, outcome)


@pytest.mark.parametrize(
    ("verdicts", "passed"),
    [({"ORD-1": "PASS"}, True), ({"ORD-1": "SKIP"}, False), ({}, False)],
)
def test_the_bank_itself_has_to_pass_what_its_mutants_fail(
    verdicts: dict[str, str], passed: bool
) -> None:
    assert Trial("the bank itself", None, verdicts).passed == passed


def test_an_unknown_mutant_is_a_mistake_of_the_caller() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "mutants"), "--only", "nobody"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, "see ./scripts/mutants --list" in done.stdout) == (2, True)


def test_the_mutants_that_are_tried_every_time_exist() -> None:
    step = next(suite for suite in SUITES if suite.name == "mutants")
    chosen = [name for option, name in pairwise(step.command) if option == "--only"]
    assert chosen
    assert set(chosen) <= MUTANTS.keys()
