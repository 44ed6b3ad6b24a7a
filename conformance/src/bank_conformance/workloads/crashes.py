"""Kills in the middle of a storm of commands, retries after each, and the whole truth at rest.

Clients send one command after the other until the bank is gone. What got no answer may have been
done: half of it is sent again under its key once the bank serves, half is left alone. Some of what
was acknowledged is sent again too. Transfers that were acknowledged shortly before a kill are
watched until they end, without any help.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from bank_conformance.bank.observe import traces
from bank_conformance.bank.shapes import TERMINAL, Transfer, begun, demand, instant, read
from bank_conformance.history import Operation, Outcome, now

from .bench import Bench, Mark, Repeat, Repeats, Send, set_bench
from .power import Outage, answered, crash, cut_off
from .rest import scan, settle
from .stage import SETUP_PARALLEL_MAX, Stage, ending, gather, gather_bounded

ROUNDS_MIN, ROUNDS_MAX, CLIENTS = 3, 6, 30
FOUND_DONE_MIN = 3
"""So many commands that a kill cut off must be found done after it: where a bank is quick to answer
what it has done, only further kills hit the moment in between.
"""
COMMANDS_SOON, COMMANDS_MAX, PAUSE_SECONDS = 150, 1_000, 0.1
"""So many commands a client sends one after the other, then with a pause, until it is cut off."""
BURST, BURST_SECONDS = 20, 0.1
"""So many transfers a batch has shortly before the kill is asked for, and from then on."""
STORM_SECONDS = 0.4
"""How long a storm blows before the kill is asked for."""
FUNDS_MINOR = 1_000_000_000
AGAIN_MAX = 20
"""So many of the acknowledged commands are sent again after a kill."""
WATCHED_MAX, RECENT_SECONDS = 300, 2.0
LOOK_SECONDS, LOOKS_SECONDS_MAX = 0.03, 4.0
MOVING = {"transfer", "waited transfer", "batch"}
NEVER = datetime.max.replace(tzinfo=UTC)


Command = tuple[str, tuple[Send, tuple[Mark, ...]]]
"""What it is, how it is sent, and what its effects are recognised by."""


@dataclass(slots=True)
class Attempt:
    """A command, its key, and every try."""

    what: str
    marks: tuple[Mark, ...]
    send: Send
    key: str
    tries: list[Operation] = field(default_factory=list)

    @property
    def acknowledged(self) -> bool:
        """Whether the bank said that it was done."""
        return any(one.ok for one in self.tries)


@dataclass(slots=True)
class Journey:
    """A transfer that was acknowledged shortly before a kill, and what was seen of it after."""

    transfer_id: str
    outage: Outage
    killed_at: datetime
    """On the bank's own clock: when it had last accepted a transfer before it was killed."""
    looks: list[Operation] = field(default_factory=list)

    @property
    def open_looks(self) -> list[Operation]:
        """The looks that showed it under way; one without a clear answer shows nothing."""
        return [one for one in self.looks if one.ok and not read(one, Transfer).terminal]

    @property
    def ended_at(self) -> datetime | None:
        """When the bank says that it ended."""
        last = self.looks[-1] if self.looks else None
        if last is None or not last.ok:
            return None
        told = read(last, Transfer).ended_at
        return instant(told) if told else None

    @property
    def was_under_way(self) -> bool:
        """Whether the kill found it on its way, by one clock: the bank's."""
        ended_later = self.ended_at is not None and self.ended_at > self.killed_at
        return ended_later or bool(self.open_looks)


@dataclass(slots=True)
class Crashes(Repeats):
    """What was sent around kills, what it came to, and how transfers went on."""

    again: list[Repeat] = field(default_factory=list)
    """The commands that were sent again after a kill; they are among `repeats` too."""
    before: list[Repeat] = field(default_factory=list)
    """The commands that were acknowledged before a kill, with the tries up to it."""
    journeys: list[Journey] = field(default_factory=list)
    outages: list[Outage] = field(default_factory=list)
    cut_off: list[list[Operation]] = field(default_factory=list)
    """For each outage, the commands that had reached the bank and got no answer any more."""
    ended_badly: set[Mark] = field(default_factory=set)
    """What transfers would have moved that the bank accepted and that then did not complete."""
    newcomers: list[tuple[Operation, Operation]] = field(default_factory=list)
    """Registrations and openings amid a storm, each with a look after the kill."""


