"""Tokens: who calls, and how a token for them is made.

The suite never makes a token itself: it runs the target's own command. Tokens are kept for the run,
never recorded, and redacted from everything that is written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from .command import Command, CommandError
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

    @property
    def command(self) -> Command:
        """The command, bounded in time."""
        return Command("[token] command", self.arguments, self.directory, COMMAND_SECONDS_MAX)

    async def __call__(self, principal: Principal) -> str:
        """Run the command and return what it printed.

        Raises:
            TokenError: it does not start, fails, takes too long, or prints no token.
        """
        values = {
            "subject": principal.subject,
            "scope": principal.scope,
            "seconds": str(principal.seconds),
        }
        try:
            token = (await self.command.run(values)).strip()
        except CommandError as error:
            raise TokenError(str(error)) from None
        if len(token.split()) != 1:
            text = f"{self.command} must print one token and nothing else on stdout"
            raise TokenError(text)
        return token


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
        try:
            async with self._gate:
                token = await self.minter(principal)
        except TokenError:
            del self.made[principal]  # to be tried again: it may have been the machine
            raise
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
