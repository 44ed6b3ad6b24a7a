"""What is no bank gets a clear verdict within seconds, and never a traceback."""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import threading
from pathlib import Path
from time import monotonic

import pytest
from bank_conformance.cli import app
from bank_conformance.reference.__main__ import SECRET_VARIABLE
from bank_conformance.requirements import CHECKS
from impostors import ANSWERS, WAYS, impostor
from reference_process import reference
from typer.testing import CliRunner, Result

pytestmark = pytest.mark.slow

SECONDS_MAX, DYING_SECONDS_MAX = 20, 60
MEMORY_GROWTH_KIB_MAX = 300 * 1024
PRINTS_A_TOKEN = [sys.executable, "-c", "print('token-of-{subject}')", "{subject}", "{scope}"]

LIARS = (
    "yes to everything",
    "an empty object",
    "nothing at all",
    "null",
    "yes in HTML",
    "half a JSON",
    "no UTF-8",
    "deep JSON",
    "nested JSON",
    "huge numbers",
)
NO_BANKS = {
    "500 to everything": "answers 500",
    "500 in HTML": "answers 500",
    "a web site": "no bank of the contract",
    "a redirect": "no bank of the contract",
    "401 to everything": "refuses the token",
    "false gzip": "does not answer (DecodingError",
    "no HTTP": "does not answer",
    "closes at once": "does not answer",
    "silence": "does not answer within 5 s",
    "a drip": "does not answer within 5 s",
    "a dripping head": "does not answer",
    "no end": "larger than 32 MiB",
    "half an answer": "does not answer",
    "hangs on writes": "no bank of the contract: POST /v1/customers → timeout",
}


def run(
    tmp_path: Path,
    url: str,
    command: list[str] = PRINTS_A_TOKEN,
    *more: str,
    seconds_max: float = SECONDS_MAX,
) -> Result:
    target = tmp_path / "target.toml"
    target.write_text(f'[target]\nbase_url = "{url}"\n[token]\ncommand = {json.dumps(command)}\n')
    out = tmp_path / "out"
    began = monotonic()
    result = CliRunner().invoke(app, ["run", "--target", str(target), "--out", str(out), *more])
    assert monotonic() - began < seconds_max
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    assert (out / "report.html").exists()
    return result


def test_every_impostor_is_met() -> None:
    assert {*LIARS, *NO_BANKS} == {*ANSWERS, *WAYS}


@pytest.mark.parametrize("kind", LIARS)
def test_a_server_that_says_yes_to_everything_fails_everything(kind: str, tmp_path: Path) -> None:
    with impostor(kind) as url:
        result = run(tmp_path, url)
    assert result.exit_code == 1, result.output
    written = json.loads((tmp_path / "out" / "results.json").read_text())
    assert {one["id"]: one["verdict"] for one in written["requirements"]} == dict.fromkeys(
        CHECKS, "FAIL"
    )


@pytest.mark.parametrize(("kind", "said"), NO_BANKS.items())
def test_a_server_that_is_no_bank_is_an_invalid_run(kind: str, said: str, tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with impostor(kind) as url:
        result = run(tmp_path, url)
    assert result.exit_code == 4, result.output
    [line] = [line for line in result.output.splitlines() if "invalid run: " in line]
    assert said in line
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MEMORY_GROWTH_KIB_MAX


def test_a_bank_that_dies_in_the_middle_of_a_run_is_no_pass_and_no_fail(tmp_path: Path) -> None:
    with reference() as (url, secret, pid), pytest.MonkeyPatch.context() as patch:
        patch.setenv(SECRET_VARIABLE, secret)
        token = [sys.executable, "-m", "bank_conformance.reference", "token"]
        for name in ("subject", "scope", "seconds"):
            token += [f"--{name}", f"{{{name}}}"]
        threading.Timer(6, os.kill, (pid, signal.SIGKILL)).start()
        result = run(tmp_path, url, token, seconds_max=DYING_SECONDS_MAX)
    assert result.exit_code == 3, result.output
    assert "the bank stopped answering" in result.output


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
