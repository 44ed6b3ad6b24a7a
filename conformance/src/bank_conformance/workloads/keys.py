"""Keys that are used again: for another request by the same client, and by another client."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from bank_conformance.bank.routes import CUSTOMER_SCOPES
from bank_conformance.bank.session import Session
from bank_conformance.history import Operation
from bank_conformance.tokens import Principal

from .bench import Bench, Mark, Repeat, Repeats, Send, commands, count_effects, post, set_bench
from .stage import Stage, gather

ROUNDS, SHARED_KEYS = 3, 8
TOO_MUCH_MINOR = 5_000_000

Command = tuple[Send, tuple[Mark, ...]]


@dataclass(frozen=True, slots=True)
class Reuse:
    """One key: the request that used it, others under it, and the first one again."""

    what: str
    first: Operation
    others: tuple[Operation, ...]
    again: Operation


@dataclass(slots=True)
class Reuses(Repeats):
    """Every key that was used for different requests."""

    reuses: list[Reuse] = field(default_factory=list)
    races: list[tuple[Operation, ...]] = field(default_factory=list)
    """Different requests at once, each group under one key."""


@dataclass(frozen=True, slots=True)
class Shared:
    """One key that several principals chose: what each did, and a copied request."""

    own: tuple[Operation, ...]
    copied: Operation
    """The first one's request to the letter, sent by another under the same key."""


@dataclass(slots=True)
class Sharing(Repeats):
    """Every key that several principals used."""

    shared: list[Shared] = field(default_factory=list)


async def reuse(stage: Stage) -> Reuses:
    """Use the key of every kind of command again: for another amount, and for another route."""
    record = Reuses(stage.history)
    bench = await set_bench(stage, record)
    for number in range(ROUNDS):
        stage.progress(number, ROUNDS)
        other_amounts = await commands(bench)
        for what, first in (await commands(bench)).items():
            other_route = bench.entry("CASH_WITHDRAWAL", "DBIT")
            await _reuse(bench, record, what, first, [other_amounts[what], other_route])
        await _reuse_refused(bench, record)
        await _race(bench, record)
    await count_effects(bench)
    return record


async def _reuse(
    bench: Bench, record: Reuses, what: str, first: Command, others: Sequence[Command]
) -> None:
    key = bench.stage.client.fresh_key()
    done = await first[0](key)
    later = [await send(key) for send, _ in others]
    again = await first[0](key)
    record.reuses.append(Reuse(what, done, tuple(later), again))
    record.repeats.append(Repeat(what, first[1], (done, again)))
    for (_, marks), operation in zip(others, later, strict=True):
        said = f"another request under the key of a {what}"
        record.repeats.append(Repeat(said, marks, (operation,)))


async def _reuse_refused(bench: Bench, record: Reuses) -> None:
    """Use the key of a refused command for one that could be done."""
    amount, session = TOO_MUCH_MINOR + next(bench.amounts), bench.session
    withdraw = partial(post, session, bench.poor, "CASH_WITHDRAWAL", amount)
    refused = (withdraw, ((bench.poor, "DBIT", amount),))
    await _reuse(
        bench, record, "refused withdrawal", refused, [bench.entry("CASH_DEPOSIT", "CRDT")]
    )


async def _race(bench: Bench, record: Reuses) -> None:
    """Send different deposits at once under one key: one of them may be done."""
    key = bench.stage.client.fresh_key()
    deposits = [bench.entry("CASH_DEPOSIT", "CRDT") for _ in range(3)]
    raced = await gather([send(key) for send, _ in deposits])
    record.races.append(tuple(raced))
    for (_, marks), operation in zip(deposits, raced, strict=True):
        record.repeats.append(Repeat("deposit in a race for a key", marks, (operation,)))


async def sharing(stage: Stage) -> Sharing:
    """Let two customers and staff choose the same keys, one after the other and at once."""
    record = Sharing(stage.history)
    bench = await set_bench(stage, record)
    alice, bob = await _customer(bench, "first customer"), await _customer(bench, "second customer")
    for number in range(SHARED_KEYS):
        stage.progress(number, SHARED_KEYS)
        key = stage.client.fresh_key()
        sent = [_spend(bench, alice, key), _spend(bench, bob, key), _staff_deposit(bench, key)]
        own = await gather(sent) if number % 2 else [await one for one in sent]
        body = own[0].call.body
        copied = await bob.session.call("requestTransfer", body=body, key=key)
        record.shared.append(Shared(tuple(own), copied))
    await count_effects(bench)
    return record


@dataclass(frozen=True, slots=True)
class _Customer:
    session: Session
    account: str


async def _customer(bench: Bench, label: str) -> _Customer:
    customer_id = await bench.stage.customer()
    session = bench.stage.session(label, Principal(label, customer_id, CUSTOMER_SCOPES))
    bench.stage.client.tokens.ask(session.principal)
    return _Customer(session, await bench.stage.account(customer_id, funds=TOO_MUCH_MINOR))


async def _spend(bench: Bench, who: _Customer, key: str) -> Operation:
    amount = next(bench.amounts)
    done = await who.session.transfer(who.account, bench.payee, amount, key=key)
    marks = ((bench.payee, "CRDT", amount),)
    bench.record.repeats.append(Repeat(f"transfer of the {who.session.name}", marks, (done,)))
    return done


async def _staff_deposit(bench: Bench, key: str) -> Operation:
    send, marks = bench.entry("CASH_DEPOSIT", "CRDT")
    done = await send(key)
    bench.record.repeats.append(Repeat("deposit of staff", marks, (done,)))
    return done
