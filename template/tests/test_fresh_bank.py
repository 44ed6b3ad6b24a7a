"""A bank that was just generated passes every check it ships, and its README is true."""

import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from places import Bake

pytestmark = [pytest.mark.slow, pytest.mark.postgres]

START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 40


def blocks(bank: Path) -> list[str]:
    """The shell blocks of the README, in order."""
    return re.findall(r"```sh\n(.*?)```", (bank / "README.md").read_text(), re.DOTALL)


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def shell(bank: Path, commands: str) -> subprocess.CompletedProcess[str]:
    bash = ["bash", "-euo", "pipefail", "-c", commands]
    return subprocess.run(bash, cwd=bank, capture_output=True, text=True, check=False)


@pytest.fixture
def near() -> Iterator[Path]:
    """A folder near the root that any user may pass through: PostgreSQL's socket lies in it."""
    with tempfile.TemporaryDirectory(prefix="bank-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_a_fresh_bank_passes_every_check_it_ships(bake: Bake, near: Path) -> None:
    done = shell(bake(into=near), "./scripts/check")
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert done.stdout.endswith("5 passed, 0 failed\n")


def test_the_readme_s_commands_make_a_transfer(bake: Bake, near: Path) -> None:
    bank = bake(into=near, http_port=free_port(), currency="CZK")
    start, transfer = blocks(bank)[:2]
    init, serve = (line.partition("#")[0].strip() for line in start.strip().splitlines())
    assert shell(bank, init).returncode == 0
    with serving(bank, serve):
        done = shell(bank, transfer)
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"COMPLETED"' in done.stdout.splitlines()[-1]


@contextmanager
def serving(bank: Path, command: str) -> Iterator[None]:
    url = re.findall(r"http://127.0.0.1:\d+", blocks(bank)[0])[0]
    log = bank / "var" / "test.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command.split(), cwd=bank, stdout=out, stderr=out)
    try:
        wait_until_ready(url, process, log)
        yield
    finally:
        process.terminate()
        process.wait(STOP_SECONDS_MAX)


def wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    give_up_at = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < give_up_at:
        assert process.poll() is None, log.read_text()
        with suppress(httpx.TransportError):
            if httpx.get(f"{url}/health/ready", timeout=2).is_success:
                return
        time.sleep(0.1)
    raise AssertionError(log.read_text())
