"""One bank, whole or broken, on a database and ports of its own; and what the suite says of it."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg
from _demo.bank import DemoError, run
from _tasks.steps import PROGRAMS, ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .table import Mutant

SLUG = "ourbank"
LEFT_BEHIND = shutil.ignore_patterns(".venv", "var", "__pycache__", ".*_cache", ".hypothesis")
RUN_SECONDS_MAX = 900


@dataclass(slots=True)
class Trial:
    """What became of a bank; `mutant` is None for the one that is whole."""

    name: str
    mutant: Mutant | None
    verdicts: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    executions: int = 0
    seconds: float = 0.0

    @property
    def killers(self) -> list[str]:
        """The requirements that said FAIL."""
        return [name for name, verdict in self.verdicts.items() if verdict == "FAIL"]

    @property
    def passed(self) -> bool:
        """Whether the suite said of this bank what it must say."""
        if self.mutant is None:
            return set(self.verdicts.values()) <= {"PASS", "WARN"} and bool(self.verdicts)
        return self.executions > 0 and set(self.mutant.kills) <= set(self.killers)

    @property
    def outcome(self) -> str:
        """One line that says so."""
        if self.mutant is None:
            return self._told([one for one, what in self.verdicts.items() if what != "PASS"])
        if not self.executions:
            return "its broken line never ran"
        if missed := [name for name in self.mutant.kills if name not in self.killers]:
            return f"survived: {self._told(missed)}"
        return f"killed by {', '.join(self.killers)}"

    def _told(self, names: Sequence[str]) -> str:
        """Verdicts with their reasons."""
        told = [f"{one} {self.verdicts.get(one)} ({self.reasons.get(one)})" for one in names]
        return "; ".join(told) or "clean"


def generate(into: Path) -> Path:
    """The bank that all copies are made of, with its environment and its keys."""
    answers = [f"project_name={SLUG}", f"project_slug={SLUG}", f"http_port={free_ports()}"]
    options = ["--no-input", "--default-config", "--output-dir", str(into)]
    run([str(PROGRAMS / "cookiecutter"), *options, str(ROOT), *answers], ROOT)
    run([str(into / SLUG / "scripts" / "bank"), "init"], into / SLUG)
    return into / SLUG


def attempt(base: Path, into: Path, mutant: Mutant | None, ids: Sequence[str]) -> Trial:
    """Serve a copy of the bank, broken or not, and let the suite decide the requirements."""
    trial, began = Trial(mutant.id if mutant else "the bank itself", mutant), time.monotonic()
    bank = into / trial.name.replace(" ", "-")
    _copy(base, bank)
    if mutant is not None:
        mutant.put_into(bank)
    try:
        _hook(bank, "start")
        found = _decide(bank, ids)
        trial.verdicts = {one["id"]: one["verdict"] for one in found}
        trial.reasons = {one["id"]: one["reason"] for one in found}
        trial.executions = _executions(bank, mutant)
    finally:
        _hook(bank, "kill", must=False)
    shutil.rmtree(bank, ignore_errors=True)
    trial.seconds = time.monotonic() - began
    return trial


def free_ports() -> int:
    """A port that is free, and so is the next one: the bank's other process serves there."""
    while True:
        with socket.socket() as one, socket.socket() as next_one:
            one.bind(("127.0.0.1", 0))
            port: int = one.getsockname()[1]
            try:
                next_one.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port


def _copy(base: Path, bank: Path) -> None:
    """Everything but what it stored; the environment is shared."""
    shutil.copytree(base, bank, ignore=LEFT_BEHIND)
    shutil.copytree(base / "var" / "secrets", bank / "var" / "secrets")
    (bank / ".venv").symlink_to(base / ".venv")
    settings, target = bank / ".env", bank / "conformance.toml"
    found = re.search(r"BANK_HTTP_PORT=(\d+)", settings.read_text())
    old, new = int(found[1]) if found else 0, free_ports()
    for file in (settings, target):
        text = file.read_text().replace(str(old + 1), str(new + 1)).replace(str(old), str(new))
        file.write_text(text)


def _hook(bank: Path, command: str, *, must: bool = True) -> None:
    done = subprocess.run(
        [bank / "scripts" / "hook", command],
        cwd=bank,
        env=_environment(bank),
        capture_output=True,
        text=True,
        check=False,
    )
    if must and done.returncode:
        log = bank / "var" / "hook" / "bank.log"
        said = log.read_text(errors="replace")[-2000:] if log.exists() else ""
        raise DemoError(f"{bank.name} does not {command}: {done.stderr.strip()}\n{said}")


def _decide(bank: Path, ids: Sequence[str]) -> list[dict[str, str]]:
    """What the suite says of a bank that serves, one a requirement."""
    results = bank / "var" / "results.json"
    command = ["bank-conformance", "run", "--target", str(bank / "conformance.toml")]
    options = ["--only", ",".join(ids), "--json", str(results)]
    done = subprocess.run(
        [str(PROGRAMS / command[0]), *command[1:], *options],
        env=_environment(bank),
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS_MAX,
        check=False,
    )
    if not results.exists():
        raise DemoError(f"the suite ended with code {done.returncode}: {done.stderr[-2000:]}")
    document = json.loads(results.read_text())
    if document["invalid"]:
        raise DemoError(f"{bank.name}: {document['invalid']}")
    found: list[dict[str, str]] = document["requirements"]
    return found


def _executions(bank: Path, mutant: Mutant | None) -> int:
    """How often the broken line ran."""
    if mutant is None:
        return 0
    if not mutant.file.endswith(".sql"):
        tally = bank / "var" / "tally"
        return tally.stat().st_size if tally.exists() else 0
    with psycopg.connect(host=str(bank / "var/postgres/cluster"), user="postgres") as connection:
        row = connection.execute("select last_value from broke where is_called").fetchone()
        return int(row[0]) if row else 0


def _environment(bank: Path) -> dict[str, str]:
    """The environment is installed with the first bank's source: this one's goes before it."""
    return {**os.environ, "PYTHONPATH": str(bank / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
