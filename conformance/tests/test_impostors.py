"""What is no bank gets a clear verdict within seconds, and never a traceback."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from time import monotonic

import pytest
from bank_conformance.cli import app
from bank_conformance.requirements import CHECKS
from impostors import impostor
from typer.testing import CliRunner, Result

pytestmark = pytest.mark.slow

SECONDS_MAX = 20
PRINTS_A_TOKEN = [sys.executable, "-c", "print('token-of-{subject}')", "{subject}", "{scope}"]


def run(tmp_path: Path, url: str, command: list[str] = PRINTS_A_TOKEN, *more: str) -> Result:
    target = tmp_path / "target.toml"
    target.write_text(f'[target]\nbase_url = "{url}"\n[token]\ncommand = {json.dumps(command)}\n')
    out = tmp_path / "out"
    began = monotonic()
    result = CliRunner().invoke(app, ["run", "--target", str(target), "--out", str(out), *more])
    assert monotonic() - began < SECONDS_MAX
    assert "Traceback" not in result.output
    return result


@pytest.mark.parametrize("kind", ["yes to everything", "yes in HTML"])
def test_a_server_that_says_yes_to_everything_fails_everything(kind: str, tmp_path: Path) -> None:
    with impostor(kind) as url:
        result = run(tmp_path, url)
    assert result.exit_code == 1
    written = json.loads((tmp_path / "out" / "results.json").read_text())
    assert {one["id"]: one["verdict"] for one in written["requirements"]} == dict.fromkeys(
        CHECKS, "FAIL"
    )


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("500 to everything", "answers 500"),
        ("a web site", "no bank of the contract"),
        ("401 to everything", "refuses the token"),
        ("no HTTP", "does not answer"),
        ("silence", "does not answer within 5 s"),
    ],
)
def test_a_server_that_is_no_bank_is_an_invalid_run(kind: str, said: str, tmp_path: Path) -> None:
    with impostor(kind) as url:
        result = run(tmp_path, url)
    assert result.exit_code == 4
    assert said in result.output
    assert (tmp_path / "out" / "report.html").exists()


def test_a_port_that_nobody_listens_on_is_an_invalid_run(tmp_path: Path) -> None:
    with impostor("silence") as url:
        pass
    result = run(tmp_path, url)
    assert result.exit_code == 4
    assert "is the bank running?" in result.output


def test_a_token_command_that_fails_is_an_invalid_run(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no signing key')", "{subject}", "{scope}"]
    with impostor("a web site") as url:
        result = run(tmp_path, url, command)
    assert result.exit_code == 4
    assert "no signing key" in result.output
