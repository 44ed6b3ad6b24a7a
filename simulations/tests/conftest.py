"""What tests share: the command line as a process of its own, and small scenarios."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from pathlib import Path

COMMAND_SECONDS_MAX = 180
ANY_MACHINE = {"lag_p99_seconds_max": 5.0, "generator_cpu_max": 9.0}
"""A generator is not to be judged by how busy the machine is on which the tests run."""
PATIENT = {"bound_seconds": 3.0, "share": 0.96}
"""A claim that a good bank meets, however busy the machine."""

settings.register_profile("suite", deadline=None)  # a busy machine is no failing test
settings.load_profile("suite")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended; `result` is what it wrote with --json."""

    code: int
    out: str
    err: str
    result: dict[str, Any]


class RunCommand(Protocol):
    def __call__(self, *arguments: str) -> Ended: ...


class WriteScenario(Protocol):
    def __call__(self, **changes: Any) -> str: ...


@pytest.fixture
def run_command(tmp_path: Path) -> RunCommand:
    """Run `bank-simulations` with arguments, in an empty folder of its own."""

    def run(*arguments: str) -> Ended:
        result = tmp_path / "result.json"
        result.unlink(missing_ok=True)
        done = subprocess.run(
            [sys.executable, "-m", "bank_simulations", *arguments],
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS_MAX,
            cwd=tmp_path,
            env={**os.environ, "BANKWRIGHT_TOKEN": "test", "COLUMNS": "120"},
            check=False,
        )
        found = json.loads(result.read_text()) if result.exists() else {}
        assert "Traceback" not in done.stderr
        return Ended(done.returncode, done.stdout, done.stderr, found)

    return run


@pytest.fixture
def write_scenario(tmp_path: Path) -> WriteScenario:
    """A scenario of 100 transfers in one second, with parts of it changed."""

    def write(**changes: Any) -> str:
        parts = {
            "accounts": {"count": 10, "customers": 2},
            "claim": {"bound_seconds": 0.5, "share": 0.96},
            "limits": {"request_timeout_seconds": 1.0, **ANY_MACHINE},
            **changes,
        }
        lines = ['title = "A test"']
        for name, values in parts.items():
            lines += [f"[{name}]", *(f"{key} = {json.dumps(it)}" for key, it in values.items())]
        lines += ["[[steps]]", "rate = 100", "transfers = 100"]
        path = tmp_path / "scenario.toml"
        path.write_text("\n".join(lines))
        return str(path)

    return write
