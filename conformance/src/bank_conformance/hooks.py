"""The hooks of a target: how to stop, break and look into a bank that is not ours.

Each is a command of the target file. What a bank gives no hook for is not decided, and never PASS.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from .command import Command, CommandError

PLACEHOLDERS: dict[str, frozenset[str]] = {
    "start": frozenset(),
    "stop": frozenset(),
    "kill": frozenset(),
    "pause": frozenset(),
    "resume": frozenset(),
    "rebuild": frozenset(),
    "rotate": frozenset(),
    "clock": frozenset({"seconds"}),
    "dump": frozenset({"folder"}),
    "logs": frozenset({"folder"}),
    "backup": frozenset({"folder"}),
    "restore": frozenset({"folder"}),
    "mutate": frozenset(
        {"kind", "partition", "position", "other_partition", "other_position"},
    ),
}
"""Every hook, and what its command may name. Those of `mutate` may be left out by a command that
needs fewer; the others must name all."""

OPTIONAL = PLACEHOLDERS["mutate"] - {"kind"}

DOES = {
    "start": "start it, and return when it serves",
    "stop": "let it finish what it accepted, and end",
    "kill": "SIGKILL every process at once, the database's too",
    "pause": "suspend it: it neither answers nor ends",
    "resume": "let it go on",
    "rebuild": "build all read models anew from the log, and return when they serve",
    "rotate": "rotate the keys that protect the subjects' keys; it serves before and after",
    "clock": "set its clock {seconds} ahead of the real one, by which tokens go all the same; it "
    "serves before and after",
    "dump": "copy everything it stores into {folder}, as it lies on disk, and a dump as text",
    "logs": "copy what it logged into {folder}",
    "backup": "back it up into {folder}, as its operators would",
    "restore": "put the back-up in {folder} in place, as its operators would; it is stopped",
    "mutate": "forge its log while it is stopped: {kind} is alter, remove, insert, reorder, "
    "truncate, rewrite or swap, at {partition} and {position}",
}
"""What the command of each hook has to do."""


class HookError(Exception):
    """A hook did not do what it is for; the text says which, and why."""


class Hooks(Protocol):
    """What a target lets itself be done to."""

    @property
    def names(self) -> frozenset[str]:
        """The hooks it gives."""

    async def run(self, name: str, **values: str) -> None:
        """Run a hook that it gives.

        Raises:
            HookError: it did not do what it is for.
        """


@dataclass(frozen=True, slots=True)
class CommandHooks:
    """The commands of a target file."""

    commands: Mapping[str, Command]

    @property
    def names(self) -> frozenset[str]:
        """The hooks that have a command."""
        return frozenset(self.commands)

    async def run(self, name: str, **values: str) -> None:
        """Run the command of a hook; what is not given of its placeholders is empty."""
        given = dict.fromkeys(PLACEHOLDERS[name], "") | values
        try:
            await self.commands[name].run(given)
        except CommandError as error:
            raise HookError(str(error)) from None


NO_HOOKS = CommandHooks({})
