"""Several commands at once on one expected version of an account, and one more that comes too late.

Each moves an amount of its own, so that its effect can be found without trusting its answer. Where
the bank serves at several addresses, the rivals are spread over them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bank_conformance.bank.session import Session
from bank_conformance.bank.shapes import Account, read
from bank_conformance.history import History, Operation

from .rest import scan
from .stage import Stage, gather

RACES, RACERS = 16, 6
FUNDS_MINOR = 1_000_000


@dataclass(frozen=True, slots=True)
class Rival:
    """A command on an expected version, and the amount that its effect is recognised by."""

    amount: int
    operation: Operation


@dataclass(frozen=True, slots=True)
class Race:
    """Rivals on one version: those who were sent together, and the one who came too late."""

    version: int
    rivals: tuple[Rival, ...]
    latecomer: Rival


@dataclass(slots=True)
class Rivals:
    """All races, and the amounts that were booked in the end."""

    history: History
    races: list[Race] = field(default_factory=list)
    booked: list[int] = field(default_factory=list)


async def rivals(stage: Stage) -> Rivals:
    """Race after race on one account, then read its history."""
    account_id = await stage.account(await stage.customer(), funds=FUNDS_MINOR)
    record = Rivals(stage.history)
    async with stage.replicas() as replicas:
        addresses = [stage.staff, *replicas]
        for number in range(RACES):
            stage.progress(number, RACES)
            amount = number * (RACERS + 1) + 1
            record.races.append(await _race(addresses, account_id, amount))
    entries = (await scan(stage, [account_id])).entries[account_id]
    record.booked = [entry.amount_minor for entry in entries if entry.amount_minor < FUNDS_MINOR]
    return record


async def _race(addresses: Sequence[Session], account_id: str, amount: int) -> Race:
    version = read(await addresses[0].account(account_id), Account).version or 0
    together = await gather(
        _command(addresses, account_id, version, amount + index) for index in range(RACERS)
    )
    late = await _command(addresses, account_id, version, amount + RACERS)
    return Race(version, tuple(together), late)


async def _command(
    addresses: Sequence[Session], account_id: str, version: int, amount: int
) -> Rival:
    number = amount % (RACERS + 1)
    session = replace(addresses[number // 2 % len(addresses)], name=f"rival {number}")
    code = "CASH_DEPOSIT" if amount % 2 else "CASH_WITHDRAWAL"
    return Rival(amount, await session.post(account_id, code, amount, if_match=version))
