"""The bench on which commands are repeated: a few accounts, and amounts that occur nowhere else.

Every command moves an amount of its own, so that its effects can be counted in the histories of the
accounts without trusting any answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import count

from bank_conformance.bank.session import Session
from bank_conformance.history import History, Operation

from .rest import Scan, scan, settle
from .stage import Stage

FUNDS_MINOR = 1_000_000

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
class Bench:
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
        """Who repeats."""
        return self.stage.session("retrying client")

    def entry(self, code: str, direction: str) -> tuple[Send, tuple[Mark, ...]]:
        """Return a command that books an entry."""
        amount = next(self.amounts)
        send = partial(post, self.session, self.payer, code, amount)
        return send, ((self.payer, direction, amount),)

    def transfer(self, wait: int | None = None) -> tuple[Send, tuple[Mark, ...]]:
        """Return a command that moves money."""
        amount = next(self.amounts)
        send = partial(transfer, self.session, self.payer, self.payee, amount, wait)
        return send, self.legs(amount)

    def legs(self, amount: int) -> tuple[Mark, ...]:
        """Return the marks of a transfer."""
        return ((self.payer, "DBIT", amount), (self.payee, "CRDT", amount))

    async def hold(self) -> tuple[Send, tuple[Mark, ...]]:
        """Return a command that sets money aside, on an account of its own."""
        account = await self.stage.account(self.customer, funds=FUNDS_MINOR)
        mark = (account, "HELD", next(self.amounts))
        self.holders.append(mark)
        return partial(_hold, self.session, account, mark[2]), (mark,)

    def batch(self, size: int = 3) -> tuple[Send, tuple[Mark, ...]]:
        """Return a command that moves money several times."""
        amounts = [next(self.amounts) for _ in range(size)]
        orders = [self.session.order(self.payer, self.payee, amount) for amount in amounts]
        marks = [leg for amount in amounts for leg in self.legs(amount)]
        return partial(_batch, self.session, orders), tuple(marks)


def post(session: Session, account: str, code: str, amount: int, key: str) -> Awaitable[Operation]:
    """Book an entry under `key`."""
    return session.post(account, code, amount, key=key)


def _hold(session: Session, account: str, amount: int, key: str) -> Awaitable[Operation]:
    return session.hold(account, amount, key=key)


def transfer(
    session: Session, source: str, target: str, amount: int, wait: int | None, key: str
) -> Awaitable[Operation]:
    """Move money under `key`."""
    return session.transfer(source, target, amount, wait=wait, key=key)


def _batch(session: Session, orders: list[dict[str, object]], key: str) -> Awaitable[Operation]:
    return session.transfers(orders, key=key)


async def set_bench(stage: Stage, record: Repeats | None = None) -> Bench:
    """Open the accounts that commands are repeated on."""
    customer = await stage.customer()
    payer, payee = await stage.accounts(customer, 2, funds=FUNDS_MINOR)
    poor = await stage.account(customer)
    return Bench(stage, customer, payer, payee, poor, record or Repeats(stage.history))


async def commands(bench: Bench) -> dict[str, tuple[Send, tuple[Mark, ...]]]:
    """Return a fresh command of each kind, with the marks of its effects."""
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


async def count_effects(bench: Bench) -> None:
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


def _held(bench: Bench, seen: Scan) -> list[Mark]:
    """Return one mark for each time an amount is held on the account opened for it."""
    return [
        mark for mark in bench.holders for _ in range(seen.accounts[mark[0]].held_minor // mark[2])
    ]
