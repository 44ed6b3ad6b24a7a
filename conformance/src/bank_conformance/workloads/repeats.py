"""The same command several times under one key, one after the other or all at once.

Every command moves an amount of its own, so that its effects can be counted in the histories of the
accounts without trusting any answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import count

from bank_conformance.bank.session import Session
from bank_conformance.bank.shapes import demand
from bank_conformance.history import History, Operation

from .rest import Scan, scan, settle
from .stage import Stage, gather

TRIES, RACERS, RACES = 3, 8, 4
FUNDS_MINOR, TOO_MUCH_MINOR = 1_000_000, 5_000_000

Mark = tuple[str, str, int]
"""What an effect is recognised by: the account, CRDT, DBIT or HELD, and an amount of its own."""

Send = Callable[[str], Awaitable["Operation"]]
"""Sends a command under a key."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """One command, sent several times under one key."""

    what: str
    marks: tuple[Mark, ...]
    """What its effects are recognised by: each must show once if the command was done, else
    never."""
    tries: tuple[Operation, ...]


@dataclass(slots=True)
class Repeats:
    """What was repeated, and what effects could be counted afterwards."""

    history: History
    repeats: list[Repeat] = field(default_factory=list)
    effects: list[Mark] = field(default_factory=list)


@dataclass(slots=True)
class _Bench:
    """A few accounts and a supply of amounts that occur nowhere else."""

    stage: Stage
    customer: str
    payer: str
    payee: str
    poor: str
    record: Repeats
    holders: list[Mark] = field(default_factory=list)
    amounts: Iterator[int] = field(default_factory=lambda: count(101, 7))

    @property
    def session(self) -> Session:
        return self.stage.session("retrying client")

    def entry(self, code: str, direction: str) -> tuple[Send, tuple[Mark, ...]]:
        amount = next(self.amounts)
        send = partial(_post, self.session, self.payer, code, amount)
        return send, ((self.payer, direction, amount),)

    def transfer(self, wait: int | None = None) -> tuple[Send, tuple[Mark, ...]]:
        amount = next(self.amounts)
        send = partial(_transfer, self.session, self.payer, self.payee, amount, wait)
        return send, self.legs(amount)

    def legs(self, amount: int) -> tuple[Mark, ...]:
        return ((self.payer, "DBIT", amount), (self.payee, "CRDT", amount))

    async def hold(self) -> tuple[Send, tuple[Mark, ...]]:
        account = await self.stage.account(self.customer, funds=FUNDS_MINOR)
        mark = (account, "HELD", next(self.amounts))
        self.holders.append(mark)
        return partial(_hold, self.session, account, mark[2]), (mark,)

    def batch(self) -> tuple[Send, tuple[Mark, ...]]:
        amounts = [next(self.amounts) for _ in range(3)]
        orders = [self.session.order(self.payer, self.payee, amount) for amount in amounts]
        marks = [leg for amount in amounts for leg in self.legs(amount)]
        return partial(_batch, self.session, orders), tuple(marks)


def _post(session: Session, account: str, code: str, amount: int, key: str) -> Awaitable[Operation]:
    return session.post(account, code, amount, key=key)


def _hold(session: Session, account: str, amount: int, key: str) -> Awaitable[Operation]:
    return session.hold(account, amount, key=key)


def _transfer(
    session: Session, source: str, target: str, amount: int, wait: int | None, key: str
) -> Awaitable[Operation]:
    return session.transfer(source, target, amount, wait=wait, key=key)


def _batch(session: Session, orders: list[dict[str, object]], key: str) -> Awaitable[Operation]:
    return session.transfers(orders, key=key)


async def _one_after_the_other(send: Send, key: str) -> list[Operation]:
    return [await send(key) for _ in range(TRIES)]


async def _all_at_once(send: Send, key: str) -> list[Operation]:
    raced = await gather([send(key) for _ in range(RACERS)])
    return [*raced, await send(key)]


async def retries(stage: Stage) -> Repeats:
    """Send each kind of command three times under one key, refusals included."""
    bench = await _set_up(stage)
    for what, (send, marks) in (await _commands(bench)).items():
        tries = await _one_after_the_other(send, stage.client.fresh_key())
        bench.record.repeats.append(Repeat(what, marks, tuple(tries)))
    await _repeat_openings(bench)
    await _repeat_refusals(bench)
    await _count_effects(bench)
    return bench.record


async def races(stage: Stage) -> Repeats:
    """Send each kind of command eight times at once under one key, and once more afterwards."""
    bench = await _set_up(stage)
    for number in range(RACES):
        stage.progress(number, RACES)
        for what, (send, marks) in (await _commands(bench)).items():
            tries = await _all_at_once(send, stage.client.fresh_key())
            bench.record.repeats.append(Repeat(what, marks, tuple(tries)))
    await _count_effects(bench)
    return bench.record


async def _set_up(stage: Stage) -> _Bench:
    customer = await stage.customer()
    payer, payee = await stage.accounts(customer, 2, funds=FUNDS_MINOR)
    poor = await stage.account(customer)
    return _Bench(stage, customer, payer, payee, poor, Repeats(stage.history))


async def _commands(bench: _Bench) -> dict[str, tuple[Send, tuple[Mark, ...]]]:
    commands = {
        "deposit": bench.entry("CASH_DEPOSIT", "CRDT"),
        "withdrawal": bench.entry("CASH_WITHDRAWAL", "DBIT"),
        "transfer": bench.transfer(),
        "waited transfer": bench.transfer(wait=2),
    }
    if bench.stage.capabilities.batches:
        commands["batch"] = bench.batch()
    if bench.stage.capabilities.holds:
        commands["hold"] = await bench.hold()
    return commands


async def _repeat_openings(bench: _Bench) -> None:
    """Repeat the commands that make something new; what they made names it."""
    session, stage = bench.session, bench.stage
    owner, personal = await stage.customer(), stage.personal()
    openings: dict[str, Send] = {
        "registration": lambda key: session.register(personal, key=key),
        "account opening": lambda key: session.open(owner, key=key),
    }
    for what, send in openings.items():
        tries = await _one_after_the_other(send, stage.client.fresh_key())
        bench.record.repeats.append(Repeat(what, (), tuple(tries)))


async def _repeat_refusals(bench: _Bench) -> None:
    """Repeat what was refused for want of money once the money is there: it stays refused."""
    session, key = bench.session, bench.stage.client.fresh_key
    amounts = [TOO_MUCH_MINOR + next(bench.amounts) for _ in range(2)]
    withdrawal = partial(_post, session, bench.poor, "CASH_WITHDRAWAL", amounts[0])
    transfer = partial(_transfer, session, bench.poor, bench.payee, amounts[1], None)
    refused = {"refused withdrawal": (withdrawal, key()), "refused transfer": (transfer, key())}
    before = {what: [await send(k), await send(k)] for what, (send, k) in refused.items()}
    demand(await session.post(bench.poor, "CASH_DEPOSIT", 4 * TOO_MUCH_MINOR))
    marks = {
        "refused withdrawal": ((bench.poor, "DBIT", amounts[0]),),
        "refused transfer": ((bench.poor, "DBIT", amounts[1]), (bench.payee, "CRDT", amounts[1])),
    }
    for what, (send, k) in refused.items():
        tries = (*before[what], await send(k))
        bench.record.repeats.append(Repeat(what, marks[what], tries))


async def _count_effects(bench: _Bench) -> None:
    """Count what happened from the accounts' histories, and what is held from their balances."""
    await settle(bench.stage)
    holders = [account for account, _, _ in bench.holders]
    seen = await scan(bench.stage, [bench.payer, bench.payee, bench.poor, *holders])
    marked = {mark for repeat in bench.record.repeats for mark in repeat.marks}
    booked = (
        (account, entry.direction, entry.amount_minor)
        for account, entries in seen.entries.items()
        for entry in entries
    )
    bench.record.effects += [mark for mark in booked if mark in marked]
    bench.record.effects += _held(bench, seen)


def _held(bench: _Bench, seen: Scan) -> list[Mark]:
    """Return one mark for each time an amount is held on the account opened for it."""
    return [
        mark for mark in bench.holders for _ in range(seen.accounts[mark[0]].held_minor // mark[2])
    ]
