"""The reference bank, or a mutant of it, in a process of its own on loopback, with every hook.

The process ends with the pipe that keeps it alive, so that none is left behind.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import signal
import sqlite3
import sys
import tempfile
from asyncio import to_thread
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, closing, suppress
from functools import cached_property
from pathlib import Path

from .hooks import HookError
from .reference.__main__ import SECRET_VARIABLE
from .reference.bank import STEP_SECONDS
from .reference.mutants import Mutant
from .reference.mutants.mutant import TALLY_VARIABLE
from .reference.security import mint
from .reference.tampering import ForgeryError, forge
from .target import Limits, Target
from .tokens import Principal

QUICK = Limits(
    settle_seconds=3.0,
    slow_request_seconds=6.0,
    erasure_effective_seconds=1.0,
    erasure_resumed_seconds=2.0,
)
"""A bank that waits for nothing is at rest at once, or never."""

START_SECONDS_MAX, STOP_SECONDS_MAX = 30, 10
BANK_FILE, BANK_FILES, KEY_FILES = "bank.db", "bank.db*", "keys.db*"


class StartError(Exception):
    """The reference bank did not start."""


@asynccontextmanager
async def serving(
    mutant: Mutant | None = None, step_seconds: float = STEP_SECONDS
) -> AsyncIterator[ServedBank]:
    """Serve the reference bank, or a mutant of it, from a folder of its own.

    A transfer is under way for `step_seconds`.

    Raises:
        StartError: it did not say where it serves.
    """
    with tempfile.TemporaryDirectory(prefix="reference-bank-") as folder:
        bank = ServedBank(Path(folder), mutant, step_seconds)
        try:
            await bank.start()
            yield bank
        finally:
            await bank.end()


class ServedBank:
    """A reference bank that serves, and the hooks to stop, break and look into it."""

    def __init__(self, folder: Path, mutant: Mutant | None, step_seconds: float) -> None:
        self.state, self.log, self.tally = folder / "state", folder / "bank.log", folder / "tally"
        self.state.mkdir()
        self.mutant, self.step_seconds = mutant, step_seconds
        self.secret = secrets.token_hex(32)
        self.ports = (0, 0)
        """Of the bank and of its replica."""
        self.process: asyncio.subprocess.Process | None = None
        self.executions = 0
        """How often the broken line ran; known at the end."""

    @cached_property
    def target(self) -> Target:
        """The bank as a target."""
        name = f"mutant {self.mutant.id}" if self.mutant else "the reference bank"
        url, replica = (f"http://127.0.0.1:{port}" for port in self.ports)
        return Target(name, url, self._mint, limits=QUICK, hooks=self, replicas=(replica,))

    async def _mint(self, who: Principal) -> str:
        return mint(self.secret, who.subject, who.scope, who.seconds)

    # Hooks

    @property
    def names(self) -> frozenset[str]:
        """The hooks it gives."""
        return frozenset(self._hooks)

    async def run(self, name: str, **values: str) -> None:
        """Run a hook."""
        try:
            await self._hooks[name](values)
        except (StartError, ForgeryError, OSError) as error:
            raise HookError(f"{name}: {error}") from None

    @cached_property
    def _hooks(self) -> Mapping[str, Callable[[Mapping[str, str]], Awaitable[None]]]:
        return {
            "start": lambda _: self.start(),
            "stop": lambda _: self.stop(),
            "kill": lambda _: self.kill(),
            "pause": lambda _: self._signal(signal.SIGSTOP),
            "resume": lambda _: self._signal(signal.SIGCONT),
            "rebuild": lambda _: self._rebuild(),
            "rotate": lambda _: self._order("rotate"),
            "clock": lambda values: self._order(f"clock {values['seconds']}"),
            "dump": lambda values: to_thread(self._copy, values["folder"], BANK_FILES, KEY_FILES),
            "logs": lambda values: to_thread(self._copy_log, values["folder"]),
            "backup": lambda values: to_thread(self._back_up, values["folder"]),
            "restore": lambda values: to_thread(self._restore, values["folder"]),
            "mutate": lambda values: to_thread(forge, self.state / "bank.db", values),
        }

    async def start(self) -> None:
        """Start it, on the ports that it had if it served before.

        Raises:
            StartError: it did not say where it serves.
        """
        if self.process is not None and self.process.returncode is None:
            raise StartError("it serves already")
        which = ["--mutant", self.mutant.id] if self.mutant else []
        which += ["--step-seconds", str(self.step_seconds), "--port", str(self.ports[0])]
        which += ["--replica-port", str(self.ports[1])]
        command = [sys.executable, "-m", "bank_conformance.reference", "serve", *which]
        environment = {SECRET_VARIABLE: self.secret, TALLY_VARIABLE: str(self.tally)}
        pipe = asyncio.subprocess.PIPE
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *command,
                "--folder",
                str(self.state),
                env=os.environ | environment,
                stdin=pipe,
                stdout=pipe,
                stderr=log,
            )
        said = await self._said(self.process)
        self.ports = (_port(said["url"]), _port(said["replica"]))

    async def _order(self, line: str) -> None:
        """Tell it to do something, and wait until it says that it did."""
        if self.process is None or self.process.stdin is None:
            raise StartError("it does not run")
        self.process.stdin.write(f"{line}\n".encode())
        await self._said(self.process)

    async def _said(self, process: asyncio.subprocess.Process) -> dict[str, str]:
        """Return the next thing that it says.

        Raises:
            StartError: it says nothing.
        """
        try:
            async with asyncio.timeout(START_SECONDS_MAX):
                line = await process.stdout.readline() if process.stdout else b""
            found: dict[str, str] = json.loads(line)
        except (TimeoutError, ValueError):
            said = self.log.read_text(errors="replace").strip().rpartition("\n")[2]
            raise StartError(said or "it said nothing on standard output") from None
        return found

    async def stop(self) -> None:
        """Let it finish: by closing its input, and if it does not listen, by killing it."""
        if self.process is None:
            return
        if self.process.stdin:
            self.process.stdin.close()
        try:
            async with asyncio.timeout(STOP_SECONDS_MAX):
                await self.process.wait()
        except TimeoutError:
            await self.kill()
        self.process = None

    async def kill(self) -> None:
        """SIGKILL it."""
        if self.process is not None:
            await self._signal(signal.SIGKILL)
            await self.process.wait()
            self.process = None

    async def end(self) -> None:
        """End it, also where it is suspended."""
        await self._signal(signal.SIGCONT)
        await self.stop()
        self.executions = self.tally.stat().st_size if self.tally.exists() else 0

    async def _signal(self, which: signal.Signals) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError):
                self.process.send_signal(which)

    async def _rebuild(self) -> None:
        """Read models are in memory only: every start builds them anew."""
        await self.stop()
        await self.start()

    def _copy(self, folder: str, *patterns: str) -> None:
        Path(folder).mkdir(parents=True, exist_ok=True)
        for pattern in patterns:
            for file in self.state.glob(pattern):
                shutil.copy(file, folder)

    def _back_up(self, folder: str) -> None:
        """Without the keys, which have a back-up of their own; also while it is written to."""
        Path(folder).mkdir(parents=True, exist_ok=True)
        with (
            closing(sqlite3.connect(self.state / BANK_FILE)) as bank,
            closing(sqlite3.connect(Path(folder) / BANK_FILE)) as copy,
        ):
            bank.backup(copy)

    def _copy_log(self, folder: str) -> None:
        Path(folder).mkdir(parents=True, exist_ok=True)
        shutil.copy(self.log, folder)

    def _restore(self, folder: str) -> None:
        for file in self.state.glob(BANK_FILES):
            file.unlink()
        for file in Path(folder).iterdir():
            shutil.copy(file, self.state)


def _port(url: str) -> int:
    return int(url.rpartition(":")[2])
