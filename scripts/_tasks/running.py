"""Run steps as processes of their own, and count what passed."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .steps import CACHE, PROGRAMS, ROOT

if TYPE_CHECKING:
    from .steps import Step

STEP_SECONDS_MAX = 1_500


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a step ended; `output` is empty where it was streamed."""

    name: str
    seconds: float
    passed: int
    failed: int
    skipped: int
    output: str = ""


def run(step: Step, *, stream: bool) -> Outcome:
    """Run `step`, its output streamed or kept; a folder that is not there is a failure."""
    if not step.folder.is_dir():
        return Outcome(step.name, 0.0, 0, 1, 0, f"there is no folder {step.folder}\n")
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch, "junit.xml")
        code, output = _execute(step, report, stream=stream)
        counts = _count(report) if report.exists() else (0, 0, 0)
    seconds = time.monotonic() - started
    passed, failed, skipped = _agree(counts, code, counts_tests=step.counts_tests)
    return Outcome(step.name, seconds, passed, failed, skipped, output)


def _command(step: Step, report: Path) -> list[str]:
    program, *arguments = step.command
    counting = [f"--junitxml={report}"] if step.counts_tests else []
    return [str(PROGRAMS / program), *arguments, *counting]


def _execute(step: Step, report: Path, *, stream: bool) -> tuple[int, str]:
    """The exit code and the kept output; a step that does not end is ended."""
    try:
        done = subprocess.run(
            _command(step, report),
            cwd=step.folder,
            env=_environment(step),
            stdin=subprocess.DEVNULL,
            stdout=None if stream else subprocess.PIPE,
            stderr=None if stream else subprocess.STDOUT,
            text=True,
            timeout=STEP_SECONDS_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return 1, f"ended after {STEP_SECONDS_MAX} s\n"
    return done.returncode, done.stdout or ""


def _environment(step: Step) -> dict[str, str]:
    """Ours; importable are the folder's `src`, for the template is not installed where it lies, and
    our plugin of pytest.

    Caches go to one place of the repository: in the template they would be copied into every bank.
    """
    return {
        **os.environ,
        "PATH": f"{PROGRAMS}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONPATH": f"{step.folder / 'src'}{os.pathsep}{ROOT / 'scripts'}",
        "PYTHONPYCACHEPREFIX": str(CACHE / "bytecode"),
        "MYPY_CACHE_DIR": str(CACHE / step.name.replace(" ", "-")),
        "RUFF_CACHE_DIR": str(CACHE / "ruff"),
        "NO_MKDOCS_2_WARNING": "1",
    }


def _count(report: Path) -> tuple[int, int, int]:
    """Passed, failed and skipped tests, as pytest itself wrote them down."""
    suites = list(ET.parse(report).getroot().iter("testsuite"))  # noqa: S314 - our own file
    total, failures, errors, skipped = (
        sum(int(suite.get(name, "0")) for suite in suites)
        for name in ("tests", "failures", "errors", "skipped")
    )
    failed = failures + errors
    return total - failed - skipped, failed, skipped


def _agree(counts: tuple[int, int, int], code: int, *, counts_tests: bool) -> tuple[int, int, int]:
    """Counts and exit code as one: a run that failed without a failed test still failed."""
    passed, failed, skipped = counts
    if not counts_tests:
        return (1, 0, 0) if code == 0 else (0, 1, 0)
    return passed, max(failed, int(code != 0)), skipped
