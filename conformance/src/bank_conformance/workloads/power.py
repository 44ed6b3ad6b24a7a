"""Stopping, killing and starting the bank, and waiting until it serves again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass

from bank_conformance.history import SERVER_ERROR, Operation, Outcome, now
from bank_conformance.hooks import HookError

from .stage import Stage

LOOK_SECONDS = 0.02
NEVER_SENT = "ConnectError"
KNOCK_SECONDS_MAX = 2.0
CONFLICT = 409


@dataclass(frozen=True, slots=True)
class Outage:
    """When a bank was taken away, and when it served again, on the clock of the histories."""

    began: float
    """Before the hook that took it away was called."""
    down: float
    """When that hook said that it was done."""
    up: float
    """When the bank first said again that it is ready."""


def cut_off(operation: Operation) -> bool:
    """Say whether a command had reached the bank when it went away; else it was never sent."""
    return operation.outcome is Outcome.INFO and not operation.error.startswith(NEVER_SENT)


async def crash(stage: Stage) -> Outage:
    """Kill every process of the bank at once, and start it again."""
    return await outage(stage, "kill")


async def outage(stage: Stage, hook: str, *between: str) -> Outage:
    """Take the bank away by `kill` or `stop`, run the hooks of `between`, and start it again."""
    began = now()
    await stage.hooks.run(hook)
    down = now()
    if await _serves(stage):
        raise HookError(f"the {hook} hook has returned, and the bank still serves")
    for name in between:
        await stage.hooks.run(name)
    return Outage(began, down, await start(stage))


async def start(stage: Stage) -> float:
    """Start the bank, and return when it first served: its hook may return later.

    Raises:
        HookError: the hook failed, or the bank does not serve although it has returned.
    """
    starting = asyncio.ensure_future(stage.hooks.run("start"))
    try:
        while not await _serves(stage):
            if starting.done():
                break
            await asyncio.sleep(LOOK_SECONDS)
        served = now()
        await starting
    finally:
        starting.cancel()
    if not await _serves(stage):
        await until_served(stage)
        served = now()
    return served


async def until_served(stage: Stage) -> None:
    """Wait until the bank says that it is ready.

    Raises:
        HookError: it does not, although its start hook has returned.
    """
    deadline = now() + stage.limits.hook_seconds * stage.limits.time_scale
    while not await _serves(stage):
        if now() > deadline:
            seconds = f"{stage.limits.hook_seconds:.0f} s"
            raise HookError(f"the bank does not serve {seconds} after its start hook returned")
        await asyncio.sleep(LOOK_SECONDS)


async def answered(stage: Stage, ask: Callable[[], Awaitable[Operation]]) -> Operation:
    """Ask until there is a clear answer, at most as long as rest may take: a bank that has just
    started may be busy with itself, and a key may still be held by a command that died.
    """
    deadline = now() + stage.limits.settle_seconds * stage.limits.time_scale
    while True:
        told = await ask()
        unclear = told.answer is None or told.status >= SERVER_ERROR or told.status == CONFLICT
        if not unclear or now() > deadline:
            return told
        await asyncio.sleep(LOOK_SECONDS)


async def bring_back(stage: Stage, used: Collection[str]) -> None:
    """See that the bank goes on, by the right time, and serves, once a workload has `used` hooks.

    Raises:
        HookError: it could not be brought back.
    """
    if {"pause", "resume"} <= set(used):
        await stage.hooks.run("resume")
    if "clock" in used:
        await stage.hooks.run("clock", seconds="0")
    if "start" in used and not await _serves(stage):
        await start(stage)


async def _serves(stage: Stage) -> bool:
    """Say whether the bank answers that it serves."""
    with suppress(TimeoutError):
        async with asyncio.timeout(KNOCK_SECONDS_MAX):
            return (await stage.session("knock").call("ready")).ok
    return False
