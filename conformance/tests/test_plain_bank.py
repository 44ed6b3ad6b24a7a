"""A bank of another shape is decided through its mapping, and found to be what its page says."""

from __future__ import annotations

import re
import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import pytest
from bank_conformance.catalogue import catalogue
from bank_conformance.requirements import CHECKS
from bank_conformance.runner import run
from bank_conformance.target import Target, load_target
from bank_conformance.verdict import Result, Verdict
from builders import Silent

pytestmark = pytest.mark.slow

EXAMPLE = Path(__file__).parent.parent / "examples" / "plain-bank"
ROW = re.compile(r"^\| ([A-Z]+-\d+) \| ([A-Z]+) \|", re.MULTILINE)
PUBLISHED = dict(ROW.findall((EXAMPLE / "FINDINGS.md").read_text(encoding="utf-8")))
LONG = {"CON-5"}
"""Takes half a minute."""


@contextmanager
def plain_bank(folder: Path, *, saving: str = "self.save(payer, payee)") -> Iterator[Target]:
    """Serve a copy of the example on a free port; `saving` is how a transfer saves its accounts."""
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("var", "__pycache__"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    file, application = folder / "conformance.toml", folder / "plain_bank" / "application.py"
    text = file.read_text().replace(":8100", f":{port}").replace('"python ', f'"{sys.executable} ')
    file.write_text(text)
    application.write_text(application.read_text().replace("self.save(payer, payee)", saving))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("BANK_SECRET", secrets.token_hex(32))
        environment.setenv("PLAIN_BANK_PORT", port)
        environment.setenv("PLAIN_BANK_FOLDER", str(folder / "var"))
        _hook(folder, "start")
        yield load_target(file)
        _hook(folder, "kill")


def _hook(folder: Path, name: str) -> None:
    subprocess.run([sys.executable, "hook.py", name], cwd=folder, check=True, timeout=60)


def decide(target: Target, only: Iterable[str]) -> dict[str, Result]:
    chosen = [catalogue()[one] for one in only]

    async def go() -> list[Result]:
        return (await run(target, chosen, seed=1, reporter=Silent())).results

    return {one.requirement_id: one for one in anyio.run(go)}


@pytest.fixture(scope="module")
def decided(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    with plain_bank(tmp_path_factory.mktemp("target") / "plain-bank") as target:
        return decide(target, (one for one in CHECKS if one not in LONG))


@pytest.mark.parametrize("requirement_id", sorted(PUBLISHED.keys() - LONG))
def test_the_published_verdict_is_found(decided: dict[str, Result], requirement_id: str) -> None:
    result = decided[requirement_id]
    assert str(result.verdict) == PUBLISHED[requirement_id], result.decision.reason


def test_what_is_not_published_cannot_be_asked_of_this_bank(decided: dict[str, Result]) -> None:
    others = {one: result for one, result in decided.items() if one not in PUBLISHED}
    told = {one: result.decision.reason for one, result in others.items() if not _skipped(result)}
    assert told == {}


def _skipped(result: Result) -> bool:
    return result.verdict is Verdict.SKIP


def test_a_transfer_that_saves_one_account_after_the_other_is_caught(tmp_path: Path) -> None:
    one_by_one = "self.save(payer); self.save(payee)"
    with plain_bank(tmp_path / "plain-bank", saving=one_by_one) as target:
        found = decide(target, ["ORD-3", "CON-1", "CON-3"])
    assert {result.verdict for result in found.values()} == {Verdict.FAIL}