async def crashes(stage: Stage) -> Crashes:
    """Kill the bank a few times in the middle of a storm, and count everything at rest."""
    record = Crashes(stage.history)
    bench = await set_bench(stage, record)
    demand(await stage.staff.post(bench.payer, "CASH_DEPOSIT", FUNDS_MINOR))
    seen = await scan(stage, [bench.payer, bench.payee])
    known = {one: len(entries) for one, entries in seen.entries.items()}
    while len(record.outages) < ROUNDS_MIN or (
        len(found_done(record)) < FOUND_DONE_MIN and len(record.outages) < ROUNDS_MAX
    ):
        stage.progress(len(record.outages), max(ROUNDS_MIN, len(record.outages) + 1))
        await _round(bench, record)
    await _count(bench, record, known)
    return record


async def _round(bench: Bench, record: Crashes) -> None:
    sent: list[Attempt] = []
    struck = asyncio.Event()
    clients = [
        asyncio.create_task(_client(bench, number, sent, struck)) for number in range(CLIENTS)
    ]
    with ending(clients):
        newcomers = await _newcomers(bench)
        await asyncio.sleep(STORM_SECONDS)
        struck.set()
        await asyncio.sleep(BURST_SECONDS)
        outage = await crash(bench.stage)
        await asyncio.gather(*clients)
    record.outages.append(outage)
    record.cut_off.append([one.tries[0] for one in sent if cut_off(one.tries[0])])
    killed_at = _last_accepted(sent)
    journeys = [Journey(one, outage, killed_at) for one in _recent(sent, outage)]
    await gather_bounded(
        [partial(_watch, bench.stage, one) for one in journeys], SETUP_PARALLEL_MAX
    )
    record.journeys += journeys
    record.newcomers += [
        (one, await answered(bench.stage, partial(_look, bench, one))) for one in newcomers
    ]
    record.before += [_repeat(one) for one in sent if one.acknowledged]
    again = await _send_again(bench, sent)
    record.again += [_repeat(one) for one in again]
    record.repeats += [_repeat(one) for one in sent]


def found_done(record: Crashes) -> list[Repeat]:
    """Return the commands without an answer that had been done all the same, as was learnt when
    they were sent again.
    """
    unanswered = (one for one in record.again if one.tries[0].outcome is Outcome.INFO)
    return [one for one in unanswered if one.tries[-1].replayed]


def _repeat(sent: Attempt) -> Repeat:
    return Repeat(sent.what, sent.marks, tuple(sent.tries))


async def _client(bench: Bench, number: int, sent: list[Attempt], struck: asyncio.Event) -> None:
    """Send one command after the other until one gets no answer: the bank is gone.

    Once the kill is asked for, every third client sends transfers by the batch, where there are
    batches, and every third waits for each: a fast bank has one on its way for milliseconds, and
    the kill must find many there, and some between their effect and the answer.
    """
    commands, lasts = _commands(bench, number), _last_commands(bench)[number % 3]
    for count in range(COMMANDS_MAX):
        if count >= COMMANDS_SOON:
            await asyncio.sleep(PAUSE_SECONDS)
        what, (send, marks) = lasts() if struck.is_set() and lasts else next(commands)
        one = Attempt(what, marks, send, bench.stage.client.fresh_key())
        sent.append(one)
        one.tries.append(await send(one.key))
        if one.tries[0].outcome is Outcome.INFO:
            return


def _last_commands(bench: Bench) -> list[Callable[[], Command] | None]:
    """Return what clients send once the kill is asked for; None for what they sent before."""

    def burst() -> Command:
        if bench.stage.capabilities.batches:
            return "batch", bench.batch(BURST)
        return "transfer", bench.transfer()

    return [None, burst, lambda: ("waited transfer", bench.transfer(wait=2))]


