"""Suites are counted as they ended: nothing that failed is taken for passed."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from _tasks.report import close
from _tasks.running import Outcome, run
from _tasks.steps import ROOT, SUITES, Step, _at_a_time, _tests
from _tasks.together import Together


def pytest_step(folder: Path, body: str) -> Step:
    (folder / "test_it.py").write_text(body)
    return Step("it", ("pytest", "-q", "-p", "no:cacheprovider"), folder, counts_tests=True)


def counts(step: Step) -> tuple[int, int, int]:
    outcome = run(step, stream=False)
    return outcome.passed, outcome.failed, outcome.skipped


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("def test_a(): pass\ndef test_b(): pass\n", (2, 0, 0)),
        ("def test_a(): assert 0\ndef test_b(): pass\n", (1, 1, 0)),
        ("import pytest\ndef test_a(): pytest.skip('x')\ndef test_b(): pass\n", (1, 0, 1)),
        ("def test_a(:\n", (0, 1, 0)),
        ("", (0, 1, 0)),
    ],
    ids=["passed", "failed", "skipped", "does not parse", "no test"],
)
def test_pytest_is_counted_test_by_test(
    tmp_path: Path, body: str, expected: tuple[int, int, int]
) -> None:
    assert counts(pytest_step(tmp_path, body)) == expected


SHARING = """
from pathlib import Path
import pytest

@pytest.fixture(scope="module")
def made():
    with Path("made").open("a") as file:
        file.write("once ")

@pytest.mark.parametrize("number", range(8))
def test_it(made, number):
    pass
"""


@pytest.mark.slow
def test_what_a_file_shares_is_made_once_however_many_run_at_once(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(SHARING)
    (tmp_path / "test_more.py").write_text("def test_a(): pass\ndef test_b(): pass\n")
    assert counts(_tests("it", tmp_path, *_at_a_time(2))) == (10, 0, 0)
    assert (tmp_path / "made").read_text() == "once "


def test_only_a_file_that_shares_something_stays_together(tmp_path: Path) -> None:
    (tmp_path / "sharing.py").write_text(SHARING)
    (tmp_path / "alone.py").write_text(SHARING.replace("module", "function"))
    scheduler = object.__new__(Together)
    scheduler.config = SimpleNamespace(rootpath=tmp_path)
    assert scheduler._split_scope("sharing.py::test_it[1]") == "sharing.py"
    assert scheduler._split_scope("alone.py::test_it[1]") == "alone.py::test_it[1]"


def test_any_other_program_counts_as_one(tmp_path: Path) -> None:
    assert counts(Step("good", ("python", "-c", ""), tmp_path)) == (1, 0, 0)
    assert counts(Step("bad", ("python", "-c", "raise SystemExit(3)"), tmp_path)) == (0, 1, 0)


def test_a_suite_whose_folder_is_missing_has_failed(tmp_path: Path) -> None:
    outcome = run(Step("gone", ("python", "-c", ""), tmp_path / "gone"), stream=False)
    assert outcome.failed == 1
    assert "there is no folder" in outcome.output


def test_the_closing_line_stands_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outcomes = [Outcome("a", 0.1, 3, 0, 1), Outcome("b", 0.1, 2, 1, 0)]
    assert close(outcomes, tmp_path / "new" / "results.json") == 1
    assert capsys.readouterr().out == "5 passed, 1 failed, 1 skipped\n"
    steps = json.loads((tmp_path / "new" / "results.json").read_text())["steps"]
    assert [step["failed"] for step in steps] == [0, 1]


def test_an_unknown_suite_is_refused_with_the_cure() -> None:
    done = script("test", "--only", "nothing")
    assert done.returncode == 2
    assert done.stdout == "error: no suite 'nothing': see ./scripts/test --list\n"


def test_the_suites_are_listed() -> None:
    assert script("test", "--list").stdout.splitlines() == [suite.name for suite in SUITES]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bench", "check", "demo", "docs", "test", "update"])
def test_every_script_explains_itself(name: str) -> None:
    done = script(name, "--help")
    assert done.returncode == 0, done.stderr
    assert "--help" in done.stdout


def script(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / name), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)
