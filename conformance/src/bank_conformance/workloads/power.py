"""Stopping, killing and starting the bank, and waiting until it serves again."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass

from bank_conformance.history import now
from bank_conformance.hooks import HookError

from .stage import Stage

LOOK_SECONDS = 0.02
KNOCK_SECONDS_MAX = 2.0


@dataclass(frozen=True, slots=True)
class Outage:
    """When a bank was taken away, and when it served again, on the clock of the histories."""

    began: float
    """Before the hook that took it away was called."""
    down: float
    """When that hook said that it was done."""
    up: float
    """When a read was answered again."""


async def crash(stage: Stage) -> Outage:
    """Kill every process of the bank at once, and start it again."""
    return await outage(stage, "kill")


async def outage(stage: Stage, hook: str, *between: str) -> Outage:
    """Take the bank away by `kill` or `stop`, run the hooks of `between`, and start it again."""
    began = now()
    await stage.hooks.run(hook)
    down = now()
    for name in between:
        await stage.hooks.run(name)
    await stage.hooks.run("start")
    await until_served(stage)
    return Outage(began, down, now())


async def until_served(stage: Stage) -> None:
    """Wait until the bank answers a read of staff.

    Raises:
        HookError: it does not, although its start hook has returned.
    """
    deadline = now() + stage.limits.hook_seconds * stage.limits.time_scale
    while not await _serves(stage):
        if now() > deadline:
            seconds = f"{stage.limits.hook_seconds:.0f} s"
            raise HookError(f"the bank does not serve {seconds} after its start hook returned")
        await asyncio.sleep(LOOK_SECONDS)


async def bring_back(stage: Stage, used: Collection[str]) -> None:
    """Start the bank unless it serves, by the right time, once a workload has `used` hooks; what
    goes wrong here is for the next workload to say.
    """
    with suppress(HookError):
        if "pause" in used:
            await stage.hooks.run("resume")
    with suppress(HookError):
        if "clock" in used:
            await stage.hooks.run("clock", seconds="0")
    with suppress(HookError):
        if "start" in used and not await _serves(stage):
            await stage.hooks.run("start")
            await until_served(stage)


async def _serves(stage: Stage) -> bool:
    """Say whether the bank answers that it serves."""
    with suppress(TimeoutError):
        async with asyncio.timeout(KNOCK_SECONDS_MAX):
            return (await stage.session("knock").call("ready")).ok
    return False