def _commands(bench: Bench, number: int) -> Iterator[Command]:
    """Each client begins with another kind, so that a kill meets all of them."""
    kinds: dict[str, Callable[[], tuple[Send, tuple[Mark, ...]]]] = {
        "transfer": bench.transfer,
        "deposit": lambda: bench.entry("CASH_DEPOSIT", "CRDT"),
        "waited transfer": lambda: bench.transfer(wait=2),
        "withdrawal": lambda: bench.entry("CASH_WITHDRAWAL", "DBIT"),
    }
    if bench.stage.capabilities.batches:
        kinds["batch"] = bench.batch
    names = list(kinds)
    while True:
        what = names[number % len(names)]
        yield what, kinds[what]()
        number += 1


async def _newcomers(bench: Bench) -> list[Operation]:
    """Register somebody and open an account for them while the storm blows."""
    staff = bench.stage.staff
    return await gather(
        [staff.register(bench.stage.personal()), staff.open(bench.customer)],
    )


async def _look(bench: Bench, newcomer: Operation) -> Operation:
    body = newcomer.answer.body if newcomer.answer else None
    ids = body if isinstance(body, dict) else {}
    if newcomer.call.route == "openAccount":
        return await bench.stage.staff.account(str(ids.get("account_id")))
    return await bench.stage.staff.customer(str(ids.get("customer_id")))


def _recent(sent: list[Attempt], outage: Outage) -> list[str]:
    """Return the transfers that were acknowledged last before the bank was gone."""
    since = outage.began - RECENT_SECONDS
    tries = [one.tries[0] for one in sent if one.what in {"transfer", "batch"}]
    tries.sort(key=lambda one: one.completed)
    ids = [one.transfer_id for told in tries if told.completed > since for one in begun(told)]
    return ids[-WATCHED_MAX:]


async def _watch(stage: Stage, journey: Journey) -> None:
    """Look at a transfer until it ended, or has had more than enough time to."""
    session = stage.session(f"watch {journey.transfer_id[-6:]}")
    while True:
        look = await session.transfer_state(journey.transfer_id)
        journey.looks.append(look)
        ended = look.ok and read(look, Transfer).terminal
        if ended or now() > journey.outage.up + LOOKS_SECONDS_MAX:
            return
        await asyncio.sleep(LOOK_SECONDS)


def _last_accepted(sent: list[Attempt]) -> datetime:
    """Return the latest time at which the bank says that it accepted a transfer."""
    tries = [one.tries[0] for one in sent if one.what in MOVING]
    times = [one.requested_at for told in tries for one in begun(told)]
    return max((instant(time) for time in times if time), default=NEVER)


async def _send_again(bench: Bench, sent: list[Attempt]) -> list[Attempt]:
    """Send every second command without an answer again, and every second of the last that were
    acknowledged: what is there twice of the others nobody has sent twice.
    """
    unanswered = [one for one in sent if one.tries[0].outcome is Outcome.INFO]
    unanswered.sort(key=lambda one: one.what)  # half of each kind
    acknowledged = [one for one in sent if one.acknowledged]
    again = [*unanswered[::2], *acknowledged[-2 * AGAIN_MAX :: 2]]
    for one in again:
        one.tries.append(await answered(bench.stage, partial(one.send, one.key)))
    return again


async def _count(bench: Bench, record: Crashes, known: dict[str, int]) -> None:
    """Count every entry since the set-up, asked for or not."""
    await settle(bench.stage)
    record.ended_badly = set(_ended_badly(record))
    seen = await scan(bench.stage, list(known))
    record.effects += [
        (account, entry.direction, entry.amount_minor)
        for account, entries in seen.entries.items()
        for entry in entries
        if entry.sequence > known[account]
    ]


def _ended_badly(record: Crashes) -> Iterator[Mark]:
    """Return the legs of the transfers that were seen to end without completing."""
    states = {one.transfer_id: one.state for one in traces(record.history).values()}
    bad = {one for one, state in states.items() if state in TERMINAL - {"COMPLETED"}}
    for repeat in record.repeats:
        for place, transfer_id in enumerate(_transfers_of(repeat)):
            if transfer_id in bad:
                yield from repeat.marks[2 * place : 2 * place + 2]


def _transfers_of(repeat: Repeat) -> list[str]:
    """Return the transfers of a command in the order of its marks, two of each."""
    told = next((one for one in repeat.tries if one.ok), None)
    return [one.transfer_id for one in begun(told)] if told and repeat.what in MOVING else []
