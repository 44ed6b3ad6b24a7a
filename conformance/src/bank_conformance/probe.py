"""Before there is a run: does anybody answer at an address, and what does the bank there offer?"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

from .client import Client
from .history import History
from .mapping import AdapterError
from .preflight import InvalidRunError, LiarError, knock, preflight
from .target import Capabilities, Target
from .tokens import TokenError, Tokens
from .workloads.stage import Stage

OFFER_SECONDS_MAX = 60.0


class ProbeError(Exception):
    """Nothing could be found out; the text says why."""


async def answers(target: Target) -> None:
    """Return if the target answers a plain read. Nothing is written.

    Raises:
        ProbeError: it does not.
    """
    async with _stage(target) as stage:
        await knock(stage)


async def offered(target: Target) -> tuple[list[str], tuple[str, ...]]:
    """Register a customer, open an account, and return what the target offers, with notes.

    Raises:
        ProbeError: it gives no token, refuses, or is no bank.
    """
    async with _stage(target) as stage, asyncio.timeout(OFFER_SECONDS_MAX):
        found = await preflight(stage)
    names = found.capabilities.__struct_fields__
    return [name for name in names if getattr(found.capabilities, name)], found.notes


@asynccontextmanager
async def _stage(target: Target) -> AsyncIterator[Stage]:
    tokens = Tokens(target.minter)
    try:
        async with Client.of(target, tokens, f"c{secrets.token_hex(4)}") as client:
            die = Random(0)  # noqa: S311  a probe has nothing to draw
            yield Stage(target, client, Capabilities(), die, History("probe"))
    except (InvalidRunError, LiarError, TokenError, AdapterError) as error:
        raise ProbeError(str(error)) from None
    except TimeoutError:
        raise ProbeError(f"{target.base_url} is too slow to open one account") from None
    finally:
        await tokens.close()
