"""The bank is killed while it erases one customer after the other, in several lanes: whenever the
kill hits, it cuts one erasure short in each of them, anywhere between its beginning and its end.

Then all are looked at, until each has come to its end or the time for that is over; those that got
no answer are sent again under their key, and asked for once more under a new one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from statistics import median
from typing import NamedTuple

from bank_conformance.bank.shapes import Customer, FeedEvent, demand, read
from bank_conformance.history import History, Operation, Outcome, now

from .erasure import make_personal
from .power import Outage, answered, cut_off, start
from .rest import FEED_SECONDS_MAX
from .stage import SETUP_PARALLEL_MAX, Stage, gather_bounded

KILLS, VICTIMS, PRACTICE = 4, 40, 4
LANES = 2
REPEATED = 4
"""So many of those that were answered before a kill are asked for again after it."""

PING_SECONDS, POLL_SECONDS = 0.005, 0.1


class Look(NamedTuple):
    """What the bank shows of a customer at one time."""

    customer: Operation
    erasure: Operation


@dataclass(slots=True)
class Victim:
    """A customer whose erasure was asked for around a kill."""

    customer_id: str
    key: str
    asked: Operation
    looks: list[Look] = field(default_factory=list)
    """What was shown of them since the kill; in the last, all had come to rest."""
    again: Operation | None = None
    """The same request once more, under the same key."""
    anew: Operation | None = None
    """The same wish under a new key."""
    end: Look | None = None
    """What was shown after that."""

    @property
    def cut(self) -> bool:
        """Whether the kill came between the request and its answer."""
        return cut_off(self.asked)


@dataclass(slots=True)
class KillSweep:
    """What became of everybody."""

    history: History
    victims: list[Victim] = field(default_factory=list)
    outages: list[Outage] = field(default_factory=list)
    events: list[FeedEvent] | None = None
    """The feed since before the first erasure; None where there is none."""


class Aim(NamedTuple):
    """What is known of how long things take, so that a kill hits while half of all are erased."""

    erasure_seconds: float
    kill_seconds: float = 0.0
    """How long after its call a kill hits."""

    @property
    def pace_seconds(self) -> float:
        """How long after one erasure the next one ends."""
        return self.erasure_seconds / LANES

    @property
    def head_start(self) -> float:
        """How many are to be erased before the kill is called; if negative, it is called first."""
        return VICTIMS / 2 - self.kill_seconds / self.pace_seconds


async def kill_sweep(stage: Stage) -> KillSweep:
    """Measure an erasure and a kill, then aim."""
    start = stage.feed_from
    if start is not None:
        _, start = await stage.staff.events(start, seconds=FEED_SECONDS_MAX)
    record, ids = KillSweep(stage.history), await _register(stage, KILLS * VICTIMS + PRACTICE)
    aim, left = Aim(await _practise(stage, ids[:PRACTICE])), ids[PRACTICE:]
    for number in range(KILLS):
        stage.progress(number, KILLS)
        batch = left[number * VICTIMS : (number + 1) * VICTIMS]
        phase = (number + stage.random.random()) / KILLS
        aim = await _round(stage, record, batch, aim, phase)
    if start is not None:
        record.events, _ = await stage.staff.events(start, seconds=FEED_SECONDS_MAX)
    return record


async def _register(stage: Stage, count: int) -> list[str]:
    async def one() -> str:
        return read(await stage.staff.register(make_personal()), Customer).customer_id

    return await gather_bounded([one] * count, SETUP_PARALLEL_MAX)


async def _practise(stage: Stage, ids: Sequence[str]) -> float:
    """Return how long an erasure takes."""
    done = [demand(await stage.staff.erase(one)) for one in ids]
    return median(one.completed - one.invoked for one in done)


@dataclass(slots=True)
class _Work:
    """Who is to be erased around one kill, and who was."""

    waiting: list[str]
    head_start: float
    pause_seconds: float
    """Between the last answer of the head start and the call of the kill: else each kill would hit
    at one and the same step of an erasure."""
    found: list[Victim] = field(default_factory=list)
    enough: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the kill is to be called."""


