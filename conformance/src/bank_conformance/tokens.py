"""Tokens: who calls, and how a token for them is made.

The suite never makes a token itself: it runs the target's own command. Tokens are kept for the run,
never recorded, and redacted from everything that is written.
"""

from __future__ import annotations

import asyncio
import contextlib
import shlex
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from .history import now

COMMAND_SECONDS_MAX = 20
PARALLEL_MAX = 2
"""Token commands at a time: most start an interpreter, and would only slow each other down."""

DEFAULT_SECONDS = 3600


class TokenError(Exception):
    """The token command did not print a token; the text names the cure."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who calls the bank. `label` stands for them in everything that is written."""

    label: str
    subject: str = ""
    scope: str = ""
    seconds: int = DEFAULT_SECONDS
    header: str | None = None
    """An Authorization header to send as it is; empty for none. For those who forge theirs."""


ANONYMOUS = Principal("anonymous", header="")


Minter = Callable[[Principal], Awaitable[str]]
"""Makes a fresh token for a principal."""


@dataclass(frozen=True, slots=True)
class TokenCommand:
    """A command with the placeholders {subject}, {scope} and, where it can, {seconds}."""

    arguments: tuple[str, ...]
    directory: Path

    async def __call__(self, principal: Principal) -> str:
        """Run the command and return what it printed.

        Raises:
            TokenError: it does not start, fails, takes too long, or prints no token.
        """
        values = {
            "{subject}": principal.subject,
            "{scope}": principal.scope,
            "{seconds}": str(principal.seconds),
        }
        arguments = [_fill(argument, values) for argument in self.arguments]
        status, output, errors = await _run(arguments, self.directory)
        token = output.strip()
        if status:
            raise TokenError(f"{self._names()} exited with {status}: {_last_line(errors)}")
        if not token or len(token.split()) != 1:
            raise TokenError(f"{self._names()} must print one token and nothing else on stdout")
        return token

    def _names(self) -> str:
        return f"the token command `{shlex.join(self.arguments)}` (in {self.directory})"


def _fill(argument: str, values: dict[str, str]) -> str:
    for placeholder, value in values.items():
        argument = argument.replace(placeholder, value)
    return argument


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it printed nothing on stderr"


async def _run(arguments: list[str], directory: Path) -> tuple[int, str, str]:
    pipe = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(
            *arguments, cwd=directory, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe
        )
    except OSError as error:
        cure = "correct [token] command in the target file"
        raise TokenError(f"cannot run {arguments[0]!r}: {error.strerror}; {cure}") from None
    try:
        async with asyncio.timeout(COMMAND_SECONDS_MAX):
            output, errors = await process.communicate()
    except TimeoutError:
        raise TokenError(f"{arguments[0]!r} did not end within {COMMAND_SECONDS_MAX} s") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    status = process.returncode or 0
    return status, output.decode(errors="replace"), errors.decode(errors="replace")


@dataclass(slots=True)
class Tokens:
    """The tokens of a run: made once for each principal, at most two at a time."""

    minter: Minter
    made: dict[Principal, asyncio.Task[str]] = field(default_factory=dict)
    made_at: dict[Principal, float] = field(default_factory=dict)
    """When each token was there, on the clock of the histories."""
    _gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(PARALLEL_MAX))

    async def header(self, principal: Principal) -> str:
        """Return the Authorization header of `principal`, empty for none."""
        if principal.header is not None:
            return principal.header
        return f"Bearer {await self.of(principal)}"

    async def of(self, principal: Principal) -> str:
        """Return the token of `principal`.

        Raises:
            TokenError: the target's command made none.
        """
        return await asyncio.shield(self.ask(principal))

    def ask(self, principal: Principal) -> asyncio.Task[str]:
        """Begin to make the token of `principal`, so that it is there when it is needed."""
        if principal not in self.made:
            self.made[principal] = asyncio.create_task(self._mint(principal))
        return self.made[principal]

    async def _mint(self, principal: Principal) -> str:
        async with self._gate:
            token = await self.minter(principal)
        self.made_at[principal] = now()
        return token

    def known(self) -> list[str]:
        """Return every token made so far, to be redacted."""
        done = (task for task in self.made.values() if task.done() and not task.cancelled())
        return [task.result() for task in done if task.exception() is None]

    async def close(self) -> None:
        """Stop the commands that nobody waits for any more."""
        for task in self.made.values():
            task.cancel()
        await asyncio.gather(*self.made.values(), return_exceptions=True)
