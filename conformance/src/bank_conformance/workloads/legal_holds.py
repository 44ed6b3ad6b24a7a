"""Erasures are asked for in every way while a legal hold stands, which is then lifted or ends.

Nobody asks again once a hold is over: what waited for it must be carried out by itself. A bystander
has a hold that is lifted, too, but nobody asked for their erasure. Restarts and the end of a hold
by its date are played where the target has the hooks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

from bank_conformance.bank.shapes import Erasure, demand, read
from bank_conformance.history import History, Operation, now

from .parties import Party, at_rest, glance, party
from .power import outage, until_served
from .stage import Stage

HELD_DAYS, AHEAD_DAYS = 2, 3
"""Until when is held, and how far the clock is set ahead to have it over."""
ALONE_SECONDS_MAX = 6.0
"""For how long a held erasure is left alone: longer than most banks wait to look again."""
LOOK_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Try:
    """One way in which an erasure was asked for or carried on, and how the customer stood then."""

    way: str
    asked: Operation | None
    """None where nobody asked."""
    erasure: Operation
    customer: Operation


@dataclass(slots=True)
class Held:
    """Somebody whose erasure a legal hold forbids, until it is over."""

    party: Party
    until: str
    ending: str
    """How the hold came to be over."""
    tries: list[Try] = field(default_factory=list)
    """While it stood."""
    served: Operation | None = None
    """A command of theirs while it stood."""
    over: float = 0.0
    """When it was over, on the clock of the histories."""
    waited: list[Operation] = field(default_factory=list)
    """How the erasure stood, again and again, once it was."""
    views: list[Operation] = field(default_factory=list)
    """What was shown of them in the end."""


@dataclass(slots=True)
class LegalHolds:
    """Those who were held, and the bystander."""

    history: History
    resumed_seconds: float
    """How soon an erasure must be carried out once nothing forbids it."""
    held: list[Held]
    bystander: Party
    bystander_views: list[Operation] = field(default_factory=list)
    control: list[Operation] = field(default_factory=list)
    """What was shown of everybody before."""


async def legal_holds(stage: Stage) -> LegalHolds:
    """Hold some, try to erase them, and let each hold end in its own way."""
    scale = stage.limits.time_scale
    until = (datetime.now(UTC) + timedelta(days=HELD_DAYS)).date().isoformat()
    endings = ["lifted", "over by its date"][: 1 + ("clock" in stage.hooks.names)]
    held = [Held(await party(stage, f"customer, {e}"), until, e) for e in endings]
    seconds = stage.limits.erasure_resumed_seconds * scale
    record = LegalHolds(stage.history, seconds, held, await party(stage, "bystander"))
    everybody = [*(one.party for one in held), record.bystander]
    await at_rest(stage, *everybody)
    for whose in everybody:
        record.control += await glance(stage.staff, whose)
        demand(await stage.staff.set_legal_hold(whose.customer_id, until))
    await _ask_in_every_way(stage, record)
    demand(await stage.staff.lift_legal_hold(record.bystander.customer_id))
    for one in record.held:
        await _end(stage, record, one)
    record.bystander_views = await glance(stage.staff, record.bystander)
    return record


async def _ask_in_every_way(stage: Stage, record: LegalHolds) -> None:
    staff, tries = stage.staff, partial(_try, stage, record)
    keys = {one.party.customer_id: stage.client.fresh_key() for one in record.held}
    await tries("asked for", lambda one: staff.erase(one, key=keys[one]))
    await tries("asked for again", staff.erase)
    await tries("sent again under its key", lambda one: staff.erase(one, key=keys[one]))
    async with stage.replicas() as replicas:
        for at in replicas:
            await tries(f"asked for at {at.name}", at.erase)
    if {"stop", "start"} <= stage.hooks.names:
        await outage(stage, "stop")
        await tries("left to a restart")
        await tries("asked for after a restart", staff.erase)
    await stage.wait(min(ALONE_SECONDS_MAX, stage.limits.erasure_resumed_seconds))
    await tries("left alone")
    for held in record.held:
        held.served = await staff.post(held.party.account_id, "CASH_DEPOSIT", 1)


async def _try(
    stage: Stage,
    record: LegalHolds,
    way: str,
    erase: Callable[[str], Awaitable[Operation]] | None = None,
) -> None:
    """Ask for the erasure of all who are held, and look how they stand."""
    for held in record.held:
        customer_id = held.party.customer_id
        asked = await erase(customer_id) if erase else None
        erasure = await stage.staff.erasure(customer_id)
        held.tries.append(Try(way, asked, erasure, await stage.staff.customer(customer_id)))


async def _end(stage: Stage, record: LegalHolds, one: Held) -> None:
    """Let a hold be over, and wait for what must come of it."""
    if one.ending == "lifted":
        demand(await stage.staff.lift_legal_hold(one.party.customer_id))
    else:
        await stage.hooks.run("clock", seconds=str(AHEAD_DAYS * 24 * 3600))
        await until_served(stage)
    one.over = now()
    while True:
        one.waited.append(await stage.staff.erasure(one.party.customer_id))
        erased = read(one.waited[-1], Erasure).state == "ERASED"
        if erased or now() > one.over + record.resumed_seconds:
            break
        await stage.wait(LOOK_SECONDS)
    one.views = await glance(stage.staff, one.party)
