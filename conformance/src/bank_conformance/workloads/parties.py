"""Parties with a canary in every personal field, and everything that the bank shows of them.

A narrative belongs to both parties of a transfer, each with a copy of their own.
"""

from __future__ import annotations

import secrets
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bank_conformance.bank.routes import CUSTOMER_SCOPES
from bank_conformance.bank.session import Session
from bank_conformance.bank.shapes import Customer, Transfer, demand, read
from bank_conformance.history import Operation
from bank_conformance.tokens import Principal

from .erasure import make_personal
from .rest import scan, settle
from .stage import Stage, gather

FUNDS_MINOR, TRANSFERS = 100_000, 4
WORD = "rent"
"""Begins every narrative, so that all are found by it."""


def narrative() -> str:
    """Return a narrative that nobody else uses."""
    return f"{WORD} {secrets.token_hex(10)}"


@dataclass(slots=True)
class Party:
    """A customer with an account, and what was planted on their side."""

    name: str
    customer_id: str
    account_id: str
    personal: Mapping[str, str]
    session: Session
    """Their own calls."""
    narratives: dict[str, str] = field(default_factory=dict)
    """By a name that may be shown."""

    @property
    def canaries(self) -> dict[str, str]:
        """Return everything that was planted, by names that may be shown."""
        return {**self.personal, **self.narratives}


async def party(stage: Stage, name: str, *, key: str | None = None) -> Party:
    """Register somebody, with an account and a deposit whose narrative is nobody else's."""
    personal = make_personal()
    customer = read(await stage.staff.register(personal, key=key), Customer).customer_id
    own = Principal(name, customer, CUSTOMER_SCOPES)
    stage.client.tokens.ask(own)
    account = await stage.account(customer)
    found = Party(name, customer, account, personal, stage.session(name, own))
    await write(stage.staff, found, "own narrative", FUNDS_MINOR)
    return found


async def write(staff: Session, whose: Party, name: str, amount: int = 1) -> None:
    """Plant a narrative, that of a deposit, on a party's side."""
    whose.narratives[name] = narrative()
    posted = await staff.post(whose.account_id, "CASH_DEPOSIT", amount, whose.narratives[name])
    demand(posted)


async def exchange(staff: Session, one: Party, other: Party, words: str) -> list[str]:
    """Send money both ways under one narrative, and return the transfers that were accepted."""
    pairs = [(one.account_id, other.account_id), (other.account_id, one.account_id)]
    asked = await gather(
        staff.transfer(*pairs[number % 2], 10 + number, words) for number in range(TRANSFERS)
    )
    return [read(one, Transfer).transfer_id for one in asked if one.ok]


async def share(stage: Stage, one: Party, other: Party, name: str) -> list[str]:
    """Plant a narrative on both sides: that of transfers in both directions, seen to their end."""
    one.narratives[name] = other.narratives[name] = words = narrative()
    sent = await exchange(stage.staff, one, other, words)
    await at_rest(stage, one, other)
    return sent


async def at_rest(stage: Stage, *parties: Party) -> None:
    """Wait until every transfer ended, and every history shows it."""
    await settle(stage)
    await scan(stage, [one.account_id for one in parties])


async def look(staff: Session, whose: Party, sent: Sequence[str] = ()) -> list[Operation]:
    """Read everything that shows a party's side, as staff and as the party."""
    own = whose.session
    asked = [*_side(staff, whose), *_side(own, whose)]
    asked.append(own.call("listTransfers", query={"account_id": whose.account_id}))
    return await gather([*asked, *(own.transfer_state(one) for one in sent)])


async def glance(staff: Session, whose: Party) -> list[Operation]:
    """Read everything that shows a party's side to staff, which needs no further token."""
    return await gather(_side(staff, whose))


def _side(who: Session, whose: Party) -> list[Coroutine[Any, Any, Operation]]:
    return [
        who.customer(whose.customer_id),
        who.account(whose.account_id),
        who.call("listAccounts", query={"customer_id": whose.customer_id}),
        who.entry_page(whose.account_id, limit=1000),
        who.entry_page(whose.account_id, limit=1000, order="desc"),
        who.entry_page(whose.account_id, limit=1000, text=WORD),
    ]
