"""A bank that was just generated passes every check it ships, and its README is true."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from places import Bake
from serving import free_port, near_the_root, serving

pytestmark = [pytest.mark.slow, pytest.mark.postgres]


def blocks(bank: Path) -> list[str]:
    """The shell blocks of the README, in order."""
    return re.findall(r"```sh\n(.*?)```", (bank / "README.md").read_text(), re.DOTALL)


def url_of(bank: Path) -> str:
    """Where the README says that it serves."""
    found: list[str] = re.findall(r"http://127.0.0.1:\d+", blocks(bank)[0])
    return found[0]


def shell(bank: Path, commands: str) -> subprocess.CompletedProcess[str]:
    bash = ["bash", "-euo", "pipefail", "-c", commands]
    return subprocess.run(bash, cwd=bank, capture_output=True, text=True, check=False)


@pytest.fixture
def near() -> Iterator[Path]:
    with near_the_root() as folder:
        yield folder


def test_a_fresh_bank_passes_every_check_it_ships(bake: Bake, near: Path) -> None:
    done = shell(bake(into=near), "./scripts/check")
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert done.stdout.endswith("5 passed, 0 failed\n")


def test_the_readme_s_commands_make_a_transfer(bake: Bake, near: Path) -> None:
    bank = bake(into=near, http_port=free_port(), currency="CZK")
    start, transfer = blocks(bank)[:2]
    init, serve = (line.partition("#")[0].strip() for line in start.strip().splitlines())
    assert shell(bank, init).returncode == 0
    with serving(serve.split(), bank, url_of(bank)):
        done = shell(bank, transfer)
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"COMPLETED"' in done.stdout.splitlines()[-1]
