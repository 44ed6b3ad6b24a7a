"""Proof that the suite can fail: the reference bank passes, every mutant of it is caught by name.

A mutant counts as killed only if it served, its broken line ran, and every requirement named for it
said FAIL. Each runs in a process of its own on loopback, which ends with the pipe that keeps it
alive.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from .catalogue import catalogue
from .history import now
from .reference.__main__ import SECRET_VARIABLE
from .reference.bank import STEP_SECONDS
from .reference.mutants import MUTANTS, Mutant
from .reference.security import mint
from .requirements import CHECKS
from .runner import Reporter, Run, run
from .target import Limits, Target
from .tokens import Principal
from .verdict import Verdict

QUICK = Limits(settle_seconds=3.0)
"""A bank in memory is at rest at once, or never."""

START_SECONDS_MAX, STOP_SECONDS_MAX = 30, 10


class StartError(Exception):
    """The reference bank did not start."""


@dataclass(slots=True)
class Serving:
    """A reference bank that serves."""

    target: Target
    executions: int = 0
    """How often the broken line ran; known once it has stopped."""


@dataclass(slots=True)
class Trial:
    """What became of the reference bank, or of one mutant of it."""

    name: str
    mutant: Mutant | None
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    executions: int = 0
    seconds: float = 0.0
    error: str = ""

    @property
    def killers(self) -> list[str]:
        """The requirements that said FAIL."""
        return [name for name, verdict in self.verdicts.items() if verdict is Verdict.FAIL]

    @property
    def survived(self) -> list[str]:
        """The requirements that should have said FAIL, and did not."""
        due = self.mutant.kills if self.mutant else ()
        return [name for name in due if name not in self.killers]

    @property
    def passed(self) -> bool:
        """Whether the suite said of this bank what it must say."""
        if self.mutant is None:
            return not self.error and set(self.verdicts.values()) == {Verdict.PASS}
        return bool(self.executions) and not self.survived

    @property
    def outcome(self) -> str:
        """One line that says so."""
        if self.error:
            return self.error
        if self.mutant is None:
            wrong = [
                f"{name} {verdict}" for name, verdict in self.verdicts.items() if verdict != "PASS"
            ]
            return ", ".join(wrong) or "clean"
        if not self.executions:
            return "its broken line never ran"
        killers = ", ".join(self.killers)
        return f"killed by {killers}" if self.passed else f"survived {', '.join(self.survived)}"


async def try_bank(name: str, reporter: Reporter, seed: int, *, full: bool = False) -> Trial:
    """Try the reference bank (any name that is no mutant's) or a mutant of it.

    A mutant meets the requirements that are named for it, or with `full` every one that is built.
    """
    mutant = MUTANTS.get(name)
    ids = list(CHECKS) if full or mutant is None else list(mutant.kills)
    return await _try(name, mutant, ids, reporter, seed)


async def _try(
    name: str, mutant: Mutant | None, ids: Sequence[str], reporter: Reporter, seed: int
) -> Trial:
    """Serve a bank, decide the requirements `ids` of it, and stop it."""
    trial, began = Trial(name, mutant), now()
    try:
        async with serving(mutant) as served:
            chosen = [catalogue()[one] for one in ids]
            outcome: Run = await run(served.target, chosen, seed=seed, reporter=reporter)
    except StartError as error:
        trial.error = f"did not start: {error}"
        return trial
    trial.error = outcome.invalid
    trial.verdicts = {one.requirement_id: one.verdict for one in outcome.results}
    trial.reasons = {one.requirement_id: one.decision.reason for one in outcome.results}
    trial.executions, trial.seconds = served.executions, now() - began
    return trial


@asynccontextmanager
async def serving(
    mutant: Mutant | None = None, step_seconds: float = STEP_SECONDS
) -> AsyncIterator[Serving]:
    """Serve the reference bank, or a mutant of it, in a process of its own.

    A transfer is under way for `step_seconds`.

    Raises:
        StartError: it did not say where it serves.
    """
    secret = secrets.token_hex(32)
    process = await _start(mutant, secret, step_seconds)
    try:
        first = await _line(process, START_SECONDS_MAX)

        async def minter(who: Principal) -> str:
            return mint(secret, who.subject, who.scope, who.seconds)

        name = f"mutant {mutant.id}" if mutant else "the reference bank"
        served = Serving(Target(name, str(first["url"]), minter, limits=QUICK))
        yield served
        if process.stdin:
            process.stdin.close()
        served.executions = int((await _line(process, STOP_SECONDS_MAX))["executions"])
    finally:
        await _stop(process)


async def _start(
    mutant: Mutant | None, secret: str, step_seconds: float
) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    which = ["--mutant", mutant.id] if mutant else []
    which += ["--step-seconds", str(step_seconds)]
    command = [sys.executable, "-m", "bank_conformance.reference", "serve", *which]
    environment = os.environ | {SECRET_VARIABLE: secret}
    return await asyncio.create_subprocess_exec(*command, env=environment, stdin=pipe, stdout=pipe)


async def _line(process: asyncio.subprocess.Process, seconds: float) -> dict[str, Any]:
    try:
        async with asyncio.timeout(seconds):
            line = await process.stdout.readline() if process.stdout else b""
        found: dict[str, Any] = json.loads(line)
    except (TimeoutError, ValueError):
        raise StartError("it said nothing on standard output") from None
    return found


async def _stop(process: asyncio.subprocess.Process) -> None:
    """End the process: by closing its input, and if it does not listen, by killing it."""
    if process.stdin:
        process.stdin.close()
    try:
        async with asyncio.timeout(STOP_SECONDS_MAX):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
