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

from bank_conformance.bank.shapes import Transfer, demand, read
from bank_conformance.history import Operation, Outcome, now

from .bench import Bench, Mark, Repeat, Repeats, Send, set_bench
from .power import Outage, crash
from .rest import scan, settle
from .stage import SETUP_PARALLEL_MAX, Stage, gather, gather_bounded

ROUNDS, CLIENTS, COMMANDS_MAX = 3, 24, 150
STORM_SECONDS = 0.4
"""How long a storm blows before the kill is asked for."""
FUNDS_MINOR = 1_000_000_000
AGAIN_MAX = 20
"""So many of the acknowledged commands are sent again after a kill."""
WATCHED_MAX, RECENT_SECONDS = 150, 2.0
LOOK_SECONDS, LOOKS_SECONDS_MAX = 0.03, 4.0


@dataclass(slots=True)
class Sent:
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
    """The same instant as the outage's beginning, on the clock of the wall."""
    looks: list[Operation] = field(default_factory=list)

    @property
    def open_looks(self) -> list[Operation]:
        """The looks that did not show it ended."""
        return [one for one in self.looks if not (one.ok and read(one, Transfer).terminal)]

    @property
    def ended_at(self) -> datetime | None:
        """When the bank says that it ended."""
        last = self.looks[-1] if self.looks else None
        if last is None or not last.ok:
            return None
        told = read(last, Transfer).ended_at
        return datetime.fromisoformat(told) if told else None

    @property
    def was_under_way(self) -> bool:
        """Whether the kill found it on its way."""
        return self.ended_at is not None and self.ended_at > self.killed_at


@dataclass(slots=True)
class Crashes(Repeats):
    """What was sent around kills, what it came to, and how transfers went on."""

    again: list[Repeat] = field(default_factory=list)
    """The commands that were sent again after a kill; they are among `repeats` too."""
    before: list[Repeat] = field(default_factory=list)
    """The commands that were acknowledged before a kill, with the tries up to it."""
    journeys: list[Journey] = field(default_factory=list)
    outages: list[Outage] = field(default_factory=list)
    newcomers: list[tuple[Operation, Operation]] = field(default_factory=list)
    """Registrations and openings just before a kill, each with a look after it."""


async def crashes(stage: Stage) -> Crashes:
    """Kill the bank a few times in the middle of a storm, and count everything at rest."""
    record = Crashes(stage.history)
    bench = await set_bench(stage, record)
    demand(await stage.staff.post(bench.payer, "CASH_DEPOSIT", FUNDS_MINOR))
    seen = await scan(stage, [bench.payer, bench.payee])
    known = {one: len(entries) for one, entries in seen.entries.items()}
    for number in range(ROUNDS):
        stage.progress(number, ROUNDS)
        await _round(bench, record)
    await _count(bench, record, known)
    return record


async def _round(bench: Bench, record: Crashes) -> None:
    sent: list[Sent] = []
    clients = [asyncio.create_task(_client(bench, number, sent)) for number in range(CLIENTS)]
    newcomers = await _newcomers(bench)
    await asyncio.sleep(STORM_SECONDS)
    killed_at = datetime.now(UTC)
    outage = await crash(bench.stage)
    await asyncio.gather(*clients)
    record.outages.append(outage)
    journeys = [Journey(one, outage, killed_at) for one in _recent(sent, outage)]
    await gather_bounded(
        [partial(_watch, bench.stage, one) for one in journeys], SETUP_PARALLEL_MAX
    )
    record.journeys += journeys
    record.newcomers += [(one, await _look(bench, one)) for one in newcomers]
    record.before += [_repeat(one) for one in sent if one.acknowledged]
    again = await _send_again(sent)
    record.again += [_repeat(one) for one in again]
    record.repeats += [_repeat(one) for one in sent]


def _repeat(sent: Sent) -> Repeat:
    return Repeat(sent.what, sent.marks, tuple(sent.tries))


async def _client(bench: Bench, number: int, sent: list[Sent]) -> None:
    """Send one command after the other until one gets no answer: the bank is gone."""
    commands = _commands(bench, number)
    for _ in range(COMMANDS_MAX):
        what, (send, marks) = next(commands)
        one = Sent(what, marks, send, bench.stage.client.fresh_key())
        sent.append(one)
        one.tries.append(await send(one.key))
        if one.tries[0].outcome is Outcome.INFO:
            return


def _commands(bench: Bench, number: int) -> Iterator[tuple[str, tuple[Send, tuple[Mark, ...]]]]:
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


def _recent(sent: list[Sent], outage: Outage) -> list[str]:
    """Return the transfers that were acknowledged last before the bank was gone."""
    acknowledged = [
        one.tries[0]
        for one in sent
        if one.what == "transfer" and one.tries[0].ok
        and one.tries[0].completed > outage.began - RECENT_SECONDS
    ]  # fmt: skip
    acknowledged.sort(key=lambda one: one.completed)
    return [read(one, Transfer).transfer_id for one in acknowledged[-WATCHED_MAX:]]


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


async def _send_again(sent: list[Sent]) -> list[Sent]:
    """Send every second command without an answer again, and some that were acknowledged."""
    unanswered = [one for one in sent if one.tries[0].outcome is Outcome.INFO]
    acknowledged = [one for one in sent if one.acknowledged]
    again = [*unanswered[::2], *acknowledged[-AGAIN_MAX:]]
    for one in again:
        one.tries.append(await one.send(one.key))
    return again


async def _count(bench: Bench, record: Crashes, known: dict[str, int]) -> None:
    """Count every entry since the set-up, asked for or not."""
    await settle(bench.stage)
    seen = await scan(bench.stage, list(known))
    record.effects += [
        (account, entry.direction, entry.amount_minor)
        for account, entries in seen.entries.items()
        for entry in entries
        if entry.sequence > known[account]
    ]
