"""Commands of the target: what prints a token, stops the bank, or copies what it stores."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO


class CommandError(Exception):
    """A command did not do what it is for; the text names it, and the cure where there is one."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command with placeholders such as {subject}, run in the folder of the target file."""

    what: str
    """What it is in the target file, such as "[token] command"."""
    arguments: tuple[str, ...]
    directory: Path
    seconds_max: float

    def __str__(self) -> str:
        """Name the command, so that who reads an error finds it."""
        return f"the {self.what} `{shlex.join(self.arguments)}` (in {self.directory})"

    async def run(self, values: Mapping[str, str]) -> str:
        """Run it with its placeholders filled in, and return what it printed.

        Raises:
            CommandError: it does not start, fails, or takes too long.
        """
        arguments = [_fill(argument, values) for argument in self.arguments]
        # Files, not pipes: what a command leaves in the background may keep its output open.
        with TemporaryFile() as output, TemporaryFile() as errors:
            process = await self._start(arguments, output, errors)
            try:
                async with asyncio.timeout(self.seconds_max):
                    code = await process.wait()
            except TimeoutError:
                raise CommandError(f"{self} did not end within {self.seconds_max:.0f} s") from None
            finally:
                await _end(process)
            if code:
                raise CommandError(f"{self} exited with {code}: {_last_line(_text(errors))}")
            return _text(output)

    async def _start(
        self, arguments: list[str], output: IO[bytes], errors: IO[bytes]
    ) -> asyncio.subprocess.Process:
        try:
            return await asyncio.create_subprocess_exec(
                *arguments,
                cwd=self.directory,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                start_new_session=True,
            )
        except OSError as error:
            cure = f"correct {self.what} in the target file"
            text = f"cannot run {arguments[0]!r}: {error.strerror}; {cure}"
            raise CommandError(text) from None


async def _end(process: asyncio.subprocess.Process) -> None:
    """End a command that still runs, with all that it has started."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


def words(what: str, given: str | list[str]) -> tuple[str, ...]:
    """Return a command of the target file as its words.

    Raises:
        CommandError: it is empty, or its quotes do not match.
    """
    try:
        found = tuple(shlex.split(given) if isinstance(given, str) else given)
    except ValueError as error:
        raise CommandError(f"{what} cannot be split into words: {error}") from None
    if not found:
        raise CommandError(f"{what} is empty: give a command, or leave it out")
    return found


def _fill(argument: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        argument = argument.replace(f"{{{name}}}", value)
    return argument


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it printed nothing on stderr"