async def _round(
    stage: Stage, record: KillSweep, ids: Sequence[str], aim: Aim, phase: float
) -> Aim:
    """Kill while they are erased, start again and look; return what is known then.

    `phase` is the part of an erasure that the kill comes after the answer to the one before.
    """
    work = _Work(list(ids), aim.head_start, phase * aim.erasure_seconds)
    began, down, last = await _kill_amid(stage, work, -aim.head_start * aim.pace_seconds)
    record.outages.append(Outage(began, down, await start(stage)))
    await _look_until_rest(stage, work.found)
    answered = [one for one in work.found if one.asked.ok]
    again = [one for one in work.found if one.cut] + answered[-REPEATED:]
    await gather_bounded([partial(_repeat, stage, one) for one in again], SETUP_PARALLEL_MAX)
    record.victims += work.found
    lengths = [one.asked.completed - one.asked.invoked for one in answered]
    return Aim(median(lengths or [aim.erasure_seconds]), max(0.0, last - began))


async def _kill_amid(stage: Stage, work: _Work, after: float) -> tuple[float, float, float]:
    """Kill while they are erased; return when the hook was called, when it was done, and when the
    bank was last there.
    """
    lanes = [asyncio.create_task(_lane(stage, work, one, after)) for one in range(LANES)]
    pinging = asyncio.create_task(_ping(stage))
    try:
        if work.head_start > 0:
            await work.enough.wait()
            await asyncio.sleep(work.pause_seconds)
        began = now()
        await stage.hooks.run("kill")
        down, last = now(), await pinging
        await asyncio.gather(*lanes)
    finally:
        for task in (*lanes, pinging):
            task.cancel()
    return began, down, last


async def _lane(stage: Stage, work: _Work, number: int, after: float) -> None:
    """Erase one after the other, until nobody is left to be or the bank is gone."""
    session = stage.session(f"lane {number}")
    await asyncio.sleep(max(0.0, after))
    try:
        while work.waiting:
            customer_id, key = work.waiting.pop(), stage.client.fresh_key()
            victim = Victim(customer_id, key, await session.erase(customer_id, key=key))
            work.found.append(victim)
            if len(work.found) >= work.head_start:
                work.enough.set()
            if victim.asked.outcome is Outcome.INFO:
                return
    finally:
        work.enough.set()


async def _ping(stage: Stage) -> float:
    """Ping until the bank is gone, and return when it was last there."""
    session, last = stage.session("ping"), now()
    while (pinged := await session.call("live")).ok:
        last = pinged.completed
        await asyncio.sleep(PING_SECONDS)
    return last


async def _look_until_rest(stage: Stage, victims: Sequence[Victim]) -> None:
    """Look at all, and again at those whose erasure is under way, as long as one may take."""
    limits = stage.limits
    deadline = now() + limits.erasure_effective_seconds * limits.time_scale
    waiting = list(victims)
    while waiting:
        looks = [partial(_look, stage, one.customer_id) for one in waiting]
        for victim, look in zip(
            waiting, await gather_bounded(looks, SETUP_PARALLEL_MAX), strict=True
        ):
            victim.looks.append(look)
        waiting = [one for one in waiting if under_way(one.looks[-1])]
        if now() > deadline:
            return
        if waiting:
            await asyncio.sleep(POLL_SECONDS)


async def _look(stage: Stage, customer_id: str) -> Look:
    """Look at the customer first: between the two reads an erasure may go on, and never back."""
    customer = await stage.staff.customer(customer_id)
    return Look(customer, await stage.staff.erasure(customer_id))


async def _repeat(stage: Stage, victim: Victim) -> None:
    erase = partial(stage.staff.erase, victim.customer_id)
    victim.again = await answered(stage, partial(erase, key=victim.key))
    victim.anew = await answered(stage, erase)
    victim.end = await _look(stage, victim.customer_id)


def state_of(look: Look) -> str:
    """Return the state that an erasure is said to be in."""
    body = look.erasure.answer.body if look.erasure.ok and look.erasure.answer else None
    return str(body.get("state", "")) if isinstance(body, dict) else ""


def readable(look: Look) -> bool:
    """Say whether personal data is shown."""
    body = look.customer.answer.body if look.customer.ok and look.customer.answer else None
    return isinstance(body, dict) and bool(body.get("personal"))


def under_way(look: Look) -> bool:
    """Say whether an erasure was begun and has not ended, or what is said does not fit."""
    state = state_of(look)
    return state == "REQUESTED" or (state == "ERASED") == readable(look)
