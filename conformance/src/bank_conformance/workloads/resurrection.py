"""Somebody is erased, and then everything is tried that could give them a key again.

Transfers are on their way while the key goes. Afterwards come commands with fresh narratives,
requests from before the erasure under their old keys, and a registration of the same person. Where
the target has the hooks, the bank is started again, and its read models are built anew. What the
erased party's side shows is read after each of these.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from bank_conformance.bank.shapes import Customer, Erasure, Transfer, demand, read
from bank_conformance.history import History, Operation

from .parties import Party, at_rest, exchange, look, narrative, party, share
from .power import outage, until_served
from .stage import Stage, gather

Request = Callable[[], Coroutine[Any, Any, Operation]]


@dataclass(frozen=True, slots=True)
class Looked:
    """What the bank showed of the erased party, and after what."""

    after: str
    views: list[Operation]
    customer: Operation
    erasure: Operation


@dataclass(slots=True)
class Resurrection:
    """What was shown before the erasure, what was tried after it, and what was shown then."""

    history: History
    subject: Party
    other: Party
    sent: list[str]
    """The transfers between them."""
    keyed: list[Request]
    """Requests under keys of their own, each to be sent before and after."""
    control: list[Operation]
    erasure: Erasure | None = None
    late: dict[str, str] = field(default_factory=dict)
    """The narratives of what came too late, by what it was."""
    attempts: list[Operation] = field(default_factory=list)
    """What was tried after the erasure."""
    looks: list[Looked] = field(default_factory=list)
    reborn: Customer | None = None
    """Who registered under the same personal data afterwards."""
    reborn_views: list[Operation] = field(default_factory=list)

    def private(self) -> dict[str, str]:
        """Return what was planted on the erased party's side alone."""
        shared = set(self.other.narratives.values())
        return {name: one for name, one in self.subject.canaries.items() if one not in shared}


async def resurrection(stage: Stage) -> Resurrection:
    """Erase somebody in the middle of transfers, and try everything."""
    record = await _set_up(stage)
    await _erase(stage, record)
    await _look(stage, record, "the erasure")
    await _come_too_late(stage, record, "late")
    await _look(stage, record, "commands that came too late")
    record.attempts += [await request() for request in record.keyed]
    await _look(stage, record, "requests that were sent again")
    await _register_anew(stage, record)
    await _look(stage, record, "a registration under the same data")
    if {"stop", "start"} <= stage.hooks.names:
        await outage(stage, "stop")
        await _come_too_late(stage, record, "after a restart")
        await _look(stage, record, "a restart")
    if "rebuild" in stage.hooks.names:
        await stage.hooks.run("rebuild")
        await until_served(stage)
        await _look(stage, record, "a rebuild")
    return record


async def _set_up(stage: Stage) -> Resurrection:
    keys = [stage.client.fresh_key() for _ in range(4)]
    subject, other = await party(stage, "subject", key=keys[0]), await party(stage, "other party")
    own = subject.narratives["deposit under a key"] = narrative()
    words = subject.narratives["transfer under a key"] = narrative()
    other.narratives["transfer under a key"] = words
    staff, ours, theirs = stage.staff, subject.account_id, other.account_id
    keyed: list[Request] = [
        partial(staff.register, subject.personal, key=keys[0]),
        partial(staff.post, ours, "CASH_DEPOSIT", 5, own, key=keys[1]),
        partial(staff.transfer, ours, theirs, 6, words, key=keys[2]),
        partial(staff.transfer, theirs, ours, 7, words, key=keys[3]),
    ]
    for request in keyed[1:]:
        demand(await request())
    sent = await share(stage, subject, other, "shared")
    control = await look(staff, subject, sent)
    return Resurrection(stage.history, subject, other, sent, keyed, control)


async def _erase(stage: Stage, record: Resurrection) -> None:
    """Erase while some transfers are on their way, and others are just asked for."""
    staff, (one, other) = stage.staff, (record.subject, record.other)
    record.late["transfer on its way"] = on_its_way = narrative()
    record.late["transfer at the same time"] = at_once = narrative()
    record.sent += await exchange(staff, one, other, on_its_way)
    erased, sent = await asyncio.gather(
        staff.erase(one.customer_id), exchange(staff, one, other, at_once)
    )
    record.erasure = read(erased, Erasure)
    record.sent += sent
    await at_rest(stage, one, other)


async def _come_too_late(stage: Stage, record: Resurrection, when: str) -> None:
    """Try commands for the erased, each with a narrative of its own, by staff and by the other."""
    staff, ours, theirs = stage.staff, record.subject.account_id, record.other.account_id
    told = {name: narrative() for name in ("deposit", "withdrawal", "transfer", "other's transfer")}
    record.late |= {f"{name}, {when}": words for name, words in told.items()}
    tried = [
        await staff.post(ours, "CASH_DEPOSIT", 11, told["deposit"]),
        await staff.post(ours, "CASH_WITHDRAWAL", 2, told["withdrawal"]),
        await staff.transfer(ours, theirs, 3, told["transfer"]),
        await record.other.session.transfer(theirs, ours, 4, told["other's transfer"]),
        await staff.open(record.subject.customer_id),
        await staff.erase(record.subject.customer_id),
    ]
    accepted = [one for one in tried if one.ok and one.call.route == "requestTransfer"]
    record.sent += [read(one, Transfer).transfer_id for one in accepted]
    record.attempts += tried
    await at_rest(stage, record.subject, record.other)


async def _register_anew(stage: Stage, record: Resurrection) -> None:
    """Register the same person under a key of its own."""
    record.reborn = read(await stage.staff.register(record.subject.personal), Customer)
    anew = record.reborn.customer_id
    record.reborn_views = await gather([stage.staff.customer(anew), stage.staff.erasure(anew)])


async def _look(stage: Stage, record: Resurrection, after: str) -> None:
    views = await look(stage.staff, record.subject, record.sent)
    customer = await stage.staff.customer(record.subject.customer_id)
    erasure = await stage.staff.erasure(record.subject.customer_id)
    record.looks.append(Looked(after, views, customer, erasure))
